"""Opens a hub's store after a power cut, looks whether all is there, and lets the hub go on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

from hub.services.requests import Request
from hub.store import queue
from shared.errors import AppError
from shared.ids import PersonId
from shared.jobs import JobState
from tests.hub.worlds import World
from tests.power.saying import Word, care
from tests.power.verdict import Verdict

STATES = {
    "job_queued": JobState.QUEUED,
    "job_granted": JobState.GRANTED,
    "job_started": JobState.RUNNING,
    "job_logged": JobState.RUNNING,
    "question_asked": JobState.ASKING,
    "question_answered": JobState.ASKING,
    "job_succeeded": JobState.SUCCEEDED,
    "job_failed": JobState.FAILED,
    "job_cancelled": JobState.CANCELLED,
}
"""What state a job is in after an event of the deeds, when no other came."""


async def judge(folder: Path, said: list[Word]) -> Verdict:
    verdict = Verdict()
    try:
        world = World(folder, care("FULL"))
    except AppError as error:
        verdict.stuck.append(f"does not open: {error}")
        return verdict
    try:
        await world.ledger.read(lambda c: _look(c, said, verdict))
        await _go_on(world, verdict)
    finally:
        world.database.close()
    return verdict


def _look(connection: sqlite3.Connection, said: list[Word], verdict: Verdict) -> None:
    told = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    verdict.demand(told == "ok", f"integrity: {told}")
    _look_at_log(connection, verdict)
    _look_at_jobs(connection, verdict)
    for word in said:
        _hold_against(connection, word, verdict)


def _look_at_log(connection: sqlite3.Connection, verdict: Verdict) -> None:
    numbers = [row[0] for row in connection.execute("SELECT hub_seq FROM events ORDER BY hub_seq")]
    verdict.demand(numbers == list(range(1, len(numbers) + 1)), "the order has gaps")
    cursors = dict(connection.execute("SELECT device, seq FROM cursors").fetchall())
    rows = connection.execute("SELECT device, epoch, seq FROM events").fetchall()
    verdict.doubled += [f"event {row}" for row, count in Counter(rows).items() if count > 1]
    for device in {row[0] for row in rows}:
        own = sorted(seq for name, _, seq in rows if name == device)
        verdict.demand(own == list(range(1, len(own) + 1)), f"the log of {device} has gaps")
        if device in cursors:
            verdict.demand(cursors[device] == len(own), f"cursor of {device}, not its events")


def _look_at_jobs(connection: sqlite3.Connection, verdict: Verdict) -> None:
    """A job is where its last event has left it."""
    for job_id, state in connection.execute("SELECT job_id, state FROM jobs").fetchall():
        types = [
            row[0]
            for row in connection.execute(
                "SELECT type FROM events WHERE entity = ? ORDER BY hub_seq", (job_id,)
            )
            if row[0] in STATES
        ]
        verdict.demand(types and STATES[types[-1]] == state, f"{job_id} is {state} after {types}")
        verdict.doubled += [f"{job_id} granted twice"] * (types.count("job_granted") > 1)


def _hold_against(connection: sqlite3.Connection, word: Word, verdict: Verdict) -> None:
    """Compare with what somebody was told."""

    def is_there(query: str, *values: str | int) -> bool:
        return connection.execute(query, values).fetchone() is not None

    match word["what"]:
        case "paired":
            found = is_there("SELECT 1 FROM workers WHERE worker_id = ?", word["worker"])
        case "queued":
            found = is_there("SELECT 1 FROM jobs WHERE job_id = ?", word["job"])
        case "granted":
            query = "SELECT 1 FROM jobs WHERE job_id = ? AND fence = ? AND worker_id IS NOT NULL"
            found = is_there(query, word["job"], word["fence"])
        case "acked":
            query = "SELECT 1 FROM cursors WHERE device = ? AND seq >= ?"
            found = is_there(query, word["device"], word["seq"])
        case "answered":
            query = "SELECT 1 FROM questions WHERE question_id = ? AND state = 'answered'"
            found = is_there(query, word["question"])
        case "ended":
            query = "SELECT 1 FROM jobs WHERE job_id = ? AND state = ?"
            found = is_there(query, word["job"], word["state"])
        case what:
            raise AssertionError(what)
    verdict.demand(found, f"told, and gone: {word}")


async def _go_on(world: World, verdict: Verdict) -> None:
    """Start as a hub does; what waits is on the board, and there is room for more."""
    try:
        await world.services.dispatcher.rebuild()
        await world.services.rescuer.rebuild()
        waiting = await world.ledger.read(lambda c: [job.job_id for job in queue.queued(c)])
        verdict.stuck += [f"{job_id} waits unseen" for job_id in waiting
                          if world.board.ready_of(job_id) is None]  # fmt: skip
        request = Request(person_id=PersonId("anna"), kind="probe.run")
        made = await world.services.intake.request(request)
        await world.job(made.card.job_id)
    except AppError as error:
        verdict.stuck.append(f"does not go on: {error}")
