"""A job's way, read from its events: each step with its time, tries counted, answers kept."""

from __future__ import annotations

from datetime import timedelta

from hub.core.fact import HUB_DEVICE, Fact
from hub.core.view import Tone
from hub.frontends.facts import Facts
from hub.frontends.web.timeline import Way, way_of
from shared.errors import ErrorBody
from shared.events import (
    EventBody,
    JobFailed,
    JobGranted,
    JobLogged,
    JobQueued,
    JobStarted,
    QuestionAnswered,
    QuestionAsked,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.questions import Answer, Asking, Choice, QuestionKind
from tests.makers import NOON

JOB, TASK, QUESTION = JobId("job"), TaskId("task"), QuestionId("question")
PC, MAC = WorkerId("pc"), WorkerId("mac")
NAMES = {PC: "anna-pc", MAC: "studio-mac"}
ZONE = Asking(
    key="zone",
    kind=QuestionKind.CLARIFICATION,
    text="Which zone?",
    choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
)


def fact(body: EventBody, second: float, device: str = HUB_DEVICE) -> Fact:
    told = Fact(
        hub_seq=1,
        person_id=PersonId("anna"),
        device=device,
        epoch=1,
        seq=1,
        at=NOON + timedelta(seconds=second),
        type=body.type,
        version=1,
        entity=JOB,
        payload=body.model_dump(mode="json", exclude={"type"}),
    )
    told.__dict__["body"] = body
    return told


def queued(**more: object) -> JobQueued:
    told = {"job_id": JOB, "task_id": TASK, "kind": "ml.train", "title": "train", "attempt": 1}
    return JobQueued.model_validate({**told, **more})


def granted(worker_id: WorkerId = PC, attempt: int = 1) -> JobGranted:
    return JobGranted(job_id=JOB, attempt=attempt, fence=attempt, worker_id=worker_id)


def way(*facts: Fact, has_ended: bool = False) -> Way:
    about = Facts(now=NOON + timedelta(seconds=100), job_id=JOB, kind="ml.train", reader="anna")
    return way_of(facts, about, NAMES, has_ended=has_ended)


def test_each_step_lasts_until_the_next_and_the_last_until_now() -> None:
    told = way(fact(queued(), 0), fact(granted(), 10), fact(started(), 12, PC))
    assert [(step.says, step.seconds, step.is_now) for step in told.steps] == [
        ("Queued", 10, False),
        ("Given to anna-pc", 2, False),
        ("Started on anna-pc", 88, True),
    ]
    assert [step.tone for step in told.steps] == [Tone.WAITING, Tone.RUNNING, Tone.RUNNING]


def started() -> JobStarted:
    return JobStarted(job_id=JOB, attempt=1, fence=1)


def test_a_computer_whose_clock_is_behind_takes_no_time_back() -> None:
    told = way(fact(granted(), 10), fact(started(), 4, PC), has_ended=True)
    assert [step.seconds for step in told.steps] == [0, None]


def test_tries_are_counted_by_what_was_given_and_name_their_computer() -> None:
    error = ErrorBody(code="disk_full", message="The disk is full.", hint="Make room.")
    failed = JobFailed(job_id=JOB, attempt=1, fence=1, error=error)
    again = queued(reason="retry", attempt=2, not_before=NOON + timedelta(seconds=60))
    told = way(
        fact(queued(), 0),
        fact(granted(), 1),
        fact(failed, 2, PC),
        fact(again, 3),
        fact(granted(MAC, 4), 70),
    )
    assert told.tries == 2
    assert [(step.says, step.detail) for step in told.steps] == [
        ("Queued", ""),
        ("Given to anna-pc", ""),
        ("Try 1 failed: The disk is full.", "Make room."),
        ("Queued for another try", "Not before 12:01"),
        ("Given to studio-mac", "Try 2"),
    ]


def test_answers_are_told_with_who_gave_them_and_lines_of_logs_are_left_out() -> None:
    names = {"job_id": JOB, "attempt": 1, "fence": 1}
    asked = QuestionAsked(**names, question_id=QUESTION, asking=ZONE)
    answer = Answer(value="local", by="anna on Telegram")
    told = way(
        fact(asked, 1, PC),
        fact(JobLogged(**names, lines=("noise",)), 2, PC),
        fact(QuestionAnswered(question_id=QUESTION, job_id=JOB, answer=answer), 3),
    )
    [given] = told.given
    assert (given.asked, given.value, given.by) == ("Which zone?", "Local time", "you on Telegram")
    assert [step.tone for step in told.steps] == [Tone.ASKING, Tone.RUNNING]
