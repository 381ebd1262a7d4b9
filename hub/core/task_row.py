"""A line of the list of tasks: a task with its newest job, and which lines are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.core.job import Job
from hub.core.placement import Waiting
from shared.errors import BadInput, ErrorBody
from shared.ids import ConversationId, PersonId, TaskId, WorkerId, is_uuid, short
from shared.jobs import JobState, Origin, Priority

ROWS_MAX = 200
SEARCH_CHARS_MAX = 200
SEARCH_WORDS_MAX = 8
MS_DIGITS = 13


class RowSort(StrEnum):
    NEWEST = "newest"
    """By when the newest job was asked for."""
    OLDEST = "oldest"
    UPDATED = "updated"
    """What changed last comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFilter:
    """Which rows; what is empty or None does not matter."""

    person_id: PersonId | None = None
    states: frozenset[JobState] = frozenset()
    kind: str = ""
    worker_id: WorkerId | None = None
    """It has the job, had it last, or must run it."""
    priority: Priority | None = None
    origin: Origin | None = None
    since: datetime | None = None
    """Asked for then or later: by the time in the job's id, which is when it was asked."""
    until: datetime | None = None
    """Asked for before."""
    words: str = ""
    """Each of them stands in the title or the text; or it is a job's short id."""

    @property
    def is_open(self) -> bool:
        """Whether it asks for anything but whose rows."""
        return RowFilter(person_id=self.person_id) == self


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCursor:
    """A place between two rows."""

    sort: RowSort
    job_id: str
    updated_ms: int = 0
    """With `RowSort.UPDATED`."""
    is_back: bool = False
    """The rows before this place, instead of those after it."""

    def write(self) -> str:
        way = "b" if self.is_back else "f"
        return f"{way}{self.sort[0]}{self.updated_ms:0{MS_DIGITS}d}{self.job_id}"

    @classmethod
    def read(cls, text: str, sort: RowSort) -> RowCursor:
        """Read what `write` wrote.

        Raises:
            BadInput: `cursor_invalid`, also when it belongs to another order.
        """
        way, letter, digits = text[:1], text[1:2], text[2 : 2 + MS_DIGITS]
        job_id = text[2 + MS_DIGITS :]
        is_number = digits.isascii() and digits.isdecimal() and len(digits) == MS_DIGITS
        if way not in "bf" or letter != sort[0] or not is_number or not is_uuid(job_id):
            raise BadInput(
                "cursor_invalid", "This page of the list cannot be found.", "Begin at the first."
            )
        return cls(sort=sort, job_id=job_id, updated_ms=int(digits), is_back=way == "b")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task with its newest job."""

    job: Job
    title: str
    text: str
    """What was asked, as it was said."""
    conversation: ConversationId
    """Where it was asked; empty for a request without a conversation."""
    origin: Origin
    error: ErrorBody | None
    asked_at: datetime
    """When the task was made."""
    updated_at: datetime
    started_at: datetime | None
    """When the last attempt was given to its worker; None when none was."""
    jobs: int
    """How many jobs the task has."""
    worker: str = ""
    """The name of the machine that has it, had it last, or must run it."""
    owner: str = ""
    """The name of the person whose it is."""
    waiting: Waiting | None = None
    """Why it does not run; None when it does, or has ended."""

    @property
    def task_id(self) -> TaskId:
        return self.job.task_id

    @property
    def short(self) -> str:
        """The form of the job's id that people see: "K7Q2"."""
        return short(self.job.job_id)

    @property
    def state(self) -> JobState:
        return self.job.life.state

    def seconds(self, now: datetime) -> float | None:
        """How long its last attempt ran, or runs; None before there was one."""
        if self.started_at is None or self.state is JobState.QUEUED:
            return None
        end = self.updated_at if self.state.is_terminal else now
        return max(0.0, (end - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage:
    rows: tuple[TaskRow, ...]
    older: RowCursor | None = None
    """Where the rows behind the last one begin; None at the end."""
    newer: RowCursor | None = None
    """Where the rows before the first one end; None at the beginning."""
    is_partial: bool = False
    """So many rows were looked through that the rest is left for the next page: it may be empty
    although there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCount:
    """How many tasks are in a state, counted no further than is worth it."""

    count: int
    is_more: bool = False
    """There are more than were counted."""
