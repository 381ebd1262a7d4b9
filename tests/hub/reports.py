"""What a worker reports about a grant, as events' bodies."""

from __future__ import annotations

from shared.events import JobFailed, JobStarted, JobSucceeded, QuestionAsked
from shared.ids import QuestionId
from shared.messages import Grant
from tests.makers import PASSING, make_asking

RESULT = {"headline": "Done."}


def facts(grant: Grant) -> dict[str, object]:
    return {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}


def started(grant: Grant) -> JobStarted:
    return JobStarted.model_validate(facts(grant))


def succeeded(grant: Grant) -> JobSucceeded:
    return JobSucceeded.model_validate({**facts(grant), "result": RESULT, "running_seconds": 1})


def failed(grant: Grant, error: object = PASSING) -> JobFailed:
    return JobFailed.model_validate({**facts(grant), "error": error})


def asked(grant: Grant, question_id: str = "q", default: str | None = None) -> QuestionAsked:
    asking = make_asking(default=default)
    return QuestionAsked.model_validate(
        {**facts(grant), "question_id": QuestionId(question_id), "asking": asking}
    )
