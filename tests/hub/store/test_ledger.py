"""The ledger: events and state in one commit, numbers without gaps, listeners in order."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from hub.store import events
from hub.store.database import MIGRATIONS, open_store
from hub.store.ledger import Entry, Ledger, begin_epoch
from shared.database import Database
from shared.errors import AppError, Unavailable
from shared.events import LateResult, WorkerPaired
from shared.ids import JobId, PersonId, WorkerId
from shared.store_file import schema_version
from shared.times import to_ms
from tests.makers import NOON, hand_environment

ANNA = PersonId("anna")


def ledger_in(folder: Path) -> Ledger:
    environment, _ = hand_environment()
    return Ledger(open_store(folder), environment)


def paired(name: str) -> WorkerPaired:
    return WorkerPaired(worker_id=WorkerId(name), name=name)


def tell(entry: Entry, name: str) -> None:
    entry.tell(ANNA, paired(name), entity=name)


def fail_after_telling(entry: Entry) -> None:
    tell(entry, "never")
    raise Unavailable("no", "No.")


async def numbers(ledger: Ledger) -> list[tuple[int, int, str]]:
    facts = await ledger.read(lambda c: events.after(c, 0, 1000))
    return [(fact.hub_seq, fact.seq, fact.entity) for fact in facts]


async def test_one_of_a_group_that_fails_is_undone_alone_and_leaves_no_gap(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    outcomes = await asyncio.gather(
        ledger.write(lambda entry: tell(entry, "one")),
        ledger.write(fail_after_telling),
        ledger.write(lambda entry: tell(entry, "two")),
        return_exceptions=True,
    )
    assert [isinstance(outcome, AppError) for outcome in outcomes] == [False, True, False]
    assert await numbers(ledger) == [(1, 1, "one"), (2, 2, "two")]
    assert ledger.position == 2
    ledger.database.close()


async def test_a_commit_that_fails_frees_its_numbers(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)

    def fill_the_disk(entry: Entry) -> None:
        tell(entry, "lost")
        # What a full disk looks like to a transaction: SQLite undoes all of it.
        entry.connection.execute("ROLLBACK")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with pytest.raises(Unavailable) as caught:
        await ledger.write(fill_the_disk)
    assert caught.value.code == "disk_full"
    await ledger.write(lambda entry: tell(entry, "kept"), is_vital=True)
    assert await numbers(ledger) == [(1, 1, "kept")]
    ledger.database.close()


async def test_a_disk_that_is_really_full_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: tell(entry, "before"))

    def limit(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    await ledger.read(limit)

    def much(entry: Entry) -> None:
        for number in range(2000):
            tell(entry, f"worker {number}")

    with pytest.raises(Unavailable) as caught:
        await ledger.write(much)
    assert caught.value.code == "disk_full"
    assert caught.value.hint
    assert await numbers(ledger) == [(1, 1, "before")]
    await ledger.read(lambda c: c.execute("PRAGMA max_page_count = 1073741823").fetchone())
    await ledger.write(lambda entry: tell(entry, "after"), is_vital=True)
    assert await numbers(ledger) == [(1, 1, "before"), (2, 2, "after")]
    ledger.database.close()


async def test_listeners_hear_commits_in_order_even_when_the_caller_left(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    heard: list[int] = []
    ledger.listeners.append(lambda entry: heard.extend(fact.hub_seq for fact in entry.facts))
    async with asyncio.TaskGroup() as tasks:
        leaving = tasks.create_task(ledger.write(lambda entry: tell(entry, "left")))
        await asyncio.sleep(0)
        leaving.cancel()
    await asyncio.gather(*(ledger.write(lambda e, n=n: tell(e, str(n))) for n in range(50)))  # type: ignore[misc]
    assert heard == list(range(1, 52))
    ledger.database.close()


async def test_nothing_is_told_before_it_is_committed(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    on_disk: list[int] = []

    def look(entry: Entry) -> None:
        with sqlite3.connect(tmp_path / "hub.sqlite3") as other:
            on_disk.append(other.execute("SELECT max(hub_seq) FROM events").fetchone()[0])
        other.close()

    ledger.listeners.append(look)
    await ledger.write(lambda entry: tell(entry, "one"))
    assert on_disk == [1]
    ledger.database.close()


async def test_numbers_go_on_after_a_restart_and_start_a_new_epoch_after_a_restore(
    tmp_path: Path,
) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: tell(entry, "one"))
    first_epoch = ledger.hub_epoch
    ledger.database.close()
    again = ledger_in(tmp_path)
    assert (again.hub_epoch, again.position) == (first_epoch, 1)
    await again.write(lambda entry: tell(entry, "two"))
    environment, _ = hand_environment(seed=7)
    await again.read(lambda connection: begin_epoch(connection, environment))
    again.database.close()
    restored = ledger_in(tmp_path)
    assert restored.hub_epoch != first_epoch
    await restored.write(lambda entry: tell(entry, "three"))
    facts = await restored.read(lambda c: events.after(c, 0, 10))
    assert [(fact.hub_seq, fact.epoch, fact.seq) for fact in facts] == [
        (1, 1, 1),
        (2, 1, 2),
        (3, to_ms(NOON), 1),
    ]
    restored.database.close()


async def test_an_event_is_read_back_as_it_was_told(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    body = LateResult(job_id=JobId("j"), attempt=2, outcome="succeeded")
    told: list[Entry] = []
    ledger.listeners.append(told.append)
    await ledger.write(lambda entry: entry.tell(ANNA, body))
    [stored] = await ledger.read(lambda c: events.after(c, 0, 10))
    [fresh] = told[0].facts
    assert stored.body == body == fresh.body
    assert stored.event == fresh.event
    assert stored.event.digest == fresh.event.digest
    assert stored.entity == "j"
    ledger.database.close()


def test_a_store_goes_through_every_step_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.submit(schema_version).result() == len(MIGRATIONS)
    with open_store(tmp_path) as store:
        tables = store.submit(
            lambda c: {r[0] for r in c.execute("SELECT name FROM sqlite_master").fetchall()}
        ).result()
    assert {"jobs", "events", "questions", "workers", "outbox"} <= tables


def test_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE half (x)")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        Database(tmp_path / "hub.sqlite3", (*MIGRATIONS[:1], broken))
    with open_store(tmp_path) as store:
        rows = store.submit(
            lambda c: c.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()
        ).result()
    assert rows == []


async def test_no_write_waits_for_a_long_look(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    await ledger.write(lambda entry: tell(entry, "one"))
    has_begun, may_end = threading.Event(), threading.Event()

    def look(connection: sqlite3.Connection) -> int:
        before = len(events.after(connection, 0, 10))
        has_begun.set()
        assert may_end.wait(5)
        return before

    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(ledger.look(look))
        await asyncio.to_thread(has_begun.wait, 5)
        await ledger.write(lambda entry: tell(entry, "two"))
        assert not looking.done()
        may_end.set()
    assert looking.result() == 1
    assert await ledger.look(lambda c: len(events.after(c, 0, 10))) == 2
    ledger.database.close()


async def test_a_look_changes_nothing_and_ends_with_the_store(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    with pytest.raises(Unavailable, match="cannot be read"):
        await ledger.look(lambda c: c.execute("DELETE FROM events"))
    ledger.database.close()
    assert not (tmp_path / "hub.sqlite3-wal").exists()
    with pytest.raises(Unavailable, match="closed"):
        await ledger.look(lambda c: None)


async def test_under_a_simulations_pace_a_look_is_taken_at_once(tmp_path: Path) -> None:
    environment, _ = hand_environment()
    ledger = Ledger(open_store(tmp_path, lambda run: run()), environment)
    thread = await ledger.look(lambda c: threading.current_thread())
    assert thread is threading.current_thread()
    ledger.database.close()
