"""What webhooks tell: every public event, and nothing that was not decided to be told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hub.core.fact import Fact
from hub.core.webhook_message import TYPES, fields_of, is_late, message_id, message_of, type_of
from shared.api.webhooks import EventType
from shared.errors import ErrorBody
from shared.events import (
    EventBody,
    JobFailed,
    JobLogged,
    JobQueued,
    JobSucceeded,
    LateResult,
    QuestionAnswered,
    QuestionAsked,
    SettingChanged,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WebhookId
from shared.kinds import JsonObject
from shared.questions import Answer, Asking, Choice, QuestionKind
from tests.makers import NOON

HOOK = WebhookId("hook")
JOB = JobId("019aa000-0000-7000-8000-000000000001")
ROOT = Path(__file__).parents[3]


def fact(body: EventBody, *, hub_seq: int = 7, device: str = "anna-pc") -> Fact:
    payload = body.model_dump(mode="json", exclude={"type"})
    return Fact(
        hub_seq=hub_seq,
        person_id=PersonId("anna"),
        device=device,
        epoch=1,
        seq=hub_seq,
        at=NOON,
        type=body.type,
        version=1,
        entity=str(payload.get("job_id", "")),
        payload=payload,
    )


def told(body: EventBody, following: Fact | None = None, device: str = "anna-pc") -> JsonObject:
    message: JsonObject = json.loads(message_of(fact(body, device=device), following))
    return message


def queued(reason: str = "retry") -> JobQueued:
    return JobQueued.model_validate(
        {
            "job_id": JOB,
            "task_id": TaskId("task"),
            "kind": "ml.train",
            "title": "train sales.csv",
            "attempt": 1,
            "reason": reason,
        }
    )


SUCCEEDED = JobSucceeded(
    job_id=JOB,
    attempt=2,
    fence=9,
    running_seconds=41.2,
    result={
        "headline": "Model ready: AUC 0.85.",
        "rows": [["Anna", "+43 1 234"]],
        "sends": [{"name": "a.csv"}],
        "model": {"model_id": "m1"},
    },
)
FAILED = JobFailed(
    job_id=JOB,
    attempt=1,
    fence=9,
    error=ErrorBody(
        code="disk_full", message="The disk is full.", hint="Free some.", retryable=True
    ),
)
ASKED = QuestionAsked(
    job_id=JOB,
    attempt=1,
    fence=9,
    question_id=QuestionId("q"),
    asking=Asking(
        key="file",
        kind=QuestionKind.CLARIFICATION,
        text="Which file?",
        choices=(Choice(value="/d/a.csv", label="a.csv", detail="Anna, +43 1 234"),),
        allow_text=True,
    ),
)


def test_a_message_has_the_three_parts_of_the_standard() -> None:
    assert told(queued("new"), device="hub") == {
        "type": "job.queued",
        "timestamp": "2026-11-20T12:00:00Z",
        "data": {
            "job_id": JOB,
            "task_id": "task",
            "kind": "ml.train",
            "title": "train sales.csv",
            "attempt": 1,
            "reason": "new",
            "not_before": None,
        },
    }


def test_of_a_result_only_its_headline_is_told() -> None:
    assert told(SUCCEEDED)["data"] == {
        "job_id": JOB,
        "attempt": 2,
        "running_seconds": 41.2,
        "result": {"headline": "Model ready: AUC 0.85."},
        "worker_id": "anna-pc",
    }


def test_a_headline_that_is_no_text_is_not_told() -> None:
    odd = SUCCEEDED.model_copy(update={"result": {"headline": {"rows": [["Anna"]]}}})
    assert "Anna" not in json.dumps(told(odd))


def test_a_question_is_told_without_the_details_of_its_choices() -> None:
    message = told(ASKED)
    data = message["data"]
    assert isinstance(data, dict)
    assert data["asking"] == {
        "kind": "clarification",
        "text": "Which file?",
        "choices": [{"value": "/d/a.csv", "label": "a.csv"}],
        "allow_text": True,
        "default": None,
    }


def test_of_an_answer_it_is_told_who_gave_it() -> None:
    answered = QuestionAnswered(
        question_id=QuestionId("q"), job_id=JOB, answer=Answer(value="hunter2", by="anna")
    )
    assert told(answered)["data"] == {
        "question_id": "q",
        "job_id": JOB,
        "answer": {"by": "anna"},
        "worker_id": "anna-pc",
    }


def test_a_failure_says_whether_it_is_tried_again() -> None:
    again = told(FAILED, fact(queued(), hub_seq=8))["data"]
    over = told(FAILED, fact(queued("new"), hub_seq=12))["data"]
    assert isinstance(again, dict)
    assert isinstance(over, dict)
    assert (again["will_retry"], over["will_retry"]) == (True, False)
    assert again["error"] == FAILED.error.model_dump(exclude={"retry_after_seconds"})


def test_an_outcome_that_came_too_late_is_told_as_that_alone() -> None:
    late = LateResult(job_id=JOB, attempt=2, outcome="succeeded")
    assert is_late(fact(SUCCEEDED), fact(late, hub_seq=8))
    assert not is_late(fact(SUCCEEDED), fact(late, hub_seq=9))
    assert not is_late(fact(SUCCEEDED), None)
    assert told(late, device="hub")["type"] == "job.late_result"


@pytest.mark.parametrize(
    "body",
    [
        JobLogged(job_id=JOB, attempt=1, fence=1, lines=("a line of a file",)),
        SettingChanged(name="language", value="en"),
    ],
    ids=lambda body: body.type,
)
def test_what_is_not_public_has_no_type(body: EventBody) -> None:
    assert type_of(fact(body)) is None


def test_what_is_sealed_or_newer_is_not_told() -> None:
    assert type_of(fact(SUCCEEDED)) == "job.succeeded"
    assert type_of(replace(fact(SUCCEEDED), sealed_with="key")) is None
    assert type_of(replace(fact(SUCCEEDED), version=2)) is None


def test_a_message_keeps_its_name_wherever_the_event_stands_in_the_log() -> None:
    here = fact(SUCCEEDED)
    assert message_id(HOOK, replace(here, hub_seq=99)) == message_id(HOOK, here)
    assert message_id(HOOK, replace(here, seq=8)) != message_id(HOOK, here)
    assert message_id(WebhookId("another"), here) != message_id(HOOK, here)
    assert "." not in message_id(HOOK, here)


def test_the_api_names_all_types_that_there_are() -> None:
    assert {one.value for one in EventType} == set(TYPES)


@pytest.mark.parametrize("public_type", TYPES)
def test_the_page_of_webhooks_tells_of_every_type_and_its_fields(public_type: str) -> None:
    lines = (ROOT / "docs" / "webhooks.md").read_text().splitlines()
    [row] = [line for line in lines if line.startswith(f"| `{public_type}` |")]
    for field in fields_of(public_type):
        assert f"`{field}`" in row
