"""A stretch that is heard at once leaves what its events leave when they are heard one by one."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.store import copies, facts, outbox, peers, purging, rebuilt
from desktop.store.database import MIGRATIONS
from desktop.store.facts import Pairing
from desktop.store.hearing import Hearing
from shared.events import (
    Event,
    EventBody,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    SettingChanged,
    TaskCreated,
    TaskPurged,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, PersonId, TaskId, WorkerId
from shared.messages import Numbered
from shared.pairing import b64
from shared.signatures import signed
from tests.desktop.store.test_rebuilt import JOBS, hub_bodies, own_bodies

HERE, AWAY, OTHER = WorkerId("here"), WorkerId("away"), WorkerId("other")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EVIL = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = b64(KEY.public_key().public_bytes_raw())
PAIRED = WorkerPaired(worker_id=AWAY, name="studio", public_key=PUBLIC)
TABLES = (
    "event", "fact", "peer", "copy_job", "copy_task", "copy_question", "copy_line", "copy_worker",
    "copy_job_words",
)  # fmt: skip


def one_job(job_id: JobId, lines: int = 7) -> list[tuple[str, EventBody]]:
    """What is told of a job from its making to its end, and by whom."""
    names = {"job_id": job_id, "attempt": 1, "fence": 1}
    task = TaskId(f"task of {job_id}")
    return [
        ("hub", TaskCreated(task_id=task, person_id=PersonId("p"), text="train it")),
        ("hub", JobQueued(job_id=job_id, task_id=task, kind="k", title="churn", attempt=1)),
        ("hub", JobGranted(**names, worker_id=AWAY)),
        (AWAY, JobStarted(**names)),
        *((AWAY, JobLogged(**names, lines=("one", f"line {n}"))) for n in range(lines)),
        (AWAY, JobSucceeded(**names, result={"headline": "Done."}, running_seconds=1)),
    ]


class Log:
    """A hub's log as it is told, each device's numbers without gaps."""

    def __init__(self) -> None:
        self.told: list[Numbered] = []
        self._seqs: dict[tuple[str, int], int] = {}

    def add(
        self, device: str, body: EventBody, *, epoch: int = 1, key: Ed25519PrivateKey | None = None
    ) -> None:
        seq = self._seqs[device, epoch] = self._seqs.get((device, epoch), 0) + 1
        at = NOON + timedelta(seconds=len(self.told))
        event = write_event(body, device=device, epoch=epoch, seq=seq, at=at, hlc=len(self.told))
        self.again(signed(event, key.sign) if key else event)

    def again(self, event: Event) -> None:
        """Tell an event with the next number, be it once more."""
        number = len(self.told) + 1
        self.told.append(Numbered(hub_seq=number, hlc=number, event=event))


def a_store() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        migration(connection)
    pairing = Pairing(
        hub_url="http://h", worker_id=HERE, worker_name="pc", hub_name="h", person_name="p"
    )
    facts.save_pairing(connection, pairing)
    return connection


def hear(store: sqlite3.Connection, told: Sequence[Numbered]) -> None:
    hearing = Hearing(store, told)
    for one in told:
        hearing.hear(one)
    hearing.write()


def rows(store: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    told = {name: store.execute(f"select * from {name}").fetchall() for name in TABLES}
    words = "select rowid from copy_line_words where copy_line_words match 'one'"
    return {**told, "words": store.execute(words).fetchall()}


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(a_store()) as store:
        yield store


ENTRIES = st.one_of(
    st.tuples(st.just("hub"), hub_bodies()),
    st.tuples(st.sampled_from((AWAY, AWAY, OTHER)), own_bodies()),
    st.tuples(st.just("later"), own_bodies()),
    st.tuples(st.just("forged"), own_bodies()),
    st.tuples(st.just("here"), own_bodies()),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("job"), st.sampled_from(JOBS)),
    st.tuples(st.just("setting"), st.sampled_from(("de", "en"))),
)


@given(st.booleans(), st.lists(ENTRIES, max_size=25), st.lists(st.integers(1, 30), max_size=8))
@settings(max_examples=150, deadline=None)
def test_however_a_log_is_cut_the_copy_is_the_same(
    has_key: bool, entries: list[tuple[str, object]], cuts: list[int]
) -> None:
    log, key = Log(), KEY if has_key else None
    with contextlib.closing(a_store()) as single, contextlib.closing(a_store()) as whole:
        if has_key:
            log.add("hub", PAIRED)
        for who, what in entries:
            match who, what:
                case "again", int(number):
                    log.again(log.told[number].event) if number < len(log.told) else None
                case "job", str(job_id):
                    for device, body in one_job(JobId(job_id), lines=1):
                        log.add(device, body, key=key if device == AWAY else None)
                case "setting", str(value):
                    log.add(AWAY, SettingChanged(name="language", value=value), key=key)
                case "here", _:
                    # This machine writes something of its own first, the same in both stores.
                    own = [outbox.append(one, what, at=NOON) for one in (single, whole)]  # type: ignore[arg-type]
                    copies.wrote(single, own[0])
                    copies.wrote(whole, own[1])
                    log.again(own[0])
                case _:
                    device = AWAY if who in ("later", "forged") else who
                    by = EVIL if who == "forged" else key if device == AWAY else None
                    epoch = 2 if who == "later" else 1
                    log.add(device, what, epoch=epoch, key=by)  # type: ignore[arg-type]
        for told in log.told:
            copies.hear(single, told)
        at = 0
        for count in (*cuts, len(log.told)):
            hear(whole, log.told[at : at + count])
            at += count
        assert rows(whole) == rows(single)
        assert rebuilt.compare(whole) == []


def test_new_events_are_taken_in_without_looking_each_of_them_up(store: sqlite3.Connection) -> None:
    log = Log()
    log.add("hub", PAIRED)
    for number in range(20):
        for device, body in one_job(JobId(f"job {number}")):
            log.add(device, body, key=KEY if device == AWAY else None)
    asked: list[str] = []
    store.set_trace_callback(lambda sql: asked.append(sql) if sql[:6] == "select" else None)
    hear(store, log.told)
    store.set_trace_callback(None)
    assert len(asked) < len(log.told)
    assert store.execute("select count(*) from event where doubt = ''").fetchone() == (241,)


def test_a_key_that_is_told_within_a_stretch_counts_from_there_on(
    store: sqlite3.Connection,
) -> None:
    log = Log()
    log.add(AWAY, JobStarted(job_id=JOBS[0], attempt=1, fence=1), key=EVIL)
    log.add("hub", PAIRED)
    log.add(AWAY, JobStarted(job_id=JOBS[1], attempt=1, fence=1), key=KEY)
    log.add(AWAY, JobStarted(job_id=JOBS[2], attempt=1, fence=1), key=EVIL)
    log.add(AWAY, JobStarted(job_id=JOBS[2], attempt=2, fence=2))
    hear(store, log.told)
    doubts = store.execute("select doubt from event order by step_id").fetchall()
    assert [doubt for (doubt,) in doubts] == ["", "", "", "wrong", "missing"]
    assert [doubt.count for doubt in peers.doubts(store)] == [2]


def test_what_is_purged_within_a_stretch_leaves_nothing(store: sqlite3.Connection) -> None:
    log = Log()
    for device, body in (*one_job(JOBS[0]), *one_job(JOBS[1])):
        log.add(device, body)
    task = TaskId(f"task of {JOBS[0]}")
    log.add("hub", TaskPurged(task_id=task, job_ids=(JOBS[0],), by="anna"))
    log.add(AWAY, JobLogged(job_id=JOBS[1], attempt=1, fence=1, lines=("the last",)))
    hearing = Hearing(store, log.told)
    for one in log.told:
        hearing.hear(one)
        purging.obey(store, one.event)
    hearing.write()
    told = store.execute("select job_id, line_count from copy_job").fetchall()
    assert told == [(JOBS[1], 15)]
    assert store.execute("select count(*) from copy_line").fetchone() == (15,)
    assert rebuilt.compare(store) == []


def test_an_event_that_is_told_under_two_numbers_keeps_the_first(
    store: sqlite3.Connection,
) -> None:
    log = Log()
    log.add(AWAY, JobStarted(job_id=JOBS[0], attempt=1, fence=1))
    log.add("hub", JobQueued(job_id=JOBS[0], task_id=TaskId("t"), kind="k", title="a", attempt=2))
    log.again(log.told[0].event)
    hear(store, log.told)
    assert store.execute("select hub_seq from event order by step_id").fetchall() == [(1,), (2,)]
    assert rebuilt.compare(store) == []
