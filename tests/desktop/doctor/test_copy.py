"""The doctor says where the copy, this machine's own log and the hub's do not fit each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.doctor.copy import Standing, examine_copy, judge
from desktop.doctor.finding import Finding
from desktop.store import copies, facts, outbox, rebuilt
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from shared.events import CancelAsked, JobQueued, write_event
from shared.ids import JobId, TaskId, WorkerId
from shared.jobs import JobState
from shared.messages import Numbered

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB = JobId("job-1")
PAIRING = Pairing(
    hub_url="http://127.0.0.1", worker_id=WorkerId("here"), worker_name="anna-pc",
    hub_name="hub", person_name="Anna",
)  # fmt: skip
QUEUED = write_event(
    JobQueued(job_id=JOB, task_id=TaskId("task"), kind="ml.train", title="train", attempt=1),
    device="hub", epoch=1, seq=1, at=NOON,
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A store that has read one event of the hub's log, and written one that the hub has."""
    path = tmp_path / "worker.sqlite3"
    with open_store(path) as database:
        database.submit(lambda c: facts.save_pairing(c, PAIRING)).result()
    connection = sqlite3.connect(path, isolation_level=None)
    copies.hear(connection, Numbered(hub_seq=1, event=QUEUED))
    facts.move_hub_cursor(connection, "life-1", 1)
    copies.wrote(connection, outbox.append(connection, CancelAsked(job_id=JOB), at=NOON))
    outbox.acknowledge(connection, 1)
    yield connection
    connection.close()


def standing(store: sqlite3.Connection, **changes: object) -> Standing:
    [own] = outbox.read(store, start=1, count_max=1)
    told = {
        "hub_epoch": "life-1", "hub_seq": 1, "acked_seq": 1, "acked_digest": own.digest,
        "jobs": {"queued": 1},
    }  # fmt: skip
    return Standing.model_validate(told | changes)


def troubles(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.check: finding.sentence for finding in findings if not finding.is_well}


def test_a_store_that_fits_is_well(store: sqlite3.Connection) -> None:
    assert troubles(examine_copy(store)) == {}
    assert troubles(judge(store, standing(store))) == {}
    assert troubles(judge(store, standing(store, jobs={"offered": 1}))) == {}


def test_a_copy_that_was_changed_by_hand_is_told(store: sqlite3.Connection) -> None:
    store.execute("update copy_job set title = 'other'")
    assert "does not fit" in troubles(examine_copy(store))["copy"]


def test_a_cursor_behind_what_is_here_is_told(store: sqlite3.Connection) -> None:
    facts.move_hub_cursor(store, "life-1", 0)
    assert "ends at 0" in troubles(examine_copy(store))["cursor"]


def test_events_of_a_newer_program_are_counted(store: sqlite3.Connection) -> None:
    newer = QUEUED.model_copy(update={"type": "tea_brewed", "seq": 2})
    copies.hear(store, Numbered(hub_seq=2, event=newer))
    assert "'tea_brewed'" in troubles(examine_copy(store))["newer"]


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"acked_seq": 4}, "own_log", "older copy"),
        ({"acked_digest": "of another"}, "own_log", "Another machine"),
        ({"acked_seq": 0, "acked_digest": ""}, "own_log", "has lost 1"),
        ({"hub_epoch": "life-2"}, "hub_log", "another one"),
        ({"hub_seq": 0}, "hub_log", "1 events ahead"),
        ({"jobs": {JobState.RUNNING: 1}}, "jobs", "1 queued here, 0 there"),
    ],
    ids=["older_copy", "clone", "hub_lost", "hub_restored", "ahead", "jobs"],
)
def test_what_the_hub_has_otherwise_is_told(
    store: sqlite3.Connection, changes: dict[str, object], check: str, words: str
) -> None:
    assert words in troubles(judge(store, standing(store, **changes)))[check]


def test_a_resync_keeps_what_was_not_sent(store: sqlite3.Connection) -> None:
    copies.wrote(store, outbox.append(store, CancelAsked(job_id=JobId("other")), at=NOON))
    rebuilt.resync(store)
    assert facts.hub_cursor(store) == ("life-1", 0)
    assert [event.seq for event in outbox.read(store, start=1, count_max=9)] == [1, 2]
    assert outbox.waiting(store) == 1
    assert store.execute("select job_id from copy_job").fetchall() == [("other",)]
