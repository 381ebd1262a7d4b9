"""Notices an agent that goes round in circles: the same call with the same result again."""

from __future__ import annotations

import hashlib
from collections import deque

from desktop.core.llm.message import ToolCall

LOOKED_AT = 16
"""Calls back, in which the same one counts."""
SAME_TOLD = 3
SAME_MAX = 6


class Rounds:
    """The newest calls since something was changed."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=LOOKED_AT)

    def note(self, call: ToolCall, result: str) -> int:
        """Return how often this very call had this very result lately, this time included."""
        words = "\0".join((call.name, call.arguments, result))
        digest = hashlib.sha256(words.encode(errors="replace")).hexdigest()
        self._seen.append(digest)
        return self._seen.count(digest)

    def changed(self) -> None:
        """Forget: after a change the same command is no repetition."""
        self._seen.clear()
