"""The copy of the hub's log: one picture, whatever the order in which lines bring the events."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.store import copied, copies, facts, known, rebuilt
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from shared.database import peek
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    EventBody,
    JobCancelled,
    JobCancelRequested,
    JobDied,
    JobFailed,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    RequestRefused,
    TaskCreated,
    TaskRequested,
    WorkerLost,
    WorkerPaired,
    WorkerRevoked,
    write_event,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import JobSpec, JobState
from shared.messages import Numbered
from shared.questions import Answer, Asking, QuestionKind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE, AWAY = WorkerId("here"), WorkerId("away")
JOB, TASK, QUESTION = JobId("job-1"), TaskId("task-1"), QuestionId("question-1")
ASKING = Asking(key="file", kind=QuestionKind.CLARIFICATION, text="Which file?", allow_text=True)
CREATED = TaskCreated(task_id=TASK, person_id=PersonId("anna"), text="train the churn table")
QUEUED = JobQueued(job_id=JOB, task_id=TASK, kind="ml.train", title="train churn", attempt=1)
GRANTED = JobGranted(job_id=JOB, attempt=1, fence=1, worker_id=HERE)
STARTED = JobStarted(job_id=JOB, attempt=1, fence=1)
ASKED = QuestionAsked(job_id=JOB, attempt=1, fence=1, question_id=QUESTION, asking=ASKING)
ANSWERED = QuestionAnswered(
    question_id=QUESTION, job_id=JOB, answer=Answer(value="a.csv", by="anna on Telegram")
)
DONE = JobSucceeded(
    job_id=JOB, attempt=1, fence=1, result={"headline": "Done."}, running_seconds=2.5
)
FAILURE = ErrorBody(code="odd", message="It is odd.", hint="Even it.")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "worker.sqlite3"
    with open_store(path) as database:
        pairing = Pairing(
            hub_url="http://127.0.0.1", worker_id=HERE, worker_name="anna-pc",
            hub_name="hub", person_name="Anna",
        )  # fmt: skip
        database.submit(lambda c: facts.save_pairing(c, pairing)).result()
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def take(store: sqlite3.Connection, *bodies: EventBody, device: str = "hub") -> None:
    """Let events come in: what this machine writes has no number, what the hub tells has one."""
    for body in bodies:
        (count,) = store.execute("select count(*) + 1 from event").fetchone()
        event = write_event(
            body, device=device, epoch=1, seq=count, at=NOON + timedelta(seconds=count)
        )
        if device == HERE:
            copies.show(store, event, known.add(store, event))
        else:
            copies.hear(store, Numbered(hub_seq=count, event=event))


def job(store: sqlite3.Connection, column: str) -> object:
    return store.execute(f"select {column} from copy_job where job_id = ?", (JOB,)).fetchone()[0]


def test_a_job_is_followed_from_the_wish_to_the_result(store: sqlite3.Connection) -> None:
    states = []
    for body in (CREATED, QUEUED, GRANTED, STARTED, ASKED, ANSWERED, DONE):
        take(store, body, device=HERE)
        if body is not CREATED:
            states.append(job(store, "state"))
    assert states == ["queued", "granted", "running", "asking", "asking", "succeeded"]
    assert (job(store, "title"), job(store, "worker_id")) == ("train churn", HERE)
    question = store.execute("select state, value, answered_by from copy_question").fetchone()
    assert question == ("answered", "a.csv", "anna on Telegram")
    steps = copied.steps(store, JOB)
    assert [step.type for step in steps] == [
        "job_queued", "job_granted", "job_started", "question_asked", "question_answered",
        "job_succeeded",
    ]  # fmt: skip


def test_what_the_hub_tells_late_never_takes_a_job_back(store: sqlite3.Connection) -> None:
    """A grant comes on a shorter way than the events that led to it."""
    take(store, STARTED, device=HERE)
    take(store, CREATED, QUEUED, GRANTED)
    assert job(store, "state") == JobState.RUNNING
    assert job(store, "title") == "train churn"


def test_a_part_that_began_before_it_was_known_as_one_is_found_by_its_maker_alone(
    tmp_path: Path,
) -> None:
    """Its worker is granted it on a shorter way than the hub's word that it is a part."""
    path = tmp_path / "worker.sqlite3"
    with open_store(path):
        pass
    described = JobSpec(job_id=JOB, task_id=TASK, kind="ml.train", title="train churn")
    part = QUEUED.model_copy(update={"part_of": JobId("maker")})
    with sqlite3.connect(path) as connection:
        take(connection, STARTED.model_copy(update={"job": described}), device=HERE)
        found = connection.execute("select words from copy_job_words").fetchall()
        assert found == [("train churn ml.train ",)]
        take(connection, CREATED, part)
        assert connection.execute("select words from copy_job_words").fetchall() == []
    with peek(path) as connection:
        assert rebuilt.compare(connection) == []


def test_every_order_of_one_attempts_events_ends_the_same(tmp_path: Path) -> None:
    hub_side, own_side = (CREATED, QUEUED, GRANTED), (STARTED, DONE)
    endings = set()
    for picks in itertools.combinations(range(5), 2):
        path = tmp_path / f"{picks}.sqlite3"
        with open_store(path):
            pass
        with sqlite3.connect(path) as connection:
            hub, own = iter(hub_side), iter(own_side)
            for place in range(5):
                is_own = place in picks
                take(connection, next(own if is_own else hub), device=HERE if is_own else "hub")
        with peek(path) as connection:
            assert rebuilt.compare(connection) == []
            endings.add(connection.execute("select state, title, attempt from copy_job").fetchone())
    assert endings == {("succeeded", "train churn", 1)}


def test_a_result_that_comes_after_the_end_changes_it_no_more(store: sqlite3.Connection) -> None:
    take(store, QUEUED, GRANTED, JobCancelled(job_id=JOB, attempt=1, fence=1))
    take(store, STARTED, DONE, device=AWAY)
    assert (job(store, "state"), job(store, "result")) == (JobState.CANCELLED, "")
    assert job(store, "worker_id") == HERE, "it was granted to that one"


LOST = JobQueued(
    job_id=JOB, task_id=TASK, kind="ml.train", title="train churn", attempt=2, reason="lost"
)


def test_a_holder_that_is_back_in_time_is_shown_to_go_on(store: sqlite3.Connection) -> None:
    take(store, QUEUED, GRANTED, STARTED, LOST)
    assert job(store, "state") == JobState.QUEUED
    take(store, GRANTED)
    assert (job(store, "state"), job(store, "attempt")) == (JobState.RUNNING, 1)
    take(store, DONE)
    assert job(store, "state") == JobState.SUCCEEDED


def test_a_result_of_an_attempt_that_was_given_up_is_not_shown_as_the_jobs(
    store: sqlite3.Connection,
) -> None:
    take(store, QUEUED, GRANTED, STARTED, LOST)
    take(store, DONE, device=HERE)
    assert (job(store, "state"), job(store, "result")) == (JobState.QUEUED, "")


def test_what_an_attempt_tells_that_was_left_behind_asks_nobody_and_ends_no_question(
    store: sqlite3.Connection,
) -> None:
    second = {"attempt": 2, "fence": 2}
    question = QuestionId("question-2")
    take(store, QUEUED, GRANTED, GRANTED.model_copy(update={**second, "worker_id": AWAY}))
    take(store, STARTED.model_copy(update=second), device=AWAY)
    take(store, ASKED.model_copy(update={**second, "question_id": question}), device=AWAY)
    late = JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE)
    take(store, STARTED, ASKED, late, device=AWAY)
    [row] = copied.open_questions(store)
    assert row.question_id == question


def test_what_a_lost_attempt_has_asked_waits_for_nobody(store: sqlite3.Connection) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, ASKED, device=AWAY)
    assert len(copied.open_questions(store)) == 1
    take(store, QUEUED.model_copy(update={"attempt": 2, "reason": "lost"}))
    assert not copied.open_questions(store)


def test_a_job_that_its_worker_lost_is_shown_as_interrupted(store: sqlite3.Connection) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, device=AWAY)
    take(store, ASKED)
    assert (job(store, "state"), job(store, "worker_id")) == (JobState.INTERRUPTED, AWAY)
    assert len(copied.open_questions(store)) == 1


def test_a_result_of_this_machine_gives_way_to_the_end_that_the_hub_had_first(
    store: sqlite3.Connection,
) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, DONE, device=HERE)
    assert job(store, "state") == JobState.SUCCEEDED
    take(store, JobCancelled(job_id=JOB, attempt=1, fence=1))
    assert (job(store, "state"), job(store, "result")) == (JobState.CANCELLED, "")


def test_the_hub_may_end_otherwise_what_its_worker_said_had_failed(
    store: sqlite3.Connection,
) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE), device=AWAY)
    take(store, JobCancelled(job_id=JOB, attempt=1, fence=1))
    assert (job(store, "state"), job(store, "worker_id")) == (JobState.CANCELLED, AWAY)


def test_a_failure_is_tried_again_and_then_dead(store: sqlite3.Connection) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE), device=AWAY)
    assert job(store, "state") == JobState.FAILED
    again = QUEUED.model_copy(
        update={"attempt": 2, "reason": "retry", "not_before": NOON + timedelta(minutes=1)}
    )
    take(store, again)
    assert (job(store, "state"), job(store, "attempt")) == (JobState.QUEUED, 2)
    assert job(store, "not_before_ms") is not None
    take(store, JobDied(job_id=JOB, error=FAILURE))
    assert job(store, "state") == JobState.DEAD
    assert "It is odd." in str(job(store, "error"))


def test_the_end_of_a_job_closes_its_questions(store: sqlite3.Connection) -> None:
    take(store, STARTED, ASKED, device=AWAY)
    take(store, DONE, device=AWAY)
    assert store.execute("select state from copy_question").fetchone() == ("closed",)


def test_an_answer_given_here_waits_until_the_hub_counts_one(store: sqlite3.Connection) -> None:
    take(store, STARTED, ASKED, device=AWAY)
    take(store, AnswerGiven(question_id=QUESTION, job_id=JOB, value="b.csv"), device=HERE)
    row = "select given, value, state from copy_question"
    assert store.execute(row).fetchone() == ("b.csv", "", "open")
    take(store, ANSWERED)
    assert store.execute(row).fetchone() == ("", "a.csv", "answered")


def test_what_was_asked_for_here_is_there_at_once_and_its_refusal_is_told(
    store: sqlite3.Connection,
) -> None:
    wish = TaskRequested(task_id=TASK, job_id=JOB, kind="ml.train", text="train it", inputs={})
    take(store, wish, device=HERE)
    assert (job(store, "state"), job(store, "is_ours")) == (JobState.QUEUED, 1)
    assert store.execute("select text, is_ours from copy_task").fetchone() == ("train it", 1)
    take(store, RequestRefused(job_id=JOB, request="task_requested", error=FAILURE, by=HERE))
    assert job(store, "state") == JobState.FAILED
    assert "It is odd." in str(job(store, "error"))


def test_a_stop_that_was_refused_is_no_stop(store: sqlite3.Connection) -> None:
    take(store, STARTED, JobCancelRequested(job_id=JOB, by="anna"), device=AWAY)
    assert job(store, "cancel_by") == "anna"
    take(store, RequestRefused(job_id=JOB, request="cancel_asked", error=FAILURE, by=HERE))
    assert job(store, "cancel_by") == ""


def test_log_lines_are_found_by_their_words(store: sqlite3.Connection) -> None:
    lines = ("reading Überblick.csv", "3 of 5 models")
    take(store, JobLogged(job_id=JOB, attempt=1, fence=1, lines=lines), device=AWAY)
    found = store.execute(
        "select copy_line.text from copy_line join copy_line_words as found"
        " on found.rowid = line_id where copy_line_words match 'uberblick'"
    ).fetchall()
    assert found == [(lines[0],)]


def test_machines_are_known_by_their_latest_word(store: sqlite3.Connection) -> None:
    take(store, WorkerPaired(worker_id=AWAY, name="studio-mac"))
    take(store, WorkerLost(worker_id=AWAY, name="studio-mac", since=NOON))
    read = "select name, state from copy_worker where worker_id = ?"
    assert store.execute(read, (AWAY,)).fetchone() == ("studio-mac", "lost")
    take(store, WorkerRevoked(worker_id=AWAY, name="studio-mac", by="anna"))
    assert store.execute(read, (AWAY,)).fetchone() == ("studio-mac", "revoked")
    assert store.execute(read, (HERE,)).fetchone() == ("anna-pc", "known")


def test_another_hub_starts_with_an_empty_copy(store: sqlite3.Connection) -> None:
    take(store, CREATED, QUEUED, STARTED, ASKED)
    take(store, JobLogged(job_id=JOB, attempt=1, fence=1, lines=("secret",)))
    other = Pairing(
        hub_url="http://127.0.0.2", worker_id=AWAY, worker_name="pc", hub_name="h", person_name="B"
    )
    facts.save_pairing(store, other)
    for table in ("event", "copy_task", "copy_job", "copy_question", "copy_line"):
        assert store.execute(f"select count(*) from {table}").fetchone() == (0,)
    found = store.execute("select count(*) from copy_line_words where text match 'secret'")
    assert found.fetchone() == (0,)


def test_a_body_that_does_not_fit_its_type_changes_nothing(store: sqlite3.Connection) -> None:
    event = write_event(QUEUED, device="hub", epoch=1, seq=1, at=NOON)
    odd = event.model_copy(update={"body": {"job_id": 7}})
    assert copies.hear(store, Numbered(hub_seq=1, event=odd)) == frozenset()
    newer = event.model_copy(update={"type": "tea_brewed", "seq": 2})
    assert copies.hear(store, Numbered(hub_seq=2, event=newer)) == frozenset()
    assert known.update_needed(store) == known.UpdateNeeded(1, "tea_brewed")


KEPT = TaskRequested(
    task_id=TASK, job_id=JOB, kind="ml.train", title="train churn", worker_id=HERE, is_kept=True
)


def test_a_job_made_without_a_hub_is_told_when_the_hub_speaks_of_it(
    store: sqlite3.Connection,
) -> None:
    take(store, KEPT, STARTED, DONE, device=HERE)
    row = copied.job_row(store.execute(f"{copied.JOBS}").fetchone())
    assert (row.is_kept, row.is_told, row.state) == (True, False, JobState.SUCCEEDED)
    take(store, CREATED, QUEUED, GRANTED)
    row = copied.job_row(store.execute(f"{copied.JOBS}").fetchone())
    assert (row.is_told, row.state, row.headline) == (True, JobState.SUCCEEDED, "Done.")


def test_a_job_tried_again_without_a_hub_names_the_one_in_its_place(
    store: sqlite3.Connection,
) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, JobFailed(job_id=JOB, attempt=1, fence=1, error=FAILURE), device=HERE)
    again = KEPT.model_copy(update={"job_id": JobId("job-2"), "replaces": JOB})
    take(store, again, device=HERE)
    assert job(store, "replaced_by") == "job-2"
    assert job(store, "state") == JobState.FAILED


def test_an_answer_that_came_second_gives_way_to_the_one_that_counts(
    store: sqlite3.Connection,
) -> None:
    take(store, QUEUED, GRANTED)
    take(store, STARTED, ASKED, device=AWAY)
    take(store, AnswerGiven(question_id=QUESTION, job_id=JOB, value="b.csv"), device=HERE)
    late = AnswerSuperseded(
        question_id=QUESTION, job_id=JOB, value="b.csv", by="anna on anna-pc",
        counted=ANSWERED.answer,
    )  # fmt: skip
    take(store, late)
    row = copied.question(store, QUESTION)
    assert row is not None
    assert (row.state, row.value, row.answered_by) == ("answered", "a.csv", "anna on Telegram")
    assert (row.given, row.second, row.second_by) == ("", "b.csv", "anna on anna-pc")


def test_an_answer_that_was_used_here_is_known_as_used(store: sqlite3.Connection) -> None:
    take(store, KEPT, STARTED, ASKED, device=HERE)
    used = AnswerGiven(question_id=QUESTION, job_id=JOB, value="b.csv", is_used=True)
    take(store, used, device=HERE)
    row = copied.question(store, QUESTION)
    assert row is not None
    assert (row.given, row.is_used, row.is_open) == ("b.csv", True, False)
