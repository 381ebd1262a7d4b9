"""What a worker tells of its attempts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from shared.errors import ErrorBody
from shared.events.envelope import Body
from shared.ids import COUNT_MAX, JobId, QuestionId
from shared.jobs import JobSpec
from shared.plan import PlanStage, ShownPlan
from shared.questions import Asking

LINE_CHARS_MAX = 2000


LINES_MAX = 200


class AttemptBody(Body):
    """A fact about one attempt, told by the worker that holds its grant."""

    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    fence: int = Field(ge=0, le=COUNT_MAX)
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """The job that this one is a part of: quiet, for people see that one."""


class JobStarted(AttemptBody):
    """Written and committed before the first effect of the attempt."""

    type: Literal["job_started"] = "job_started"
    job: JobSpec | None = None
    """What is being done: a hub that does not know the job, because it was made while that was
    away or was lost with a backup, adopts it as this worker's."""


class JobLogged(AttemptBody):
    type: Literal["job_logged"] = "job_logged"
    lines: tuple[Annotated[str, Field(max_length=LINE_CHARS_MAX)], ...] = Field(
        max_length=LINES_MAX
    )


class JobPlanned(AttemptBody):
    """A plan was made, agreed to or changed; the newest is the one that counts."""

    type: Literal["job_planned"] = "job_planned"
    stage: PlanStage
    plan: ShownPlan


class QuestionAsked(AttemptBody):
    type: Literal["question_asked"] = "question_asked"
    question_id: QuestionId
    asking: Asking


class JobResumed(AttemptBody):
    """The answer reached the child and it goes on."""

    type: Literal["job_resumed"] = "job_resumed"
    question_id: QuestionId


class JobParked(AttemptBody):
    """The child is gone; its job waits for the answer, and starts again with it."""

    type: Literal["job_parked"] = "job_parked"
    question_id: QuestionId


class JobSucceeded(AttemptBody):
    type: Literal["job_succeeded"] = "job_succeeded"
    result: dict[str, JsonValue]
    """An Output of the job's kind."""
    running_seconds: float = Field(ge=0)


class JobFailed(AttemptBody):
    type: Literal["job_failed"] = "job_failed"
    error: ErrorBody


class JobCancelled(AttemptBody):
    type: Literal["job_cancelled"] = "job_cancelled"


class JobInterrupted(AttemptBody):
    """The worker was stopped after `job_started` and cannot know how far the effect went."""

    type: Literal["job_interrupted"] = "job_interrupted"
    reason: str = Field(max_length=400)
    touched: tuple[str, ...] = ()
    """What is known of effects outside the workdir, as sentences."""
