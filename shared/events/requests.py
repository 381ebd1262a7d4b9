"""What a person asks for at their own computer, written to its log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from shared.errors import ErrorBody
from shared.events.envelope import Body
from shared.ids import COUNT_MAX, JobId, QuestionId, TaskId, WorkerId
from shared.questions import TEXT_CHARS_MAX

SETTING_CHARS_MAX = 2000


class TaskRequested(Body):
    """A person asked for something at their own computer; the ids were made there."""

    type: Literal["task_requested"] = "task_requested"
    task_id: TaskId
    job_id: JobId
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    text: str = ""
    title: str = ""
    worker_id: WorkerId | None = None
    """Only this worker; None for any."""
    is_kept: bool = False
    """No hub was there, so this computer runs it itself, as attempt 1 under fence 1: the hub
    grants it that and offers it to nobody."""
    replaces: JobId | None = None
    """The job that this one is run instead of: a person tried again without a hub."""
    session_id: str = Field(default="", max_length=64)
    """With `is_kept`: the session that this computer runs it in, which the hub takes over."""
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """The job of this computer that had it made as one of its parts. Without `is_kept` it is for
    another worker: an ordinary job, with the rights of that one."""
    step: int | None = Field(default=None, ge=0, le=COUNT_MAX, exclude_if=lambda step: step is None)
    """With `part_of`: the step's number, when that job has steps."""
    follows: JobId | None = Field(default=None, exclude_if=lambda follows: follows is None)
    """With `is_kept`: the job of this computer that ended well and had it made to go on."""


class AnswerGiven(Body):
    """A person answered a question at their own computer."""

    type: Literal["answer_given"] = "answer_given"
    question_id: QuestionId
    job_id: JobId
    value: str = Field(max_length=TEXT_CHARS_MAX)
    is_used: bool = False
    """The job runs on this computer and has gone on with it already: it counts, whoever else
    answered before."""


class CancelAsked(Body):
    """A person wants a job stopped, says their own computer."""

    type: Literal["cancel_asked"] = "cancel_asked"
    job_id: JobId


class RetryAsked(Body):
    """A person wants a job to be tried again, says their own computer."""

    type: Literal["retry_asked"] = "retry_asked"
    job_id: JobId


class RequestRefused(Body):
    """What a person asked for at their own computer cannot be done; nothing was changed."""

    type: Literal["request_refused"] = "request_refused"
    job_id: JobId
    request: str
    """The type of the event that asked."""
    error: ErrorBody
    by: WorkerId
    """The computer that asked."""


class SettingChanged(Body):
    """A person changed a setting that their computers share; field by field, the last counts."""

    type: Literal["setting_changed"] = "setting_changed"
    name: str = Field(min_length=1, max_length=64)
    value: str = Field(max_length=SETTING_CHARS_MAX)


class PurgeAsked(Body):
    """A person wants everything about a task to be forgotten, says their own computer."""

    type: Literal["purge_asked"] = "purge_asked"
    task_id: TaskId
