"""Virtual time: waiting costs nothing, and the same seed takes the same steps.

async-solipsism's loop is used: it is maintained, runs on Python 3.11 (simloom needs 3.12), and
fails at once when everything waits for ever. Added here is what makes runs repeatable: tasks that
are numbered (sets of tasks are ordered by their hash, which would be an address), and functions
for threads that are run in place.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import async_solipsism

T = TypeVar("T")
STEP_SECONDS = 2e-6
"""A wait takes at least this: rounded off to nothing, it would be waited for again for ever."""
BEGAN_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class _NumberedTask(asyncio.Task[T]):
    number = 0

    def __hash__(self) -> int:
        return self.number


class VirtualLoop(async_solipsism.EventLoop):  # type: ignore[misc]  # it has no types
    """Jumps to the next moment at which something is due."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self.set_task_factory(self._number)

    def _number(
        self,
        _loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, T] | Generator[Any, None, T],
        context: contextvars.Context | None = None,
    ) -> asyncio.Task[T]:
        task = _NumberedTask(coroutine, loop=self, context=context)
        task.number = next(self._numbers)
        return task

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        soonest = self.time() + STEP_SECONDS
        timer: asyncio.TimerHandle = super().call_at(
            max(when, soonest), callback, *args, context=context
        )
        return timer

    async def run_in_executor(
        self, executor: Executor | None, func: Callable[..., T], *args: object
    ) -> T:
        """No thread: what blocks takes no virtual time."""
        return func(*args)


class Clock:
    """A machine's clock: its wall time may be set by somebody."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ahead_seconds = 0.0
        self.booted_at = 0.0
        """Monotonic time means nothing to the next life of a program."""

    def now(self) -> datetime:
        return BEGAN_AT + timedelta(seconds=self._loop.time() + self.ahead_seconds)

    def monotonic(self) -> float:
        return self._loop.time() - self.booted_at
