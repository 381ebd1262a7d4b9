"""What the jobs of the shared child work with, as fresh as it is needed: keys above all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from desktop.runner.lines import Supplied
from shared.environment import Environment

log = structlog.get_logger(__name__)

FRESH_SECONDS = 5.0
"""What was read so long ago counts: a person who adds a key and tries again is not so fast."""
READ_SECONDS = 5.0
"""A safe that does not answer holds no job up for longer; what it says later still counts."""


class Supplies:
    """Reads in a thread, at most once at a time."""

    def __init__(
        self, read: Callable[[], Supplied], environment: Environment, tasks: asyncio.TaskGroup
    ) -> None:
        self._read = read
        self._tasks = tasks
        self._environment = environment
        self._known = Supplied()
        self._read_at: float | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __call__(self) -> Supplied:
        """Return them as they are now, or as they were a moment ago."""
        if not self._is_fresh():
            if self._reading is None or self._reading.done():
                self._reading = self._tasks.create_task(self._look(), name="supplies")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(READ_SECONDS):
                    await asyncio.shield(self._reading)
        return self._known

    def _is_fresh(self) -> bool:
        since = self._read_at
        return since is not None and self._environment.monotonic() - since < FRESH_SECONDS

    async def _look(self) -> None:
        try:
            self._known = await asyncio.to_thread(self._read)
        except (OSError, ValueError) as error:
            # A file that cannot be read: what was known counts, and jobs say what they lack.
            log.warning("keys not read", error=type(error).__name__)
        self._read_at = self._environment.monotonic()
