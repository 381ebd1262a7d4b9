"""Attempts that could not go on wait here, in nobody's way, and start again when they are due.

Their wait stands in the journal. What is begun again when is decided in `desktop.core.postponing`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import structlog

from desktop.core import postponing as core
from desktop.core.attempt import Attempt
from desktop.core.outcome import Ending, Outcome
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from shared.environment import Environment
from shared.ids import JobId
from shared.kinds import Kind

log = structlog.get_logger(__name__)

LOOK_SECONDS = 30.0
"""The clock may jump, and the machine sleep: nobody tells, so it is looked at."""


class Postponing:
    """One for each worker. `run` until cancelled."""

    def __init__(
        self,
        hands: Hands,
        minder: Minder,
        environment: Environment,
        start_waiting: Callable[[], None],
    ) -> None:
        self._hands, self._minder = hands, minder
        self._environment = environment
        self._start_waiting = start_waiting
        self._since: dict[tuple[JobId, int], float] = {}
        """Since when an attempt is known to wait, by its job and how often it was postponed."""
        self._unwanted: set[JobId] = set()
        """Jobs that were stopped after their child had let them go."""
        self._bell = asyncio.Event()

    async def settle(self, attempt: Attempt, kind: Kind, outcome: Outcome) -> Outcome | None:
        """Decide on an outcome: what is to be told, or None when the attempt waits from now on."""
        job_id = attempt.spec.job_id
        is_unwanted = job_id in self._unwanted
        self._unwanted.discard(job_id)
        if outcome.ending is not Ending.POSTPONED:
            return outcome
        if is_unwanted:
            return Outcome(ending=Ending.CANCELLED)
        if not (attempt.is_kept or kind.makes):
            return outcome  # the hub's to queue again
        assert outcome.error is not None
        refused = core.refusal(attempt, outcome.error, outcome.seconds)
        if refused is not None:
            return replace(outcome, ending=Ending.REFUSED, error=refused)
        is_wanted = await self._minder.insist(lambda: self._hands.postpone(job_id, outcome.seconds))
        if not is_wanted or job_id in self._unwanted:
            self._unwanted.discard(job_id)
            return Outcome(ending=Ending.CANCELLED)
        log.info("job postponed", job_id=job_id, code=outcome.error.code, seconds=outcome.seconds)
        self.look()
        return None

    def stopped(self, job_id: JobId) -> None:
        """A job is to stop that has no child any more, and whose end is not written yet."""
        self._unwanted.add(job_id)

    def is_due(self, attempt: Attempt) -> bool:
        """Whether an attempt that waits may start by now."""
        return self._seconds_left(attempt) <= 0.0

    def look(self) -> None:
        """Something waits, or the clocks may have gone on without us."""
        self._bell.set()

    async def run(self) -> None:
        """Start what is due, whenever something is."""
        while True:
            seconds = self.run_once()
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._bell.wait()
            self._bell.clear()

    def run_once(self) -> float | None:
        """Start what is due; return in how many seconds to look again, None for at the bell."""
        waiting = [a for a in self._hands.waiting if a.not_before is not None]
        keys = {_key(attempt) for attempt in waiting}
        self._since = {key: since for key, since in self._since.items() if key in keys}
        left = [self._seconds_left(attempt) for attempt in waiting]
        if any(seconds <= 0.0 for seconds in left):
            self._start_waiting()
        later = [seconds for seconds in left if seconds > 0.0]
        return min(LOOK_SECONDS, *later) if later else None

    def _seconds_left(self, attempt: Attempt) -> float:
        if attempt.not_before is None:
            return 0.0
        now = self._environment.monotonic()
        since = self._since.setdefault(_key(attempt), now)
        return core.seconds_left(attempt, now - since, self._environment.now())


def _key(attempt: Attempt) -> tuple[JobId, int]:
    return attempt.spec.job_id, attempt.postponed
