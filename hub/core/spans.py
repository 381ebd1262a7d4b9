"""Which spans an attempt, and a job, come to: pure, from the facts that tell of them.

    command ─┬─ job ─┬─ queue      queued until granted
             │       ├─ grant      granted until the worker said that it began
             │       ├─ attempt ── question   asked until answered
             │       └─ delivery   told until shown
             └─ (a follow-up's job)

Where a command came in by a request or a message, that span was made there; one that has its trace
by its own id (a schedule, a computer) begins here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.fact import Fact
from shared import trace
from shared.ids import JobId
from shared.spans import Span
from shared.trace import Trace

ENDS = frozenset({"job_succeeded", "job_failed", "job_cancelled", "job_interrupted", "job_parked"})
"""Facts after which an attempt is over."""
READ = ENDS | {"job_queued", "job_granted", "job_started", "question_asked", "question_answered"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A job, as far as its spans need it."""

    job_id: JobId
    kind: str
    traceparent: str
    created_at: datetime
    ended: str = ""
    """Its last state; empty while it has not ended."""

    @property
    def place(self) -> Trace:
        return trace.parse(self.traceparent) or trace.of_id(self.job_id)

    @property
    def own_place(self) -> Trace:
        """Of the span of the whole job."""
        return trace.step(self.place, "job", self.job_id)


def of_attempt(job: Traced, history: Sequence[Fact], end: Fact) -> list[Span]:
    """Tell the spans of the attempt that a fact ended.

    Args:
        job: whose attempt.
        history: the job's facts of the sorts `READ`, in the hub's order, up to the end at least.
        end: one of them, of a sort in `ENDS`.
    """
    attempt, fence = _number(end, "attempt"), _number(end, "fence")
    before = [fact for fact in history if fact.hub_seq < end.hub_seq]
    granted = _last(before, "job_granted", fence)
    if granted is None:
        return []  # it was cancelled before anybody had it
    queued = _last([f for f in before if f.hub_seq < granted.hub_seq], "job_queued")
    started = _last(before, "job_started", fence)
    facts: dict[str, str | int | float | bool] = {
        "deskhand.job_id": job.job_id,
        "deskhand.kind": job.kind,
        "deskhand.attempt": attempt,
    }
    own, place = job.own_place, trace.of_attempt(job.traceparent, job.job_id, attempt, fence)
    spans = []

    def add(name: str, where: Trace, parent: str, start: datetime, until: datetime) -> None:
        told = Span(
            name=name, place=where, parent=parent, start=start, end=max(start, until), facts=facts
        )
        spans.append(told)

    if queued is not None:
        add("queue", trace.step(own, "queue", fence), own.span_id, queued.at, granted.at)
    if started is not None:
        add("grant", trace.step(own, "grant", fence), own.span_id, granted.at, started.at)
        worker = str(granted.payload.get("worker_id", ""))
        spans.append(
            Span(
                name="attempt",
                place=place,
                parent=own.span_id,
                start=started.at,
                end=max(started.at, end.at),
                facts={**facts, "deskhand.fence": fence, "deskhand.worker_id": worker},
                failed=_failed(end),
                sort="producer",
            )
        )
    answered = {f.payload.get("question_id"): f for f in history if f.type == "question_answered"}
    for asked in before:
        reply = answered.get(asked.payload.get("question_id"))
        is_ours = asked.type == "question_asked" and _number(asked, "fence") == fence
        if is_ours and reply is not None:
            name = str(asked.payload.get("question_id"))
            add("question", trace.step(place, "question", name), place.span_id, asked.at, reply.at)
    return spans


def of_job(job: Traced, end: Fact) -> list[Span]:
    """Tell the span of a job that has ended, and that of its command when nobody else does."""
    facts = {"deskhand.job_id": job.job_id, "deskhand.kind": job.kind, "deskhand.state": job.ended}
    failed = "" if job.ended in ("succeeded", "cancelled") else _failed(end) or job.ended
    until = max(job.created_at, end.at)
    whole = Span(
        name="job", place=job.own_place, parent=job.place.span_id, start=job.created_at, end=until,
        facts=facts, failed=failed,
    )  # fmt: skip
    if job.place != trace.of_id(job.job_id):
        return [whole]
    first = Span(name="command", place=job.place, start=job.created_at, end=until, facts=facts)
    return [first, whole]


def of_delivery(job: Traced, start: datetime, end: datetime, frontend: str) -> Span:
    """Tell how long the last word on a job took until it was shown."""
    own = job.own_place
    return Span(
        name="delivery", place=trace.step(own, "delivery", frontend, start.isoformat()),
        parent=own.span_id, start=start, end=max(start, end),
        facts={"deskhand.job_id": job.job_id, "deskhand.frontend": frontend}, sort="client",
    )  # fmt: skip


def _last(facts: Sequence[Fact], sort: str, fence: int | None = None) -> Fact | None:
    found = (
        fact
        for fact in reversed(facts)
        if fact.type == sort and (fence is None or _number(fact, "fence") == fence)
    )
    return next(found, None)


def _number(fact: Fact, name: str) -> int:
    value = fact.payload.get(name)
    return value if isinstance(value, int) else 0


def _failed(end: Fact) -> str:
    error = end.payload.get("error")
    if isinstance(error, dict) and error.get("code"):
        return str(error["code"])[:100]
    return end.type if end.type in ("job_failed", "job_interrupted") else ""
