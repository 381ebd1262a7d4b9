"""Tasks: what a person asks for, in one job or several."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.api.jobs import JobShown
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX, Body, Moment, Shown
from shared.errors import ErrorBody
from shared.jobs import TITLE_CHARS_MAX, JobState, Origin, Priority

CURSOR = rf"^[a-z]{{2}}[0-9]{{13}}{ID.removeprefix('^')}"
SEARCH_CHARS_MAX = 200


class NewJob(Body):
    """Something to be done: a kind of job with its inputs."""

    kind: str = Field(min_length=1, max_length=100, examples=["ml.train"])
    """A kind that a computer of yours can run; `GET /workers` tells which those are."""
    inputs: dict[str, JsonValue] = Field(
        default_factory=dict, examples=[{"file": "sales.csv", "target": "Revenue"}]
    )
    """What is missing is asked."""
    title: str = Field(default="", max_length=TITLE_CHARS_MAX, examples=["Revenue, first try"])
    """A few words for lists; made of kind and inputs when empty."""
    priority: Priority = Field(default=Priority.DEFAULT, strict=False)
    worker: str = Field(default="", max_length=100, examples=["anna-pc"])
    """Only this computer, by its name or its id; empty for any."""


class NewTask(NewJob):
    """A task with its first job."""

    text: str = Field(default="", max_length=4000, examples=["Train on the sales of 2026"])
    """What is wanted, in words; the title stands in when empty."""


class NewFollowUp(NewJob):
    """One more job of a task, with what its earlier ones left."""

    session_id: str | None = Field(default=None, pattern=ID, examples=[None])
    """Exactly this session; null: the task's own while there is one that takes something new."""


class TaskPatch(Body):
    """What is to be different; what is left out stays."""

    title: str | None = Field(
        default=None, min_length=1, max_length=TITLE_CHARS_MAX, examples=["Revenue, second try"]
    )
    """Of the newest job, which stands for the task in lists."""
    priority: Priority | None = Field(default=None, strict=False, examples=["high"])
    """Of those jobs that still wait."""


class TaskSort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    UPDATED = "updated"


class TaskQuery(BaseModel):
    """Which tasks, and in which order."""

    model_config = ConfigDict(frozen=True)

    state: Annotated[list[JobState], Field(max_length=len(JobState))] = Field(
        default_factory=list, examples=[["running", "asking"]]
    )
    """Of the newest job; any when there are none."""
    kind: str | None = Field(default=None, max_length=100, examples=["ml.train"])
    worker_id: str | None = Field(default=None, pattern=ID)
    priority: Priority | None = None
    origin: Origin | None = None
    q: str = Field(default="", max_length=SEARCH_CHARS_MAX, examples=["sales"])
    """Words that stand in the title or the text, or a job's short id."""
    since: Moment | None = Field(default=None, examples=["2026-11-20T00:00:00Z"])
    """Asked for then or later."""
    until: Moment | None = Field(default=None, examples=["2026-11-22T00:00:00Z"])
    """Asked for before."""
    sort: TaskSort = TaskSort.NEWEST
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(default=None, pattern=CURSOR)
    """`next_cursor` of the page before, with the same filters and order."""


class TaskShown(Shown):
    """A task, and how its newest job stands."""

    task_id: str
    person_id: str
    text: str
    """What was asked for."""
    job_id: str
    """Its newest job: state, error and the like are of that one."""
    short: str
    """The form of the job's id that people see."""
    job_count: int
    kind: str
    title: str
    state: JobState
    priority: Priority
    origin: Origin
    worker_id: str | None
    session_id: str | None
    question_id: str | None
    error: ErrorBody | None
    waiting: str | None
    """Why it does not run, as a code; null when it does, or has ended."""
    created_at: datetime
    updated_at: datetime


class TaskPage(Shown):
    tasks: tuple[TaskShown, ...]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last. A page may be short, even empty,
    and still have a next one: so many tasks were looked through."""


class TaskWithJobs(TaskShown):
    version: str
    """Another one whenever anything of the task changes; its ETag, without the quotes."""
    jobs: tuple[JobShown, ...]
    """The oldest first."""


class StepShown(Shown):
    job_id: str
    number: int
    """1, 2, 3 … in the order they were asked for."""
    kind: str
    title: str
    state: JobState
    needs: tuple[str, ...]
    """Jobs of this task whose files it works on."""


class PlanShown(Shown):
    task_id: str
    steps: tuple[StepShown, ...]
