"""What a hub tells of tasks, jobs, questions and files."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.errors import ErrorBody
from shared.events.envelope import Body
from shared.ids import COUNT_MAX, JobId, PersonId, QuestionId, SessionId, TaskId, WorkerId
from shared.jobs import TITLE_CHARS_MAX, JobState, Priority
from shared.kinds import SENDS_MAX, FileRef
from shared.questions import TEXT_CHARS_MAX, Answer


class TaskCreated(Body):
    type: Literal["task_created"] = "task_created"
    task_id: TaskId
    person_id: PersonId
    text: str


class JobQueued(Body):
    """A job waits for a worker: new, to be retried, requeued, or given back."""

    type: Literal["job_queued"] = "job_queued"
    job_id: JobId
    task_id: TaskId
    kind: str
    title: str
    attempt: int = Field(ge=0, le=COUNT_MAX)
    reason: Literal["new", "retry", "requeued", "lost", "answered", "declined", "moved"] = "new"
    not_before: datetime | None = None
    """The earliest start, when the job waits after a failure."""
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """As in `AttemptBody`."""


class JobGranted(Body):
    type: Literal["job_granted"] = "job_granted"
    job_id: JobId
    attempt: int = Field(ge=0, le=COUNT_MAX)
    fence: int = Field(ge=0, le=COUNT_MAX)
    worker_id: WorkerId
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """As in `AttemptBody`."""


class JobDied(Body):
    """Out of tries: the job became a dead letter."""

    type: Literal["job_died"] = "job_died"
    job_id: JobId
    error: ErrorBody


class PartSettled(Body):
    """A part that its maker's worker does not run itself has ended, and nothing changes that."""

    type: Literal["part_settled"] = "part_settled"
    job_id: JobId
    part_of: JobId
    state: JobState
    error: ErrorBody | None = None
    """Why it failed; what came of it is told by its worker."""


class JobCancelRequested(Body):
    type: Literal["job_cancel_requested"] = "job_cancel_requested"
    job_id: JobId
    by: str


class QuestionAnswered(Body):
    """The first answer by hub order; a default taken in time counts as one."""

    type: Literal["question_answered"] = "question_answered"
    question_id: QuestionId
    job_id: JobId
    answer: Answer


class QuestionParked(Body):
    """The question ran out without a default: its worker may let the child go."""

    type: Literal["question_parked"] = "question_parked"
    question_id: QuestionId
    job_id: JobId


class LateResult(Body):
    """An outcome that came after the job had moved on: kept and shown, never applied."""

    type: Literal["late_result"] = "late_result"
    job_id: JobId
    attempt: int = Field(ge=0, le=COUNT_MAX)
    outcome: str


class FilesArrived(Body):
    """All files that a job handed over are on the hub, and may be shown."""

    type: Literal["files_arrived"] = "files_arrived"
    job_id: JobId
    files: tuple[FileRef, ...] = Field(max_length=SENDS_MAX)


class FilesMissed(Body):
    """Files that a job handed over did not come within the time they are waited for."""

    type: Literal["files_missed"] = "files_missed"
    job_id: JobId
    files: tuple[FileRef, ...] = Field(max_length=SENDS_MAX)


class AnswerSuperseded(Body):
    """An answer that does not count, because another one did."""

    type: Literal["answer_superseded"] = "answer_superseded"
    question_id: QuestionId
    job_id: JobId
    value: str = Field(max_length=TEXT_CHARS_MAX)
    by: str
    """Who gave it, in words."""
    counted: Answer


class TaskPurged(Body):
    """What a task and its jobs told was deleted on the hub, and is to be on every computer."""

    type: Literal["task_purged"] = "task_purged"
    task_id: TaskId
    job_ids: tuple[JobId, ...]
    by: str


class TaskChanged(Body):
    """A person gave a task another title, or what waits of it another priority."""

    type: Literal["task_changed"] = "task_changed"
    task_id: TaskId
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    """Empty: as it was."""
    priority: Priority | None = None
    """None: as it was."""
    by: str
    """Who did it, in words."""


class MessageSaid(Body):
    """A person's words on a task that nothing had to be done about; they are kept and shown."""

    type: Literal["message_said"] = "message_said"
    task_id: TaskId
    job_id: JobId
    """The task's newest job then: where in the task's story it was said."""
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    by: str
    """Who said it, in words: "anna on the web"."""
    where: str = Field(max_length=64)
    """The frontend it was said in."""


EndedBecause = Literal["idle", "age", "person", "worker_lost", "worker_revoked", "task_purged"]


class SessionOpened(Body):
    """A worker keeps a working context for a task from now on."""

    type: Literal["session_opened"] = "session_opened"
    session_id: SessionId
    task_id: TaskId
    worker_id: WorkerId


class SessionEnded(Body):
    """A working context is over: its worker removes the folder once nothing runs in it."""

    type: Literal["session_ended"] = "session_ended"
    session_id: SessionId
    task_id: TaskId
    worker_id: WorkerId
    reason: EndedBecause
    by: str = ""
    """Who ended it; empty when nobody did."""
