"""An event loop whose time can be wound: an hour of waiting takes seconds, order stays as it is.

Everything in the loop lives in the same wound time, timeouts included, so what is measured by its
clock is what a slow real run would measure. Only for tests whose parts all run in one loop.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from datetime import UTC, datetime, timedelta


class _WoundSelector(selectors.DefaultSelector):
    """Waits for as much real time as a wound wait takes."""

    pace = 1.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self.pace)


class FastLoop(asyncio.SelectorEventLoop):
    """`pace` seconds pass in each real one; it may be changed at any time."""

    def __init__(self) -> None:
        self._pace = 1.0
        self._since_real = self._since = time.monotonic()
        self._wound = _WoundSelector()
        super().__init__(self._wound)

    @property
    def pace(self) -> float:
        return self._pace

    @pace.setter
    def pace(self, pace: float) -> None:
        self._since, self._since_real = self.time(), time.monotonic()
        self._pace = self._wound.pace = pace

    def time(self) -> float:
        return self._since + (time.monotonic() - self._since_real) * self._pace


class LoopClock:
    """The clock of a hub that lives in such a loop."""

    def __init__(self, loop: FastLoop) -> None:
        self._loop = loop
        self._start, self._began_at = loop.time(), datetime.now(UTC)

    def now(self) -> datetime:
        return self._began_at + timedelta(seconds=self._loop.time() - self._start)

    def monotonic(self) -> float:
        return self._loop.time()
