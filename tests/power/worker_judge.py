"""Opens a worker's store after a power cut, holds it against what was told, and goes on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from desktop.core.attempt import AttemptState
from desktop.store import facts, journal, outbox
from desktop.store.database import open_store
from desktop.store.hands import Hands
from shared.errors import AppError
from shared.events import Event, TaskRequested
from shared.ids import JobId, TaskId
from tests.makers import KINDS, hand_environment
from tests.power.saying import Word, care
from tests.power.verdict import Verdict
from tests.power.worker_deeds import PAIRING, STORE

ALL = 10**6
OUTCOMES = {"job_succeeded", "job_failed", "job_cancelled", "job_interrupted"}


async def judge(folder: Path, said: list[Word]) -> Verdict:
    verdict = Verdict()
    try:
        database = open_store(folder / STORE, care=care("FULL"))
    except AppError as error:
        verdict.stuck.append(f"does not open: {error}")
        return verdict
    with database:
        await database.read(lambda c: _look(c, said, verdict))
        hands = Hands(database, hand_environment(seed=7)[0], lambda: None)
        try:
            await _go_on(hands, verdict, is_paired=bool(said))
        except AppError as error:
            verdict.stuck.append(f"does not go on: {error}")
    return verdict


def _look(connection: sqlite3.Connection, said: list[Word], verdict: Verdict) -> None:
    told = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    verdict.demand(told == "ok", f"integrity: {told}")
    events = outbox.read(connection, start=1, count_max=ALL)
    numbers = [event.seq for event in events]
    verdict.demand(numbers == list(range(1, len(numbers) + 1)), "the log has gaps")
    _look_at_journal(connection, events, verdict)
    _look_at_cursor(connection, verdict)
    attempts = {attempt.spec.job_id: attempt for attempt in journal.attempts(connection)}
    types = {(event.entity, event.type) for event in events}
    for word in said:
        match word["what"]:
            case "paired":
                is_so: object = facts.pairing(connection) == PAIRING
            case "accepted":
                is_so = True  # may be dropped again: the hub has not granted it
            case "started":
                is_so = (word["job"], "job_started") in types
            case "ended":
                is_so = any((word["job"], outcome) in types for outcome in OUTCOMES)
            case "told":
                is_so = len(events) >= int(word["seq"])
            case "acked":
                is_so = outbox.acked_seq(connection) >= int(word["seq"])
            case "heard":
                is_so = facts.hub_cursor(connection)[1] >= int(word["upto"])
            case what:
                raise AssertionError(what)
        verdict.demand(is_so, f"told, and gone: {word}")
    accepted = [w["job"] for w in said if w["what"] == "accepted"]
    begun = {str(w["job"]) for w in said if w["what"] == "started"}
    if said and said[-1]["what"] == "accepted":
        is_kept = accepted[-1] in attempts
        # Only what was given back at once may be gone.
        verdict.demand(is_kept or len(accepted) % 5 == 0, f"accepted, and gone: {accepted[-1]}")
    for job_id in begun:
        attempt = attempts.get(JobId(job_id))
        has_outcome = any((job_id, outcome) in types for outcome in OUTCOMES)
        verdict.demand(attempt is not None or has_outcome, f"an effect without a start: {job_id}")


def _look_at_journal(connection: sqlite3.Connection, events: list[Event], verdict: Verdict) -> None:
    """Attempts and events say the same of each job."""
    by_seq = {event.seq: event for event in events}
    counts = Counter((event.entity, event.type) for event in events)
    verdict.doubled += [
        f"{kind} of {job_id} twice"
        for (job_id, kind), count in counts.items()
        if count > 1 and kind in {"job_started", *OUTCOMES}
    ]
    acked = outbox.acked_seq(connection)
    known = {attempt.spec.job_id: attempt for attempt in journal.attempts(connection)}
    for job_id, attempt in known.items():
        is_started = counts[job_id, "job_started"] > 0
        verdict.demand(
            is_started != (attempt.state is AttemptState.ACCEPTED), f"{job_id} is {attempt.state}"
        )
        asked = journal.asked_by(connection, job_id, attempt.number)
        verdict.demand(
            (attempt.state is AttemptState.ASKING) == (asked is not None), f"{job_id} asks {asked}"
        )
        outcome = by_seq.get(attempt.outcome_seq)
        is_outcome = outcome is not None and outcome.type in OUTCOMES and outcome.entity == job_id
        verdict.demand(
            is_outcome == (attempt.state is AttemptState.ENDED), f"{job_id} ended by {outcome}"
        )
    for event in events:
        if event.type in OUTCOMES:
            ended = known.get(JobId(event.entity))
            is_ended = ended is None or ended.state is AttemptState.ENDED
            verdict.demand(is_ended and (ended or event.seq <= acked), f"{event} without its end")


def _look_at_cursor(connection: sqlite3.Connection, verdict: Verdict) -> None:
    """What the hub told is here exactly as far as the cursor says."""
    upto = facts.hub_cursor(connection)[1]
    [[here]] = connection.execute("select count(*) from copy_job where title = 'Elsewhere'")
    verdict.demand(here == (upto + 1) // 2, f"{here} jobs of the hub's at {upto}")
    [[answered]] = connection.execute("select count(*) from question where value is not null")
    resumed = {e.entity for e in outbox.read(connection, start=1, count_max=ALL)
               if e.type == "job_resumed"}  # fmt: skip
    verdict.demand(answered <= upto // 2 == len(resumed), f"{len(resumed)} went on at {upto}")


async def _go_on(hands: Hands, verdict: Verdict, *, is_paired: bool) -> None:
    """Start as a worker does: nothing runs any more, and there is room for more."""
    if not is_paired:
        return
    await hands.recover(KINDS, "the power went")
    await hands.own_log.position()
    alive = [attempt for attempt in hands.attempts if attempt.is_alive]
    verdict.stuck += [f"{attempt.spec.job_id} is still {attempt.state}" for attempt in alive]
    before = hands.own_log.outbox_seq
    body = TaskRequested(task_id=TaskId("t"), job_id=JobId("j"), kind="code.push", text="go on")
    await hands.say(body)
    verdict.stuck += ["nothing can be said"] * (hands.own_log.outbox_seq != before + 1)
