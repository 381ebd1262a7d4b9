"""What is told of one attempt: in order, numbered, and again and again until the hub has it.

A hub that is away for minutes loses nothing: what an attempt may say is bounded (its log is), and
waits here. What the hub will never take is left out, or told otherwise, so that no attempt stays
without an end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

import structlog

from shared.api.fleet import FleetEventBody
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError, Conflict, ErrorBody, NotFound
from shared.events import (
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobParked,
    JobSucceeded,
    QuestionAsked,
)
from shared.messages import Progress

log = structlog.get_logger(__name__)

AGAIN = Backoff(first_seconds=0.2, max_seconds=15.0)
OUTCOMES = (JobSucceeded, JobFailed, JobCancelled, JobInterrupted, JobParked)
"""After one of these the attempt is over."""


class Told(Enum):
    """What came of telling."""

    OVER = auto()
    """The hub has the outcome."""
    LOST = auto()
    """The attempt is not this delivery's any more."""
    UNWANTED = auto()
    """The hub takes no outcome of it; it will find that nobody has it."""


class Speaking(Protocol):
    """The way to the hub, for one delivery."""

    async def report(self, body: FleetEventBody, number: int) -> str:
        """Tell a fact; why the job is to stop, or nothing. Numbers rise from 1.

        Raises:
            AppError: as the hub says; `retryable` when it may be told again.
        """

    async def progress(self, progress: Progress) -> str:
        """Tell how far it is; why it is to stop, or nothing.

        Raises:
            AppError: as the hub says.
        """


class Reports:
    """One for each attempt in hand. `run` tells what was `put`, to the outcome."""

    def __init__(
        self,
        line: Speaking,
        environment: Environment,
        on_refused: Callable[[ErrorBody], None],
        on_stop: Callable[[str], None],
    ) -> None:
        """Take the way to the hub.

        Args:
            line: for this delivery.
            environment: for jitter.
            on_refused: told when the hub takes a question not, which then nobody can answer.
            on_stop: told why the job is to stop.
        """
        self._line = line
        self._environment = environment
        self._on_refused, self._on_stop = on_refused, on_stop
        self._waiting: deque[FleetEventBody] = deque()
        self._progress: Progress | None = None
        self._bell = asyncio.Event()
        self._number = 1
        self._failures = 0
        self._has_outcome = False
        self._is_abandoned = False
        self._idle = asyncio.Event()
        self._idle.set()

    def put(self, body: FleetEventBody) -> None:
        """Have something told; after an outcome nothing is."""
        if self._has_outcome:
            return
        self._has_outcome = isinstance(body, OUTCOMES)
        self._waiting.append(body)
        self._idle.clear()
        self._bell.set()

    def note(self, progress: Progress) -> None:
        """Have the newest progress told, if the hub can be reached."""
        self._progress = progress
        self._bell.set()

    async def told(self) -> None:
        """Wait until the hub has all that was put."""
        await self._idle.wait()

    def hurry(self) -> None:
        """The hub answers again: wait no longer."""
        self._bell.set()

    def abandon(self) -> None:
        """Tell nothing more: the attempt is not ours."""
        self._is_abandoned = True
        self._bell.set()

    async def run(self) -> Told:
        """Tell until there is an outcome and the hub has it, or wants none."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            if self._is_abandoned:
                return Told.LOST
            if (over := await self._tell_waiting()) is not None:
                return over
            await self._tell_progress()

    async def _tell_waiting(self) -> Told | None:
        while self._waiting and not self._is_abandoned:
            body = self._waiting[0]
            try:
                stop = await self._line.report(body, self._number)
            except (Conflict, NotFound) as error:
                log.warning("attempt is not ours any more", code=error.code, told=body.type)
                return Told.LOST
            except AppError as error:
                if error.retryable:
                    await self._pause(error)
                    continue
                if self._refused(body, error):
                    return Told.UNWANTED
                continue
            self._failures = 0
            self._number += 1
            self._waiting.popleft()
            if isinstance(body, OUTCOMES):
                return Told.OVER
            if stop:
                self._on_stop(stop)
        if self._is_abandoned:
            return Told.LOST
        self._idle.set()
        return None

    def _refused(self, body: FleetEventBody, error: AppError) -> bool:
        """Put something else in the place of what the hub will never take; True when there is none.

        The number is used up only by what the hub has taken.
        """
        log.warning("the hub takes a report not", code=error.code, told=body.type, error=str(error))
        self._waiting.popleft()
        if isinstance(body, QuestionAsked):
            self._on_refused(error.body)
        if isinstance(body, JobSucceeded):
            failed = JobFailed(
                job_id=body.job_id, attempt=body.attempt, fence=body.fence, error=error.body
            )
            self._waiting.appendleft(failed)
        return isinstance(body, OUTCOMES) and not isinstance(body, JobSucceeded)

    async def _pause(self, error: AppError) -> None:
        self._failures += 1
        wait = AGAIN.wait_seconds(self._failures, self._environment.random())
        if self._failures == 1:
            log.warning("the hub is told again", code=error.code, error=str(error))
        # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait, error.retry_after_seconds or 0.0)):
                await self._bell.wait()
        self._bell.clear()

    async def _tell_progress(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None and not self._has_outcome:
            with contextlib.suppress(AppError):
                if stop := await self._line.progress(progress):
                    self._on_stop(stop)
