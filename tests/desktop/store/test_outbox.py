"""The outbox numbers without gaps, keeps what a restored hub may ask for, and begins anew whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.core.attempt import Attempt, AttemptState
from desktop.store import facts, journal, outbox
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from shared.database import Database
from shared.events import CancelAsked, JobStarted, write_event
from shared.ids import JobId, TaskId, WorkerId
from shared.jobs import JobSpec

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=31)


def paired(worker_id: str) -> Pairing:
    return Pairing(
        hub_url="https://hub.example.org",
        worker_id=WorkerId(worker_id),
        worker_name="anna-pc",
        hub_name="hub",
        person_name="anna",
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "worker.sqlite3") as database:
        database.submit(lambda c: facts.save_pairing(c, paired("w1"))).result()
        yield database


def write(store: Database, *moments: datetime) -> list[int]:
    def run(connection: sqlite3.Connection) -> list[int]:
        body = JobStarted(job_id=JobId("job"), attempt=1, fence=1)
        return [outbox.append(connection, body, at=at).seq for at in moments]

    return store.submit(run).result()


def seqs(store: Database) -> list[int]:
    events = store.submit(lambda c: outbox.read(c, start=1, count_max=100)).result()
    return [event.seq for event in events]


def test_numbers_go_up_by_one(store: Database) -> None:
    assert write(store, NOW, NOW, NOW) == [1, 2, 3]
    assert seqs(store) == [1, 2, 3]


def test_what_is_acknowledged_is_kept_for_a_hub_that_was_restored(store: Database) -> None:
    write(store, OLD, NOW)
    store.submit(lambda c: outbox.acknowledge(c, 2)).result()
    assert seqs(store) == [1, 2]
    assert store.submit(outbox.waiting).result() == 0


def test_a_number_is_never_used_twice_even_when_an_older_program_has_deleted(
    store: Database,
) -> None:
    write(store, OLD)
    store.submit(lambda c: facts.put(c, f"last_seq.{facts.epoch(c)}", "7")).result()
    assert write(store, NOW) == [8]


def test_an_acknowledgement_never_goes_back(store: Database) -> None:
    write(store, NOW, NOW)
    store.submit(lambda c: outbox.acknowledge(c, 2)).result()
    store.submit(lambda c: outbox.acknowledge(c, 1)).result()
    assert store.submit(outbox.acked_seq).result() == 2


def test_a_new_epoch_tells_again_what_had_not_got_across(store: Database) -> None:
    write(store, NOW, NOW, NOW)
    spec = JobSpec(job_id=JobId("job"), task_id=TaskId("task"), kind="ml.train", title="train")
    ended = Attempt(spec=spec, number=1, state=AttemptState.ENDED, fence=1, outcome_seq=3)
    store.submit(lambda c: journal.save(c, ended)).result()
    store.submit(lambda c: outbox.acknowledge(c, 1)).result()
    before = store.submit(facts.epoch).result()
    assert store.submit(outbox.start_epoch).result() == before + 1
    again = store.submit(lambda c: outbox.read(c, start=1, count_max=9)).result()
    assert [(event.epoch, event.seq) for event in again] == [(before + 1, 1), (before + 1, 2)]
    (moved,) = store.submit(journal.attempts).result()
    assert moved.outcome_seq == 2, "the outcome is known by its new number"


def test_pairing_with_another_hub_drops_what_the_first_one_gave(store: Database) -> None:
    spec = JobSpec(job_id=JobId("job"), task_id=TaskId("task"), kind="ml.train", title="train")
    store.submit(lambda c: journal.save(c, Attempt(spec=spec, number=1))).result()
    store.submit(lambda c: facts.move_hub_cursor(c, "old-hub", 41)).result()
    store.submit(lambda c: facts.save_pairing(c, paired("w2"))).result()
    assert store.submit(journal.attempts).result() == []
    assert store.submit(facts.hub_cursor).result() == ("", 0)
    assert write(store, NOW) == [1]


def digest(store: Database, seq: int) -> str:
    (event,) = store.submit(lambda c: outbox.read(c, start=seq, count_max=1)).result()
    return event.digest


def continues(store: Database, seq: int, told: str) -> bool:
    return store.submit(lambda c: outbox.continues(c, seq, told)).result()


def test_a_log_goes_on_after_an_event_that_both_sides_have(store: Database) -> None:
    write(store, NOW, NOW, NOW)
    assert continues(store, 0, "")
    assert continues(store, 2, digest(store, 2))
    assert continues(store, 3, digest(store, 3))
    assert continues(store, 2, ""), "a hub that keeps no digest is believed"


def test_a_log_does_not_go_on_where_the_hub_has_another_event(store: Database) -> None:
    write(store, NOW, NOW + timedelta(seconds=1), NOW)
    assert not continues(store, 2, digest(store, 1))
    assert not continues(store, 3, "f" * 64)


def test_an_event_that_the_hub_made_up_in_our_name_is_told_from_our_own(store: Database) -> None:
    def run(connection: sqlite3.Connection) -> list[bool]:
        body = CancelAsked(job_id=JobId("job"))
        epoch = facts.epoch(connection)
        made_up = write_event(body, device="w1", epoch=epoch, seq=1, at=NOW)
        before = outbox.is_unwritten(connection, made_up)
        written = outbox.append(connection, body, at=NOW)
        later = written.model_copy(update={"epoch": epoch + 1})
        others = later.model_copy(update={"device": "w2"})
        return [before, *(outbox.is_unwritten(connection, e) for e in (written, later, others))]

    assert store.submit(run).result() == [True, False, True, False]
