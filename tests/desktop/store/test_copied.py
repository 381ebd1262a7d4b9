"""What is read of the copy: jobs, their steps, their questions, the machines."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest

from desktop.store import copied, copied_lines
from shared.events import (
    AnswerGiven,
    JobQueued,
    JobStarted,
    JobSucceeded,
    QuestionAsked,
)
from shared.ids import QuestionId
from shared.jobs import JobState
from shared.questions import Asking, QuestionKind
from tests.desktop.store.copied_world import (
    GONE,
    fail,
    happen,
    job_id,
    log,
    open_copy,
    queue,
    start,
)


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with contextlib.closing(open_copy()) as connection:
        yield connection


def test_a_job_is_read_with_all_that_is_known_of_it(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    happen(
        store,
        JobStarted(job_id=one, attempt=1, fence=1),
        JobSucceeded(
            job_id=one, attempt=1, fence=1, result={"headline": "AUC 0.85"}, running_seconds=7.5
        ),
    )
    found = copied.job(store, one)
    assert found is not None
    assert (found.row.state, found.text, found.running_seconds) == (
        JobState.SUCCEEDED, "please churn", 7.5,
    )  # fmt: skip
    assert found.result == {"headline": "AUC 0.85"}
    assert copied.job(store, job_id(9)) is None


def test_a_row_names_its_machine_and_its_error(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    queue(store, 2)
    start(store, one)
    fail(store, one)
    newer, older = copied.newest(store, 10)
    assert (newer.machine, newer.error, newer.state) == ("", None, JobState.QUEUED)
    assert (older.machine, older.error, older.state) == ("anna-pc", GONE, JobState.FAILED)


def test_a_job_is_found_by_its_short_form(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    row = copied.newest(store, 1)[0]
    assert copied.job_named(store, f"#{row.short_id.lower()}") == one
    assert copied.job_named(store, one) == one
    assert copied.job_named(store, "nothing") is None


def test_the_timeline_is_typed_and_in_order(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    start(store, one)
    queued, started = copied.steps(store, one)
    assert (queued.machine, started.machine) == ("", "anna-pc")
    assert isinstance(queued.body, JobQueued)
    assert isinstance(started.body, JobStarted)


def test_a_question_stays_open_until_it_is_answered_here(store: sqlite3.Connection) -> None:
    one = queue(store, 1)
    asking = Asking(key="tz", kind=QuestionKind.CLARIFICATION, text="UTC?", allow_text=True)
    question_id = QuestionId("q1")
    happen(
        store,
        JobStarted(job_id=one, attempt=1, fence=1),
        QuestionAsked(job_id=one, attempt=1, fence=1, question_id=question_id, asking=asking),
    )
    assert [row.asking for row in copied.open_questions(store)] == [asking]
    happen(store, AnswerGiven(question_id=question_id, job_id=one, value="UTC"))
    assert copied.open_questions(store) == ()
    assert [row.given for row in copied.questions(store, one)] == ["UTC"]
    assert [row.job_id for row in copied.live(store)] == [one]


def test_lines_are_numbered_within_their_job_and_among_all(store: sqlite3.Connection) -> None:
    one, two = queue(store, 1), queue(store, 2)
    log(store, one, "a", "b")
    log(store, two, "c")
    log(store, one, "d")
    own = copied_lines.lines(store, one, after=1)
    assert [(line.number, line.line_id, line.text) for line in own] == [(2, 2, "b"), (3, 4, "d")]
    assert [line.text for line in copied_lines.tail(store, count=2)] == ["c", "d"]
    assert [line.text for line in copied_lines.tail(store, one, count=1)] == ["d"]
    assert (copied_lines.line_count(store), copied_lines.line_count(store, two)) == (4, 1)
