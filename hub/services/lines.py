"""Lines held open for computers that wait to be let in; bounded, and rung when it is decided."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator

WAITERS_MAX = 3
"""Lines held open for one computer; more are answered at once."""


class Lines:
    def __init__(self) -> None:
        self._bells: dict[str, list[asyncio.Event]] = defaultdict(list)
        self._is_closing = False

    @contextlib.contextmanager
    def line(self, join_id: str) -> Iterator[asyncio.Event | None]:
        """Hold a line open inside the block; None when no more can be held."""
        bells = self._bells[join_id]
        if self._is_closing or len(bells) >= WAITERS_MAX:
            yield None
            return
        bell = asyncio.Event()
        bells.append(bell)
        try:
            yield bell
        finally:
            bells.remove(bell)
            if not bells:
                self._bells.pop(join_id, None)

    def ring(self, join_id: str) -> None:
        """It was decided: whoever waits goes on."""
        for bell in self._bells.get(join_id, ()):
            bell.set()

    def close(self) -> None:
        """The hub ends: whoever waits is asked to call again."""
        self._is_closing = True
        for join_id in list(self._bells):
            self.ring(join_id)
