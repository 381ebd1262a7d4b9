"""A hub can withhold what the machines say; it cannot say it for them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from desktop.store import copies, facts, outbox, peers, rebuilt
from desktop.store.database import MIGRATIONS
from desktop.store.facts import Pairing
from shared.events import (
    AnswerGiven,
    Event,
    EventBody,
    JobLogged,
    JobStarted,
    JobSucceeded,
    SettingChanged,
    TaskRequested,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.messages import Numbered
from shared.pairing import b64
from shared.signatures import signed

HERE = WorkerId("01900000-0000-7000-8000-00000000aaaa")
MAC = WorkerId("01900000-0000-7000-8000-00000000bbbb")
PULLER = WorkerId("01900000-0000-7000-8000-00000000cccc")
JOB = JobId("01900000-0000-7000-8000-000000000001")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ITS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
EVIL = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAMES = {"job_id": JOB, "attempt": 1, "fence": 1}
STARTED = JobStarted(**NAMES)
DONE = JobSucceeded(**NAMES, result={"headline": "Done."}, running_seconds=1)
HOSTILE: tuple[EventBody, ...] = (
    STARTED,
    JobLogged(**NAMES, lines=("rm -rf",)),
    TaskRequested(task_id=TaskId("t"), job_id=JOB, kind="ml.train"),
    AnswerGiven(question_id=QuestionId("q"), job_id=JOB, value="yes"),
    SettingChanged(name="language", value="xx"),
)


def public(key: Ed25519PrivateKey) -> str:
    return b64(key.public_key().public_bytes_raw())


class Evil:
    """A store, and a hub that tells it whatever it likes."""

    def __init__(self) -> None:
        self.store = sqlite3.connect(":memory:", isolation_level=None)
        for migration in MIGRATIONS:
            migration(self.store)
        facts.put(self.store, "public_key", public(MINE))
        facts.save_pairing(
            self.store,
            Pairing(hub_url="http://h", worker_id=HERE, worker_name="anna-pc", hub_name="h",
                    person_name="anna"),
        )  # fmt: skip
        self.count = 0
        self.says(WorkerPaired(worker_id=MAC, name="studio-mac", public_key=public(ITS)))

    def tell(self, event: Event) -> None:
        self.count += 1
        copies.hear(self.store, Numbered(hub_seq=self.count, event=event))

    def says(self, body: EventBody) -> None:
        """Tell something of the hub's own."""
        self.tell(write_event(body, device="hub", epoch=1, seq=self.count + 1, at=NOON))

    @property
    def state(self) -> str | None:
        row = self.store.execute("select state from copy_job where job_id = ?", (JOB,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def doubts(self) -> list[tuple[str, int, bool]]:
        return [(d.name, d.count, d.other_key) for d in peers.doubts(self.store)]


def of_mac(body: EventBody, seq: int = 1) -> Event:
    return signed(write_event(body, device=MAC, epoch=1, seq=seq, at=NOON, hlc=5), ITS.sign)


@pytest.fixture
def evil() -> Evil:
    return Evil()


def test_what_a_machine_signed_is_shown(evil: Evil) -> None:
    evil.tell(of_mac(STARTED))
    assert (evil.state, evil.doubts) == ("running", [])


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 3},
        {"epoch": 2},
        {"type": "job_resumed"},
        {"entity": "other"},
        {"hlc": 9},
        {"body": {**DONE.model_dump(mode="json"), "fence": 2}},
        {"signature": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_event_moved_or_changed_is_kept_counted_and_not_shown(
    evil: Evil, change: dict[str, object]
) -> None:
    evil.tell(of_mac(STARTED))
    evil.tell(of_mac(DONE, 2).model_copy(update=change))
    assert evil.state == "running"
    assert evil.doubts == [("studio-mac", 1, False)]
    assert rebuilt.compare(evil.store) == []


def test_one_machines_event_told_as_anothers_is_not_believed(evil: Evil) -> None:
    evil.tell(of_mac(STARTED).model_copy(update={"device": HERE, "epoch": 7}))
    assert evil.state is None


def test_an_event_told_twice_counts_once(evil: Evil) -> None:
    line = of_mac(JobLogged(**NAMES, lines=("one",)))
    evil.tell(line)
    evil.tell(line)
    assert evil.store.execute("select count(*) from copy_line").fetchone() == (1,)


def test_what_the_machine_said_takes_the_place_of_what_was_put_into_its_mouth(evil: Evil) -> None:
    evil.tell(signed(of_mac(DONE), EVIL.sign))
    before = evil.state
    evil.tell(of_mac(STARTED))
    assert before is None
    assert (evil.state, evil.doubts) == ("running", [])


def test_another_key_for_a_known_machine_is_not_believed_and_shown(evil: Evil) -> None:
    evil.says(WorkerPaired(worker_id=MAC, name="studio-mac", public_key=public(EVIL)))
    evil.tell(signed(of_mac(STARTED), EVIL.sign))
    assert evil.state is None
    assert evil.doubts == [("studio-mac", 1, True)]


def test_nobody_speaks_for_this_machine_but_itself(evil: Evil) -> None:
    outbox.append(evil.store, SettingChanged(name="language", value="de"), at=NOON, sign=MINE.sign)
    before = outbox.last_seq(evil.store, facts.epoch(evil.store))
    for seq, key in ((before + 1, EVIL), (1000, ITS)):
        forged = write_event(
            STARTED, device=HERE, epoch=facts.epoch(evil.store), seq=seq, at=NOON, hlc=9
        )
        evil.tell(signed(forged, key.sign))
    assert evil.state is None
    assert outbox.last_seq(evil.store, facts.epoch(evil.store)) == before, "its numbers go on"
    event = outbox.append(evil.store, STARTED, at=NOON, sign=MINE.sign)
    assert event.seq == before + 1


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body.type)
def test_the_hub_itself_does_not_say_what_only_machines_say(evil: Evil, body: EventBody) -> None:
    evil.says(body)
    assert evil.state is None
    assert facts.get(evil.store, "language") == ""
    assert evil.doubts == [("the hub", 1, False)]


def test_a_setting_is_none_of_the_machines_own_facts(evil: Evil) -> None:
    evil.tell(of_mac(SettingChanged(name="hub_url", value="http://evil")))
    assert facts.get(evil.store, "hub_url") == "http://h"


def test_a_sealed_event_is_kept_counted_and_not_shown(evil: Evil) -> None:
    sealed = write_event(STARTED, device=MAC, epoch=1, seq=1, at=NOON).model_copy(
        update={"sealed_with": "key-1", "body": {"sealed": "…"}}
    )
    evil.tell(signed(sealed, ITS.sign))
    assert (evil.state, evil.doubts, peers.sealed_count(evil.store)) == (None, [], 1)


def of_puller(body: EventBody, seq: int = 1) -> Event:
    """As the hub writes it down for a worker that fetches its work."""
    return write_event(body, device=PULLER, epoch=1, seq=seq, at=NOON)


def test_what_the_hub_writes_for_a_worker_that_fetches_its_work_is_shown(evil: Evil) -> None:
    evil.says(WorkerPaired(worker_id=PULLER, name="gpu-box", pulls=True))
    evil.tell(of_puller(STARTED))
    evil.tell(of_puller(DONE, seq=2))
    assert (evil.state, evil.doubts) == ("succeeded", [])


@pytest.mark.parametrize("body", HOSTILE[2:], ids=lambda body: body.type)
def test_such_a_worker_asks_for_nothing_in_a_persons_name(evil: Evil, body: EventBody) -> None:
    evil.says(WorkerPaired(worker_id=PULLER, name="gpu-box", pulls=True))
    evil.tell(of_puller(body))
    assert evil.doubts == [("gpu-box", 1, False)]


def test_a_machine_with_a_key_does_not_become_one_that_needs_none(evil: Evil) -> None:
    evil.says(WorkerPaired(worker_id=MAC, name="studio-mac", pulls=True))
    evil.tell(of_mac(STARTED))
    evil.tell(write_event(DONE, device=MAC, epoch=1, seq=2, at=NOON, hlc=5))
    assert (evil.state, evil.doubts) == ("running", [("studio-mac", 1, True)])


def test_this_machine_does_not_believe_that_it_has_no_key(evil: Evil) -> None:
    evil.says(WorkerPaired(worker_id=HERE, name="anna-pc", pulls=True))
    asked = TaskRequested(task_id=TaskId("t"), job_id=JOB, kind="ml.train")
    evil.tell(signed(write_event(asked, device=HERE, epoch=1, seq=1, at=NOON, hlc=5), MINE.sign))
    assert evil.doubts == []
    evil.tell(write_event(STARTED, device=HERE, epoch=1, seq=2, at=NOON, hlc=5))
    assert [count for _, count, _ in evil.doubts] == [1]


def test_a_worker_without_a_key_is_not_given_one_later(evil: Evil) -> None:
    evil.says(WorkerPaired(worker_id=PULLER, name="gpu-box", pulls=True))
    evil.says(WorkerPaired(worker_id=PULLER, name="gpu-box", public_key=public(EVIL)))
    evil.tell(of_puller(STARTED))
    assert (evil.state, evil.doubts) == ("running", [("gpu-box", 0, True)])
