"""The copy as conversations: threads, their messages page by page, and what was not read yet."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest

from desktop.store import copy_tables, threads
from desktop.store.threads import Filter
from shared.errors import ErrorBody
from shared.events import (
    AnswerGiven,
    JobQueued,
    JobResumed,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    RetryAsked,
)
from shared.ids import JobId, QuestionId, TaskId
from shared.questions import Answer, Asking, Choice, QuestionKind
from tests.desktop.store.copied_world import (
    NOON,
    fail,
    happen,
    job_id,
    open_copy,
    queue,
    start,
)

WHICH = Asking(
    key="zone",
    kind=QuestionKind.CHOICE,
    text="Which one is right?",
    choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
)


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_copy()) as connection:
        threads.begin_reading(connection, NOON)
        yield connection


def ask(store: sqlite3.Connection, job: JobId, name: str = "q1") -> QuestionId:
    question_id = QuestionId(name)
    happen(
        store,
        QuestionAsked(job_id=job, attempt=1, fence=1, question_id=question_id, asking=WHICH),
        minutes=30,
    )
    return question_id


def finish(store: sqlite3.Connection, job: JobId, minutes: float = 40) -> None:
    happen(
        store,
        JobSucceeded(
            job_id=job, attempt=1, fence=1, result={"headline": "AUC 0.85"}, running_seconds=7
        ),
        minutes=minutes,
    )


def tasks(found: tuple[threads.Thread, ...]) -> list[str]:
    return [thread.task_id for thread in found]


def test_threads_come_newest_first_and_each_task_once(store: sqlite3.Connection) -> None:
    one, two = queue(store, 1), queue(store, 2)
    happen(
        store,
        JobQueued(job_id=job_id(3), task_id=TaskId(one), kind="ml.train", title="x", attempt=1),
        minutes=3,
    )
    assert tasks(threads.threads(store)) == [one, two]


def test_every_thread_comes_once_however_the_pages_are_cut(store: sqlite3.Connection) -> None:
    for number in range(1, 24):
        queue(store, number)
    # The same moment for several: the job's id decides.
    for number in range(50, 54):
        happen(
            store,
            JobQueued(
                job_id=job_id(number), task_id=TaskId(f"t{number}"), kind="k", title="t", attempt=1
            ),
            minutes=60,
        )
    found: list[str] = []
    after = None
    while page := threads.threads(store, after=after, limit=5):
        found += tasks(page)
        after = page[-1].job
    assert found == tasks(threads.threads(store, limit=100))
    assert len(set(found)) == len(found) == 27


def test_a_thread_is_found_by_words_and_by_what_it_waits_for(store: sqlite3.Connection) -> None:
    churn, sales = queue(store, 1, title="churn"), queue(store, 2, title="sales")
    start(store, churn)
    ask(store, churn)
    assert tasks(threads.threads(store, words="sal")) == [sales]
    assert tasks(threads.threads(store, words='") or 1')) == []
    assert tasks(threads.threads(store, wanted=Filter.ASKING)) == [churn]
    assert tasks(threads.threads(store, wanted=Filter.UNDER_WAY)) == [sales]


def test_what_was_told_since_is_unread_until_it_is_read(store: sqlite3.Connection) -> None:
    one, two = queue(store, 1), queue(store, 2)
    finish(store, one)
    fail(store, two)
    assert {str(t.task_id): t.unread for t in threads.threads(store)} == {one: 1, two: 1}
    assert threads.attention(store) == 2
    threads.read(store, TaskId(one), threads.talk(store, TaskId(one)).last_step)
    assert {str(t.task_id): t.unread for t in threads.threads(store)} == {one: 0, two: 1}
    assert threads.attention(store) == 1


def test_reading_further_up_makes_nothing_unread_again(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    finish(store, one)
    threads.read(store, TaskId(one), 1000)
    threads.read(store, TaskId(one), 1)
    assert threads.attention(store) == 0


def test_what_a_hub_tells_of_long_ago_is_no_news() -> None:
    with contextlib.closing(open_copy()) as store:
        finish(store, queue(store, 1))
        assert threads.attention(store) == 0
        threads.begin_reading(store, NOON + timedelta(minutes=41))
        threads.begin_reading(store, NOON)
        assert threads.attention(store) == 0
        assert threads.threads(store)[0].unread == 0


def test_an_open_question_counts_until_somebody_answers(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    start(store, one)
    question_id = ask(store, one)
    assert (threads.attention(store), threads.threads(store)[0].open_questions) == (1, 1)
    assert [row.question_id for row in threads.open_in(store, TaskId(one))] == [question_id]
    happen(store, AnswerGiven(question_id=question_id, job_id=one, value="utc"))
    assert (threads.attention(store), threads.threads(store)[0].open_questions) == (0, 0)
    assert threads.open_in(store, TaskId(one)) == ()


def test_messages_carry_the_question_they_are_about_as_it_stands_now(
    store: sqlite3.Connection,
) -> None:
    one = queue(store, 1)
    start(store, one)
    question_id = ask(store, one)
    happen(
        store,
        QuestionAnswered(
            question_id=question_id, job_id=one, answer=Answer(value="utc", by="anna on Telegram")
        ),
        JobResumed(job_id=one, attempt=1, fence=1, question_id=question_id),
    )
    talk = threads.talk(store, TaskId(one))
    assert [m.step.type for m in talk.messages] == [
        "job_queued", "job_started", "question_asked", "question_answered",
    ]  # fmt: skip
    asked = talk.messages[2].question
    assert asked is not None
    assert (asked.value, asked.answered_by) == ("utc", "anna on Telegram")
    assert (talk.text, talk.has_older, talk.has_newer) == ("please churn", False, False)


def test_a_long_thread_is_read_in_pages_without_gaps(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    for _ in range(99):
        happen(store, RetryAsked(job_id=one))
    newest = threads.talk(store, TaskId(one), limit=30)
    assert (newest.has_older, newest.has_newer) == (True, False)
    older = threads.talk(store, TaskId(one), before=newest.messages[0].step.step_id, limit=30)
    assert older.has_newer
    again = threads.talk(store, TaskId(one), after=older.messages[-1].step.step_id, limit=30)
    assert again.messages == newest.messages
    first = threads.talk(store, TaskId(one), after=0, limit=30)
    assert (first.has_older, first.messages[0].step.type) == (False, "job_queued")


def test_a_thread_is_found_by_its_task_its_job_and_its_question(
    store: sqlite3.Connection,
) -> None:
    job = job_id(7)
    happen(store, JobQueued(job_id=job, task_id=TaskId("task"), kind="k", title="t", attempt=1))
    question_id = ask(store, job)
    short = threads.threads(store)[0].job.short_id
    for item in ("task", job, question_id, f"#{short}"):
        assert threads.task_of(store, item) == "task"
    assert threads.task_of(store, "nothing") is None


def test_marks_outlive_a_log_that_is_told_again(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    finish(store, one)
    threads.read(store, TaskId(one), threads.talk(store, TaskId(one)).last_step)
    copy_tables.begin(store)
    assert threads.threads(store) == ()
    finish(store, queue(store, 1))
    assert threads.attention(store) == 0


def test_the_count_for_the_tray_uses_its_index(store: sqlite3.Connection) -> None:
    seen: list[str] = []
    store.set_trace_callback(seen.append)
    threads.attention(store)
    store.set_trace_callback(None)
    counted = next(sql for sql in seen if "from event" in sql)
    plan = [row[3] for row in store.execute(f"explain query plan {counted}")]
    assert any("event_told" in step for step in plan), plan


def test_a_refusal_is_told(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    fail(store, one, ErrorBody(code="x", message="No."))
    last = threads.threads(store)[0].last
    assert last is not None
    assert last.step.type == "job_failed"
