"""The copy of the hub's log and this machine's own: do they fit each other, and the hub's?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.attempt import AttemptState
from desktop.doctor.finding import Finding, well, wrong
from desktop.link.hub_post import ask_for
from desktop.store import facts, journal, known, outbox, rebuilt
from desktop.system.way import Way
from shared.errors import AppError
from shared.jobs import JobState

RESYNC_HINT = "deskhand doctor --resync reads everything anew from the hub; unsent changes stay."
UPDATE_HINT = "Update Deskhand on this machine; until then it is kept and passed on."
SHOWN_MAX = 3


class Standing(BaseModel):
    """What the hub says of this machine's log (`GET /worker/standing`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hub_epoch: str
    hub_seq: int
    acked_seq: int
    acked_digest: str = ""
    jobs: dict[JobState, int]


def examine_copy(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Look at the store alone."""
    different = rebuilt.compare(connection)
    shown = "; ".join(line[:120] for line in different[:SHOWN_MAX])
    yield (
        wrong("copy", f"What is shown does not fit the events it is made of: {shown}", RESYNC_HINT)
        if different
        else well("copy", "What is shown is what its events make")
    )
    yield _journal(connection)
    yield _cursor(connection)
    newer = known.update_needed(connection)
    if newer.count:
        told = f"{newer.count:,} events are of a newer Deskhand, the first is '{newer.first_type}'"
        yield wrong("newer", told, UPDATE_HINT)


def examine_standing(
    connection: sqlite3.Connection, base: str, token: str, way: Way
) -> Iterator[Finding]:
    """Compare with the hub; nothing is said of one that does not answer, others say that."""
    epoch = facts.epoch(connection)
    try:
        told = ask_for(base, f"/worker/standing?epoch={epoch}", token=token, way=way)
        standing = Standing.model_validate(told)
    except (AppError, ValidationError):
        return
    yield from judge(connection, standing)


def judge(connection: sqlite3.Connection, standing: Standing) -> Iterator[Finding]:
    """Say where the hub and this store differ."""
    yield _own_log(connection, standing)
    hub_epoch, hub_seq = facts.hub_cursor(connection)
    if hub_epoch not in ("", standing.hub_epoch):
        yield wrong(
            "hub_log",
            "The hub's log is another one than that of this copy",
            "It was restored; this machine goes on with it when it connects.",
        )
        return
    behind = standing.hub_seq - hub_seq
    if behind < 0:
        yield wrong("hub_log", f"This copy is {-behind:,} events ahead of its hub", RESYNC_HINT)
        return
    yield well("hub_log", f"Read the hub's log up to {hub_seq:,} of {standing.hub_seq:,}")
    if behind == 0 and outbox.waiting(connection) == 0:
        yield _jobs(connection, standing)


def _own_log(connection: sqlite3.Connection, standing: Standing) -> Finding:
    last, acked = outbox.last_seq(connection, facts.epoch(connection)), standing.acked_seq
    mends_itself = "It starts a new count by itself when it connects."
    if acked > last:
        told = f"The hub has {acked - last:,} events of this machine that its store does not know"
        return wrong("own_log", f"{told}: the store is an older copy", mends_itself)
    if not outbox.continues(connection, acked, standing.acked_digest):
        return wrong("own_log", "Another machine works with a copy of this store", mends_itself)
    if acked < outbox.acked_seq(connection):
        lost = outbox.acked_seq(connection) - acked
        return wrong(
            "own_log",
            f"The hub has lost {lost:,} events of this machine",
            "They are told again when it connects.",
        )
    waiting = last - acked
    note = f"; {waiting:,} wait to be sent" if waiting else ""
    return well("own_log", f"The hub has {acked:,} of {last:,} events of this machine{note}")


def _jobs(connection: sqlite3.Connection, standing: Standing) -> Finding:
    ends = [state.value for state in JobState if state.is_terminal]
    marks = ", ".join("?" * len(ends))
    rows = connection.execute(
        f"select state, count(*) from copy_job where state not in ({marks})"  # noqa: S608
        " and part_of = '' group by state",
        ends,
    )
    here = _merged({JobState(state): count for state, count in rows})
    there = _merged(standing.jobs)
    if here == there:
        return well("jobs", f"{sum(there.values()):,} open jobs, as on the hub")
    told = ", ".join(
        f"{here.get(state, 0)} {state.value} here, {there.get(state, 0)} there"
        for state in sorted({*here, *there})
        if here.get(state, 0) != there.get(state, 0)
    )
    return wrong("jobs", f"Open jobs are others than on the hub: {told}", RESYNC_HINT)


def _merged(counts: dict[JobState, int]) -> dict[JobState, int]:
    """An offer is told to nobody, so a job that is offered waits for all that a copy knows."""
    merged = {state: count for state, count in counts.items() if count}
    if offered := merged.pop(JobState.OFFERED, 0):
        merged[JobState.QUEUED] = merged.get(JobState.QUEUED, 0) + offered
    return merged


def _journal(connection: sqlite3.Connection) -> Finding:
    """What is in hand was told of, and what has ended has its end in the log."""
    last = outbox.last_seq(connection, facts.epoch(connection))
    attempts = journal.attempts(connection)
    for attempt in attempts:
        is_ended = attempt.state is AttemptState.ENDED
        if is_ended and not 0 < attempt.outcome_seq <= last:
            told = f"The end of job {attempt.spec.job_id} is in the journal and not in the log"
            return wrong("journal", told, "Please report this; nothing is lost by going on.")
    return well("journal", f"{len(attempts)} jobs in hand, and the log knows them")


def _cursor(connection: sqlite3.Connection) -> Finding:
    hub_seq = facts.hub_cursor(connection)[1]
    (highest,) = connection.execute("select max(hub_seq) from event").fetchone()
    if (highest or 0) > hub_seq:
        told = f"Events up to {highest:,} are here, and the copy says it ends at {hub_seq:,}"
        return wrong("cursor", told, RESYNC_HINT)
    return well("cursor", f"The copy ends at the hub's event {hub_seq:,}")
