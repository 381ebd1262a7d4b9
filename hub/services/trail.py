"""Writes down in the hub's log which way jobs go, each line under its job's trace.

It listens to what was committed, waits for nobody and keeps nobody waiting: when more comes than
can be written, lines are left out and counted. What people say stands in no line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import structlog

from hub.core.fact import HUB_DEVICE, Fact
from hub.services.feed import TASK_PURGED
from hub.store import jobs
from hub.store.ledger import Entry, Ledger
from shared import trace
from shared.errors import AppError
from shared.ids import JobId
from shared.logs import tell_many

log = structlog.get_logger()

WAITING_MAX = 10_000
"""Facts that wait to be written down; the oldest are left out beyond."""
AT_ONCE = 200
"""Facts dealt with before everybody else has a turn."""
PLACES_MAX = 10_000
"""Jobs whose traces are remembered from their making, so that their lines need no read."""
GATHER_SECONDS = 0.1
"""How long facts are gathered, so that those of many commits are looked up and written together."""
TOLD = frozenset(
    {
        "job_cancelled",
        "job_died",
        "job_failed",
        "job_granted",
        "job_interrupted",
        "job_parked",
        "job_queued",
        "job_started",
        "job_succeeded",
        "late_result",
        "question_answered",
        "question_asked",
    }
)
FIELDS = ("attempt", "fence", "kind", "reason", "outcome", "question_id", "task_id")
"""What of a fact stands in the log: names and numbers, no words of anybody."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A fact about a job, and the trace it belongs to."""

    fact: Fact
    job_id: JobId
    traceparent: str


Listener = Callable[[Sequence[Passage]], None]
"""Told of passages in the log's order; must not wait."""


class Trail:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: deque[Fact] = deque()
        self._places: dict[JobId, str] = {}
        """The traceparents of jobs that were made lately and are not known to be purged."""
        self._bell = asyncio.Event()
        self.left_out = 0
        """Facts that came too fast to be written down."""
        self.listeners: list[Listener] = [_write]
        ledger.listeners.append(self._note)

    async def run(self) -> None:
        """Write down whatever is committed from now on."""
        while True:
            await self._bell.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._bell.clear()
            await self.finish()

    async def finish(self) -> None:
        """Write down all that waits."""
        while self._waiting:
            await self.run_once()
            await asyncio.sleep(0)

    async def run_once(self) -> None:
        """Write down a stretch."""
        count = min(AT_ONCE, len(self._waiting))
        facts = [self._waiting.popleft() for _ in range(count)]
        ids = list(dict.fromkeys(_job_of(fact) for fact in facts))
        try:
            places = await self._places_of(ids)
        except AppError as error:
            log.warning("trail_lost", code=error.code, facts=len(facts))
            return
        passages = [
            Passage(fact, job_id, places[job_id])
            for fact in facts
            if (job_id := _job_of(fact)) in places  # what was purged meanwhile has no trail
        ]
        for listener in self.listeners:
            listener(passages)

    async def _places_of(self, ids: list[JobId]) -> dict[JobId, str]:
        unknown = [job_id for job_id in ids if job_id not in self._places]
        found: dict[JobId, str] = {}
        if unknown:
            found = await self._ledger.look(lambda c: jobs.traceparents_of(c, unknown))
        # Looked up after that wait: what was purged in it is not told of.
        return found | {one: self._places[one] for one in ids if one in self._places}

    def _remember(self, entry: Entry) -> None:
        for spec in entry.specs:
            self._places[spec.job_id] = spec.traceparent or str(trace.of_id(spec.job_id))
        while len(self._places) > PLACES_MAX:
            del self._places[next(iter(self._places))]
        if any(fact.type == TASK_PURGED for fact in entry.facts):
            self._places.clear()

    def _note(self, entry: Entry) -> None:
        self._remember(entry)
        told = [f for f in entry.facts if f.type in TOLD and not f.of_part and _job_of(f)]
        if told:
            self._waiting.extend(told)
            while len(self._waiting) > WAITING_MAX:
                self._waiting.popleft()
                self.left_out += 1
            self._bell.set()


def _job_of(fact: Fact) -> JobId:
    return JobId(str(fact.payload.get("job_id") or ""))


_trace_id = lru_cache(1024)(trace.trace_id_of)


def _write(passages: Sequence[Passage]) -> None:
    tell_many(__name__, map(_line, passages))


def _line(passage: Passage) -> dict[str, object]:
    fact = passage.fact
    return {
        "trace_id": _trace_id(passage.traceparent),
        "job_id": passage.job_id,
        "hub_seq": fact.hub_seq,
        "at": fact.at.isoformat(),
        **_told(fact),
        "event": fact.type,
    }


def _told(fact: Fact) -> dict[str, object]:
    fields: dict[str, object] = {
        name: fact.payload[name] for name in FIELDS if fact.payload.get(name) is not None
    }
    error = fact.payload.get("error")
    if isinstance(error, Mapping) and "code" in error:
        fields["code"] = error["code"]
    worker_id = fact.payload.get("worker_id") or (fact.device if fact.device != HUB_DEVICE else "")
    return fields | ({"worker_id": worker_id} if worker_id else {})
