"""Rows that are written together: found by whoever reads, and one that cannot be fails alone."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from hub.core.job import Job, Life
from hub.core.task import Task
from hub.store import events, jobs, purging, queue, tasks
from hub.store.ledger import Entry
from hub.store.owed import Cursor, Owed
from shared.errors import Unavailable
from shared.ids import ConversationId, JobId, TaskId, WorkerId
from shared.jobs import JobState, Origin
from tests.hub.store.test_ledger import ANNA, ledger_in, numbers, tell
from tests.makers import NOON

WORKER = WorkerId("anna-pc")
HALF_A_CHARACTER = "\ud83d"
"""Python holds it as text; no store does."""


def a_task(number: int, text: str = "asked") -> Task:
    return Task(
        task_id=TaskId(f"task {number}"),
        person_id=ANNA,
        text=text,
        conversation=ConversationId(""),
        created_at=NOON,
    )


def a_job(number: int, life: Life = Life()) -> Job:  # noqa: B008 - it never changes
    return Job(
        job_id=JobId(f"00000000-0000-7000-8000-{number:012}"),
        task_id=TaskId(f"task {number}"),
        person_id=ANNA,
        kind="data.describe",
        created_at=NOON,
        life=life,
    )


def ask(entry: Entry, number: int, text: str = "asked") -> Job:
    tasks.insert(entry, a_task(number, text))
    job = a_job(number)
    queue.insert(
        entry, queue.NewJob(job=job, title="a job", inputs={}, origin=Origin.API, traceparent="")
    )
    tell(entry, text)
    return job


def state_of(entry: Entry, number: int) -> tuple[str, int]:
    state, updated_ms = entry.connection.execute(
        "SELECT state, updated_ms FROM jobs WHERE job_id = ?", (a_job(number).job_id,)
    ).fetchone()
    return state, updated_ms


async def test_what_one_left_is_there_for_the_next_of_the_same_commit(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    _, loaded, card, state = await asyncio.gather(
        ledger.write(lambda entry: ask(entry, 1)),
        ledger.write(lambda entry: queue.load_in(entry, a_job(1).job_id)),
        ledger.write(lambda entry: jobs.card(entry.connection, a_job(1).job_id)),
        ledger.write(lambda entry: state_of(entry, 1)),
    )
    assert loaded == a_job(1)
    assert card is not None
    assert card.text == "asked"
    assert state[0] == "queued"
    ledger.database.close()


async def test_a_read_of_the_same_commit_finds_it_too(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    _, known = await asyncio.gather(
        ledger.write(lambda entry: ask(entry, 1)),
        ledger.read(lambda c: tasks.load(c, TaskId("task 1"))),
    )
    assert known == a_task(1)
    ledger.database.close()


async def test_what_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    outcomes = await asyncio.gather(
        ledger.write(lambda entry: ask(entry, 1)),
        ledger.write(lambda entry: ask(entry, 2, HALF_A_CHARACTER)),
        ledger.write(lambda entry: ask(entry, 3)),
        ledger.read(lambda c: tasks.load(c, TaskId("task 3"))),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == [
        "Job",
        "UnicodeEncodeError",
        "Job",
        "Task",
    ]
    assert await numbers(ledger) == [(1, 1, "asked"), (2, 2, "asked")]
    ledger.database.close()


async def test_whoever_reads_next_does_not_pay_for_it(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    outcomes = await asyncio.gather(
        ledger.write(lambda entry: ask(entry, 1, HALF_A_CHARACTER)),
        ledger.write(lambda entry: ask(entry, 2).job_id and state_of(entry, 2)),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], UnicodeEncodeError)
    assert outcomes[1] == ("queued", 1_000 * int(NOON.timestamp()))
    assert await ledger.read(lambda c: tasks.load(c, TaskId("task 1"))) is None
    ledger.database.close()


async def test_one_that_raises_leaves_nothing_and_its_job_is_not_known(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)

    def raise_after(entry: Entry) -> None:
        ask(entry, 2)
        raise Unavailable("no", "No.")

    outcomes = await asyncio.gather(
        ledger.write(lambda entry: ask(entry, 1)),
        ledger.write(raise_after),
        ledger.write(lambda entry: queue.load_in(entry, a_job(2).job_id)),
        ledger.write(lambda entry: queue.load_in(entry, a_job(1).job_id)),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Unavailable)
    assert outcomes[2] is None
    assert outcomes[3] == a_job(1)
    ledger.database.close()


async def test_a_job_that_was_moved_and_undone_stands_as_before(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: ask(entry, 1))

    def move_and_raise(entry: Entry) -> None:
        job = queue.load_in(entry, a_job(1).job_id)
        assert job is not None
        queue.save(entry, job, Life(state=JobState.CANCELLED))
        assert state_of(entry, 1)[0] == "cancelled"
        raise Unavailable("no", "No.")

    with pytest.raises(Unavailable):
        await ledger.write(move_and_raise)
    assert await ledger.write(lambda entry: queue.load_in(entry, a_job(1).job_id)) == a_job(1)
    assert (await ledger.write(lambda entry: state_of(entry, 1)))[0] == "queued"
    ledger.database.close()


async def test_moves_of_two_transactions_are_one_row_with_the_time_of_the_last(
    tmp_path: Path,
) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: ask(entry, 1))

    def run(entry: Entry) -> None:
        job = queue.load_in(entry, a_job(1).job_id)
        assert job is not None
        queue.save(entry, job, Life(state=JobState.RUNNING, fence=1, worker_id=WORKER))

    def succeed(entry: Entry) -> None:
        job = queue.load_in(entry, a_job(1).job_id)
        assert job is not None
        assert job.life.state is JobState.RUNNING
        queue.save(
            entry, job, job.life._replace(state=JobState.SUCCEEDED), result={"headline": "Done."}
        )

    await asyncio.gather(ledger.write(run), ledger.write(succeed))
    card = await ledger.read(lambda c: jobs.card(c, a_job(1).job_id))
    assert card is not None
    assert (card.state, card.result) == (JobState.SUCCEEDED, {"headline": "Done."})
    ledger.database.close()


async def test_a_job_that_was_deleted_is_not_known_any_more(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: ask(entry, 1))
    _, loaded = await asyncio.gather(
        ledger.write(lambda entry: purging.purge(entry, TaskId("task 1"))),
        ledger.write(lambda entry: queue.load_in(entry, a_job(1).job_id)),
    )
    assert loaded is None
    ledger.database.close()


async def test_of_a_commit_that_fails_no_job_is_known(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: ask(entry, 1))

    def cancel(entry: Entry) -> None:
        job = queue.load_in(entry, a_job(1).job_id)
        assert job is not None
        queue.save(entry, job, Life(state=JobState.CANCELLED))

    def meet_a_full_disk(_: Entry) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    outcomes = await asyncio.gather(
        ledger.write(cancel),
        ledger.write(lambda entry: ask(entry, 2)),
        ledger.write(meet_a_full_disk),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    look = [partial(queue.load_in, job_id=a_job(number).job_id) for number in (1, 2)]
    known = [await ledger.write(one, is_vital=True) for one in look]
    assert known == [a_job(1), None]
    ledger.database.close()


async def test_a_job_is_loaded_once_for_as_long_as_it_has_not_ended(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: ask(entry, 1))
    statements: list[str] = []
    await ledger.read(lambda c: c.set_trace_callback(statements.append))
    assert await ledger.write(lambda entry: queue.load_in(entry, a_job(1).job_id)) == a_job(1)
    await ledger.read(lambda c: c.set_trace_callback(None))
    assert not [one for one in statements if "FROM jobs" in one]
    ledger.database.close()


async def test_a_log_is_taken_in_as_far_as_the_same_commit_says(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)

    def note(entry: Entry, epoch: int, seq: int, stamp: int) -> None:
        entry.owed.note(Cursor(WORKER, epoch, seq, f"digest {seq}", stamp))

    def look(entry: Entry) -> tuple[int, int]:
        return events.taken_in(entry, WORKER, 2)

    def look_at_once(entry: Entry) -> tuple[int, int]:
        entry.settle()
        return look(entry)

    *_, before, after = await asyncio.gather(
        ledger.write(lambda entry: note(entry, 1, 7, 500)),
        ledger.write(lambda entry: note(entry, 2, 1, 100)),
        ledger.write(lambda entry: note(entry, 2, 2, 90)),
        ledger.write(look),
        ledger.write(look_at_once),
    )
    assert before == after == (2, 500)
    acked = await ledger.read(lambda c: events.acked(c, WORKER, 2))
    assert acked == (2, "digest 2")
    stamp = await ledger.read(
        lambda c: c.execute("SELECT stamp FROM cursors WHERE epoch = 2").fetchone()
    )
    assert stamp == (100,)
    ledger.database.close()


async def test_a_request_that_comes_twice_in_one_commit_is_one(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)

    def ask_once(entry: Entry) -> tuple[JobId, bool]:
        known = tasks.remembered(entry, ANNA, "update 1")
        if known is not None:
            return known[0], True
        job = ask(entry, 1)
        tasks.remember(entry, ANNA, "update 1", job.job_id, "digest")
        return job.job_id, False

    first, second = await asyncio.gather(ledger.write(ask_once), ledger.write(ask_once))
    later = await ledger.write(ask_once)
    assert first == (a_job(1).job_id, False)
    assert second == later == (a_job(1).job_id, True)
    ledger.database.close()


def test_cursors_of_two_keep_the_highest_stamp() -> None:
    first, second = Owed(), Owed()
    first.note(Cursor(WORKER, 1, 1, "a", 9))
    second.note(Cursor(WORKER, 1, 2, "b", 5))
    first.take(second)
    assert first.cursors == {WORKER: {1: Cursor(WORKER, 1, 2, "b", 9)}}


async def test_known_jobs_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.ledger.KNOWN_MAX", 3)
    ledger = ledger_in(tmp_path)
    made = [await ledger.write(partial(ask, number=number)) for number in range(10)]
    for job in made:
        loaded = await ledger.write(partial(queue.load_in, job_id=job.job_id))
        assert loaded == job
    ledger.database.close()
