"""Jobs: the steps of tasks, each run by one worker."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.api.events import EventShown
from shared.api.parts import Body, Shown
from shared.errors import ErrorBody
from shared.ids import COUNT_MAX
from shared.jobs import JobState, Priority

LOG_LINES_DEFAULT = 200
LOG_LINES_MAX = 1000
SEARCH_CHARS_MAX = 200


class JobShown(Shown):
    job_id: str
    short: str
    task_id: str
    person_id: str
    kind: str
    title: str
    state: JobState
    priority: Priority
    attempt: int
    failures: int
    worker_id: str | None
    question_id: str | None
    session_id: str | None = None
    part_of: str | None = None
    """The job that it is a part of: lists leave it out."""
    inputs: dict[str, JsonValue]
    result: dict[str, JsonValue] | None
    error: ErrorBody | None
    waiting: str | None = None
    """Why it does not run, as a code; told for a single job."""
    created_at: datetime
    updated_at: datetime


class JobPage(Shown):
    jobs: tuple[JobShown, ...]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last."""


class History(Shown):
    events: tuple[EventShown, ...]


class Move(Body):
    worker: str = Field(min_length=1, max_length=100, examples=["office-pc"])
    """The computer that is to run it, by its name or its id."""


class LogQuery(BaseModel):
    """Which lines."""

    model_config = ConfigDict(frozen=True)

    after: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Lines after this number."""
    limit: int = Field(default=LOG_LINES_DEFAULT, ge=1, le=LOG_LINES_MAX)
    q: str = Field(default="", max_length=SEARCH_CHARS_MAX, examples=["error"])
    """Only lines with this in them, in any case."""
    tail: bool = False
    """The last lines there are, instead of those after a number."""


class LogLineShown(Shown):
    number: int
    """1, 2, 3 … over all attempts."""
    at: datetime
    """By the computer's own clock."""
    attempt: int
    text: str


class LogShown(Shown):
    lines: tuple[LogLineShown, ...]
    total: int
    """How many lines the job has logged so far."""
    next_after: int | None
    """Give it as `after` to read on; null at the end."""


class ArtifactShown(Shown):
    name: str
    place: Literal["worker", "coming", "hub", "gone"]
    """Where it is: on the computer that wrote it, on its way here, here, or here no more."""
    worker_id: str | None
    sha256: str | None
    """Of the content; null for a file that stayed on its computer."""
    size_bytes: int | None
    media_type: str | None
    url: str | None
    """Where it can be fetched, while it is here."""


class ArtifactList(Shown):
    artifacts: tuple[ArtifactShown, ...]
