"""The copy that grew event by event equals the one made anew, whatever came when."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.store import copied, copied_lines, copies, facts, known, outbox, rebuilt
from desktop.store.database import MIGRATIONS
from desktop.store.facts import Pairing
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    CancelAsked,
    Event,
    EventBody,
    JobCancelRequested,
    JobFailed,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    OwnEventBody,
    QuestionAnswered,
    QuestionAsked,
    RequestRefused,
    TaskCreated,
    TaskRequested,
    WorkerBack,
    WorkerPaired,
    write_event,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.messages import Numbered
from shared.questions import Answer, Asking, QuestionKind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE, AWAY = WorkerId("here"), WorkerId("away")
JOBS = tuple(JobId(f"job-{n}") for n in range(3))
ASKING = Asking(key="file", kind=QuestionKind.CLARIFICATION, text="Which file?", allow_text=True)
ERROR = ErrorBody(code="odd", message="It is odd.")


def test_a_log_that_is_told_again_changes_nothing(store: World) -> None:
    store.writes(wish(JOBS[0]))
    store.writes(JobStarted(job_id=JOBS[0], attempt=1, fence=1))
    store.tell_all()
    store.hub_writes(JobQueued(job_id=JOBS[0], task_id=TaskId("t"), kind="k", title="x", attempt=1))
    store.tell_all()
    before = store.rows()
    store.told = 0
    store.tell_all()
    assert store.rows() == before


def test_what_comes_out_of_its_turn_is_counted_in_its_turn(store: World) -> None:
    """Its own start stands last until the hub has numbered it, whatever the hub tells meanwhile."""
    store.hub_writes(
        TaskCreated(task_id=TaskId("t"), person_id=PersonId("p"), text="x"),
        JobQueued(job_id=JOBS[0], task_id=TaskId("t"), kind="k", title="x", attempt=1),
        JobGranted(job_id=JOBS[0], attempt=1, fence=1, worker_id=HERE),
    )
    store.writes(JobStarted(job_id=JOBS[0], attempt=1, fence=1), is_pushed=False)
    assert store.state(JOBS[0]) == "running"
    store.tell_all()
    assert store.state(JOBS[0]) == "running"


def test_a_full_resync_brings_everything_back(store: World) -> None:
    store.writes(wish(JOBS[0]))
    store.writes(JobStarted(job_id=JOBS[0], attempt=1, fence=1))
    store.writes(JobLogged(job_id=JOBS[0], attempt=1, fence=1, lines=("one", "two")))
    store.hub_writes(JobCancelRequested(job_id=JOBS[0], by="anna"))
    store.tell_all()
    store.writes(wish(JOBS[1]), is_pushed=False)
    before = store.rows()
    store.begin_anew()
    assert store.state(JOBS[0]) is None, "the hub has it, and has not told it yet"
    assert store.state(JOBS[1]) == "queued", "the hub has not got it"
    store.tell_all()
    assert sorted(row[1:] for row in store.rows()) == sorted(row[1:] for row in before)


def test_what_the_hub_forgot_is_shown_as_lost_and_what_was_written_here_is_not(
    store: World,
) -> None:
    store.writes(wish(JOBS[0]))
    store.tell_all()
    store.hub_writes(JobQueued(job_id=JOBS[1], task_id=TaskId("t"), kind="k", title="x", attempt=1))
    store.writes(CancelAsked(job_id=JOBS[0]))
    store.tell_all()
    rebuilt.fork(store.connection, 1)
    assert store.state(JOBS[0]) == "queued", "this machine tells the hub of it again"
    assert store.state(JOBS[1]) == "interrupted", "nobody will tell the hub of it"
    job = copied.job(store.connection, JOBS[1])
    assert job is not None
    assert job.row.title == "x"
    assert job.row.error == copies.LOST
    assert [step.type for step in copied.steps(store.connection, JOBS[1])] == ["job_queued"]
    events = outbox.read(store.connection, start=1, count_max=9)
    assert [event.type for event in events] == ["task_requested", "cancel_asked"]
    assert rebuilt.compare(store.connection) == []


def test_what_was_numbered_anew_and_told_by_its_first_number_is_not_doubled(store: World) -> None:
    """The hub passes over what it has: it tells what a copied store wrote by the first number."""
    lines = JobLogged(job_id=JOBS[0], attempt=1, fence=1, lines=("one",))
    store.writes(wish(JOBS[0]))
    store.writes(lines)
    outbox.take_back_acks(store.connection, 0)
    outbox.start_epoch(store.connection)
    store.tell_all()
    assert copied_lines.line_count(store.connection, JOBS[0]) == 1
    again = outbox.read(store.connection, start=1, count_max=9)
    assert [event.seq for event in again] == [1, 2], "its log has no gap"
    assert rebuilt.compare(store.connection) == []


def test_a_newer_program_shows_what_an_older_one_kept(store: World) -> None:
    """Events that it could not read stand in the table, and count from then on."""
    store.hub_writes(JobQueued(job_id=JOBS[0], task_id=TaskId("t"), kind="k", title="x", attempt=1))
    store.tell_all()
    # As if the program that kept it had not known its type.
    store.connection.execute("update event set job_id = '', is_newer = 1")
    store.connection.execute("delete from copy_job")
    facts.put(store.connection, "copy_version", "of an older program")
    assert known.update_needed(store.connection) == known.UpdateNeeded(1, "job_queued")
    rebuilt.bring_up_to_date(store.connection)
    assert known.update_needed(store.connection).count == 0
    assert store.state(JOBS[0]) == "queued"


def test_a_copy_that_was_tampered_with_is_told(store: World) -> None:
    store.writes(wish(JOBS[0]))
    assert rebuilt.compare(store.connection) == []
    store.connection.execute("update copy_job set title = 'other'")
    [extra, missing] = rebuilt.compare(store.connection)
    assert extra.startswith("copy_job has")
    assert missing.startswith("copy_job lacks")
    assert store.connection.execute("select title from copy_job").fetchone() == ("other",)


def test_an_event_comes_back_with_its_digest(store: World) -> None:
    event = write_event(wish(JOBS[0]), device=AWAY, epoch=1, seq=1, at=NOON, hlc=77)
    signed = event.model_copy(update={"signature": "c2lnbmVk", "sealed_with": "key"})
    known.add(store.connection, signed, hub_seq=1)
    [found] = known.own(store.connection, AWAY, 1, 1, 9)
    assert found == signed
    assert found.digest == signed.digest


def wish(job_id: JobId, replaces: JobId | None = None) -> TaskRequested:
    return TaskRequested(
        task_id=TaskId(f"task-{job_id}"), job_id=job_id, kind="ml.train", title="train",
        replaces=replaces,
    )  # fmt: skip


QUESTIONS = tuple(QuestionId(f"{job_id}/{number}") for job_id in JOBS for number in "12")


def asked_by(question_id: QuestionId) -> JobId:
    """No question is asked by two jobs: its id is made when it is asked."""
    return JobId(question_id.partition("/")[0])


def own_bodies() -> st.SearchStrategy[OwnEventBody]:
    job, attempt = st.sampled_from(JOBS), st.integers(1, 3)
    question = st.sampled_from(QUESTIONS)
    return st.one_of(
        st.builds(wish, job, st.none() | job),
        st.builds(JobStarted, job_id=job, attempt=attempt, fence=attempt),
        st.builds(
            JobLogged, job_id=job, attempt=attempt, fence=attempt, lines=st.just(("one", "two"))
        ),
        question.flatmap(
            lambda asked: st.builds(
                QuestionAsked, job_id=st.just(asked_by(asked)), attempt=attempt, fence=attempt,
                question_id=st.just(asked), asking=st.just(ASKING),
            )
        ),
        st.builds(AnswerGiven, question_id=question, job_id=job, value=st.just("b.csv")),
        st.builds(CancelAsked, job_id=job),
        st.builds(JobFailed, job_id=job, attempt=attempt, fence=attempt, error=st.just(ERROR)),
        st.builds(
            JobSucceeded, job_id=job, attempt=attempt, fence=attempt,
            result=st.just({"headline": "Done."}), running_seconds=st.just(1.0),
        ),
    )  # fmt: skip


def hub_bodies() -> st.SearchStrategy[EventBody]:
    job, number = st.sampled_from(JOBS), st.integers(1, 3)
    worker = st.sampled_from((HERE, AWAY))
    return st.one_of(
        st.builds(
            TaskCreated, task_id=st.builds(TaskId, job.map("task-{}".format)),
            person_id=st.just(PersonId("p")), text=st.just("train it"),
        ),
        st.builds(
            JobQueued, job_id=job, task_id=st.just(TaskId("task-1")), kind=st.just("ml.train"),
            title=st.sampled_from(("one", "two")), attempt=number,
            reason=st.sampled_from(("new", "retry", "answered")),
        ),
        st.builds(JobGranted, job_id=job, attempt=number, fence=number, worker_id=worker),
        st.builds(
            QuestionAnswered, question_id=st.sampled_from(QUESTIONS),
            job_id=job, answer=st.just(Answer(value="a.csv", by="anna")),
        ),
        st.builds(
            RequestRefused, job_id=job, request=st.sampled_from(("cancel_asked", "answer_given")),
            error=st.just(ERROR), by=st.just(HERE),
        ),
        st.builds(WorkerPaired, worker_id=worker, name=st.sampled_from(("pc", "studio"))),
        st.builds(
            WorkerBack, worker_id=worker, name=st.just("attic"), since=st.just(NOON),
            until=st.just(NOON),
        ),
    )  # fmt: skip


STEPS = st.one_of(
    st.tuples(st.just("here"), own_bodies()),
    st.tuples(st.just("away"), own_bodies()),
    st.tuples(st.just("hub"), hub_bodies()),
    st.tuples(st.just("push"), st.integers(1, 4)),
    st.tuples(st.just("tell"), st.integers(1, 4)),
    st.tuples(st.just("anew"), st.none()),
    st.tuples(st.just("fork"), st.integers(0, 3)),
)


@given(st.lists(STEPS, max_size=40))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_when_the_copy_equals_the_one_made_anew(
    steps: list[tuple[str, object]],
) -> None:
    with contextlib.closing(World()) as world:
        for step, value in steps:
            world.take(step, value)
        assert rebuilt.compare(world.connection) == []


# Who has heard what a restored hub has forgotten goes on showing it, and knows more than others.
@given(st.lists(STEPS.filter(lambda step: step[0] != "fork"), max_size=30))
@settings(max_examples=100, deadline=None)
def test_two_machines_that_know_the_same_show_the_same(steps: list[tuple[str, object]]) -> None:
    with contextlib.closing(World()) as here, contextlib.closing(World(AWAY)) as away:
        for step, value in steps:
            here.take(step, value)
        here.push(len(here.waiting))
        here.tell_all()
        for number, event in enumerate(here.log, start=1):
            copies.hear(away.connection, Numbered(hub_seq=number, event=event))
        shown = (
            "select job_id, state, attempt, fence, title, cancel_by, result, error, worker_id,"
            " created_ms, updated_ms, started_ms, ended_ms, replaces, replaced_by from copy_job"
            # A job that only lines of a log tell of is as old as the first line that came.
            " where exists (select 1 from event where event.job_id = copy_job.job_id"
            # Only who heard it knows what the hub has forgotten.
            " and type != 'job_logged') and job_id not in"
            " (select job_id from event where is_lost = 1) order by job_id",
            "select question_id, job_id, state, value, given, answered_by from copy_question"
            " where job_id not in (select job_id from event where is_lost = 1)"
            " order by question_id",
        )
        for sql in shown:
            mine = here.connection.execute(sql).fetchall()
            assert mine == away.connection.execute(sql).fetchall()


@pytest.fixture
def store() -> Iterator[World]:
    with contextlib.closing(World()) as world:
        yield world


class World:
    """One store, the log of a hub beside it, and how far that was told."""

    def __init__(self, here: WorkerId = HERE) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for migration in MIGRATIONS:
            migration(self.connection)
        pairing = Pairing(
            hub_url="http://127.0.0.1", worker_id=here, worker_name="pc", hub_name="h",
            person_name="p",
        )  # fmt: skip
        facts.save_pairing(self.connection, pairing)
        self.log: list[Event] = []
        self.told = 0
        self.waiting: list[Event] = []
        self._count = 0

    def close(self) -> None:
        self.connection.close()

    def take(self, step: str, value: object) -> None:
        match step:
            case "here":
                self.writes(value, is_pushed=False)  # type: ignore[arg-type]
            case "away":
                self._log(value, AWAY)  # type: ignore[arg-type]
            case "hub":
                self._log(value, "hub")  # type: ignore[arg-type]
            case "push":
                self.push(value)  # type: ignore[arg-type]
            case "tell":
                self.tell_all(value)  # type: ignore[arg-type]
            case "anew":
                self.begin_anew()
            case "fork":
                self._fork(value)  # type: ignore[arg-type]
            case _:
                raise AssertionError(step)

    def writes(self, body: OwnEventBody, *, is_pushed: bool = True) -> None:
        event = outbox.append(self.connection, body, at=self._now())
        copies.wrote(self.connection, event)
        self.waiting.append(event)
        if is_pushed:
            self.push(len(self.waiting))

    def hub_writes(self, *bodies: EventBody) -> None:
        for body in bodies:
            self._log(body, "hub")

    def push(self, count: int) -> None:
        """Bring what waits to the hub."""
        for event in self.waiting[:count]:
            self.log.append(event)
            outbox.acknowledge(self.connection, event.seq)
        del self.waiting[:count]

    def tell_all(self, count: int = 1000) -> None:
        for event in self.log[self.told : self.told + count]:
            self.told += 1
            copies.hear(self.connection, Numbered(hub_seq=self.told, event=event))

    def begin_anew(self) -> None:
        rebuilt.begin_anew(self.connection)
        self.told = 0

    def state(self, job_id: JobId) -> str | None:
        row = self.connection.execute(
            "select state from copy_job where job_id = ?", (job_id,)
        ).fetchone()
        return None if row is None else str(row[0])

    def rows(self) -> list[tuple[object, ...]]:
        return self.connection.execute("select * from copy_job order by number").fetchall()

    def _fork(self, lost: int) -> None:
        """The hub comes back from a backup that lacks its last events."""
        gone = self.log[len(self.log) - lost :] if lost else []
        del self.log[len(self.log) - len(gone) :]
        if self.told > len(self.log):
            rebuilt.fork(self.connection, len(self.log))
            self.told = len(self.log)
        self.waiting = [event for event in gone if event.device == HERE] + self.waiting
        # The other machine is there and brings its part at once; what the hub said is lost.
        self.log += [event for event in gone if event.device == AWAY]

    def _log(self, body: EventBody, device: str) -> None:
        self._count += 1
        event = write_event(body, device=device, epoch=1, seq=self._count, at=self._now())
        self.log.append(event)

    def _now(self) -> datetime:
        self._count += 1
        return NOON + timedelta(seconds=self._count)
