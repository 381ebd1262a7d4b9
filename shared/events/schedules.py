"""What is told of schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.errors import ErrorBody
from shared.events.envelope import Body
from shared.ids import COUNT_MAX, ScheduleId, TaskId
from shared.schedules import (
    WHEN_CHARS_MAX,
    WORDS_CHARS_MAX,
    MissedPolicy,
    ScheduleAction,
    ScheduleChange,
    ScheduleFacts,
)


class ScheduleAsked(Body):
    """A person wants something of a schedule, says their own computer."""

    type: Literal["schedule_asked"] = "schedule_asked"
    schedule_id: ScheduleId
    """Made at that computer, for a new one."""
    action: ScheduleAction
    words: str = Field(default="", max_length=WORDS_CHARS_MAX)
    """Of a new one: what is to be done."""
    when: str = Field(default="", max_length=WHEN_CHARS_MAX)
    """Of a new one: in words or as cron."""
    zone: str = Field(default="", max_length=64)
    """Of a new one: the computer's time zone."""
    missed: MissedPolicy = "once"


class ScheduleChanged(Body):
    """A schedule was made, removed, or holds or goes on from now on."""

    type: Literal["schedule_changed"] = "schedule_changed"
    schedule: ScheduleFacts
    change: ScheduleChange
    by: str = ""
    """Who did it, in words; empty when the hub did."""


class ScheduleRan(Body):
    """A schedule made a task, as its person would have; the same commit holds the task."""

    type: Literal["schedule_ran"] = "schedule_ran"
    schedule: ScheduleFacts
    """Its last job is the one that was begun."""
    task_id: TaskId
    due_at: datetime
    missed: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Runs since the last one that did not take place."""
    because: Literal["", "hub_off", "running"] = ""
    """Why not."""
    by: str = ""
    """Who had it run now, in words; empty when its time had come."""


class ScheduleMissed(Body):
    """What a schedule was due for did not take place; the first of several in a row is told."""

    type: Literal["schedule_missed"] = "schedule_missed"
    schedule: ScheduleFacts
    reason: Literal["hub_off", "running", "refused"]
    """The hub was not there; the last run still goes on; what was asked for was refused."""
    missed: int = Field(default=1, ge=1, le=COUNT_MAX)
    error: ErrorBody | None = None
    """Why it was refused."""
