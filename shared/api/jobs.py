"""Jobs: the steps of tasks, each run by one worker."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from shared.api.events import EventShown
from shared.api.parts import Shown
from shared.errors import ErrorBody
from shared.jobs import JobState, Priority


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
