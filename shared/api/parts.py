"""What all models of the API share: strict bodies, and what is shown."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""How every id in a path and every cursor made of one is spelled."""
PAGE_DEFAULT = 50
PAGE_MAX = 200


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _rfc_3339(value: object) -> object:
    """Let no other spelling of a moment pass, such as a number of seconds.

    Raises:
        ValueError: it is another one.
    """
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise ValueError("no moment as RFC 3339 spells it: 2026-11-21T14:02:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc_3339)]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
Whole = Annotated[int, WHOLE]
"""A whole number in a body: JSON knows no difference between 4 and 4.0, strict types do."""


class Body(BaseModel):
    """A request body: exact types, nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Shown(BaseModel):
    """A response body; a client takes fields of a newer hub that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
