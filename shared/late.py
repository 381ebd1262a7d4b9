"""A model whose checks are made when it is first used: most programs never meet most kinds.

Pydantic makes a model's validator and serializer when the class is read, which takes a good part of
a program's start. What is made later is made by one thread at a time here, because pydantic's own
way of doing it is not safe among threads.
"""

from __future__ import annotations

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict

_ONE_AT_A_TIME = threading.RLock()


class LateModel(BaseModel):
    """For models that stand for themselves.

    Not for what `pydantic_core.to_json` writes, or what another model holds as `Any`: neither makes
    what is not made yet.
    """

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        """Make the checks; the thread that comes second finds them made."""
        with _ONE_AT_A_TIME:
            return super().model_rebuild(**options)
