"""Measures how late the event loop is: a look every second, so that it costs nothing."""

from __future__ import annotations

import asyncio
import time

from shared.histogram import Histogram

LOOK_SECONDS = 1.0
LAG_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""Bounds of the buckets."""


class LoopLag:
    def __init__(self, look_seconds: float = LOOK_SECONDS) -> None:
        self.seconds = Histogram(LAG_SECONDS)
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.run_once()

    async def run_once(self) -> None:
        """Sleep, and note by how much too long."""
        due = time.perf_counter() + self._look_seconds
        await asyncio.sleep(self._look_seconds)
        self.seconds.note(max(0.0, time.perf_counter() - due))
