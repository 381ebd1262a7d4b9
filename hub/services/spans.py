"""Makes spans of what the log tells, when somebody collects them; else it is not even made.

It follows the trail, reads a job's facts once an attempt of it is over, and keeps nothing: after a
restart the spans of what ends then are whole all the same.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence

import structlog

from hub.core import spans as core
from hub.core.delivery import Waiting
from hub.core.fact import Fact
from hub.core.spans import Traced
from hub.services.trail import Passage, Trail
from hub.store import events, jobs
from hub.store.ledger import Ledger
from shared.errors import AppError
from shared.ids import JobId
from shared.spans import tell
from shared.times import from_ms

log = structlog.get_logger()

WAITING_MAX = 10_000
"""Ends whose spans are not made yet; the oldest are left out beyond."""
FACTS_MAX = 2000
"""Of one job that are read for its spans."""
JOB = "job:"


class SpanMaker:
    def __init__(self, ledger: Ledger, trail: Trail) -> None:
        self._ledger = ledger
        self._ends: deque[Passage] = deque(maxlen=WAITING_MAX)
        self._shown: deque[tuple[Waiting, int]] = deque(maxlen=WAITING_MAX)
        self._bell = asyncio.Event()
        trail.listeners.append(self._note)

    def delivered(self, message: Waiting, at_ms: int) -> None:
        """A message was shown; it matters when it is the last word on a job."""
        if message.view.final and message.view.subject.startswith(JOB):
            self._shown.append((message, at_ms))
            self._bell.set()

    async def run(self) -> None:
        """Make spans of whatever ends from now on."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._ends or self._shown:
                try:
                    await self.run_once()
                except AppError as error:
                    log.warning("spans_lost", code=error.code)

    async def run_once(self) -> None:
        """Make the spans of one end, and of one message."""
        if self._ends:
            await self._tell_end(self._ends.popleft())
        if self._shown:
            await self._tell_shown(*self._shown.popleft())

    async def _tell_end(self, passage: Passage) -> None:
        job, history = await self._ledger.look(lambda c: _read(c, passage.job_id))
        if job is None:
            return
        for span in core.of_attempt(job, history, passage.fact):
            tell(span)
        last = [fact for fact in history if fact.type in core.ENDS][-1:]
        if job.ended and last and last[0].hub_seq == passage.fact.hub_seq:
            for span in core.of_job(job, passage.fact):
                tell(span)

    async def _tell_shown(self, message: Waiting, at_ms: int) -> None:
        job_id = JobId(message.view.subject.removeprefix(JOB))
        job = await self._ledger.look(lambda c: jobs.traced(c, job_id))
        if job is not None:
            frontend = message.conversation.partition(":")[0]
            tell(core.of_delivery(job, from_ms(message.due_ms), from_ms(at_ms), frontend))

    def _note(self, passages: Sequence[Passage]) -> None:
        ends = [passage for passage in passages if passage.fact.type in core.ENDS]
        if ends:
            self._ends.extend(ends)
            self._bell.set()


def _read(connection: sqlite3.Connection, job_id: JobId) -> tuple[Traced | None, list[Fact]]:
    sorts = sorted(core.READ)
    condition = f"entity = ? AND type IN ({_marks(sorts)}) ORDER BY hub_seq LIMIT ?"
    values: tuple[str | int | None, ...] = (job_id, *sorts, FACTS_MAX)
    return jobs.traced(connection, job_id), events.of_entities(connection, condition, values)


def _marks(values: Sequence[str]) -> str:
    return ",".join("?" * len(values))
