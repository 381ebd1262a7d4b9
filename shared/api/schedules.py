"""Schedules: what is done again and again, and when."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.api.parts import Body, Shown
from shared.messages import ZONE_CHARS_MAX
from shared.schedules import WHEN_CHARS_MAX, WORDS_CHARS_MAX, MissedPolicy, PausedBecause

_SCHEDULE = "0198f3c2-7a10-7c3e-9d41-5b2f6a7c8d91"
_PERSON = "0198e19f-55d0-7aa0-8c31-1a2b3c4d5e6f"
_JOB = "0198f3c2-79f4-7b11-8a52-0c1d2e3f4a5c"


class NewSchedule(Body):
    """Something to be done again and again, as the caller would ask for it."""

    when: str = Field(min_length=1, max_length=WHEN_CHARS_MAX, examples=["every weekday 8:00"])
    """In words, or as five fields of cron; every 5 minutes is the most."""
    words: str = Field(
        min_length=1, max_length=WORDS_CHARS_MAX, examples=["/predict churn new.csv"]
    )
    """What is done: a command as in a chat, or plain words."""
    zone: str = Field(default="", max_length=ZONE_CHARS_MAX, examples=["Europe/Vienna"])
    """The time zone it keeps; the caller's own when empty."""
    missed: MissedPolicy = Field(default="once", examples=["once"])
    """What is done about runs that were missed: `once` for all of them within a day, or `skip`."""


class ScheduleShown(Shown):
    schedule_id: str = Field(examples=[_SCHEDULE])
    person_id: str = Field(examples=[_PERSON])
    words: str = Field(examples=["/predict churn new.csv"])
    """What is done."""
    when: str = Field(examples=["every weekday at 8:00"])
    """In words."""
    cron: str = Field(examples=["0 8 * * 1-5"])
    zone: str = Field(examples=["Europe/Vienna"])
    """The time zone it was made in, and keeps."""
    missed: MissedPolicy = Field(examples=["once"])
    is_paused: bool = Field(examples=[False])
    paused: PausedBecause = Field(default="", examples=[""])
    """Why: a person did, it fails again and again (`failing`), the account is locked, the chat
    account that made it was unlinked, or what it asks for is refused."""
    why: str = Field(default="", examples=[""])
    """What the hub paused it for, in a sentence."""
    next_at: datetime | None = Field(examples=["2026-11-23T07:00:00Z"])
    """Null while it is paused."""
    last_at: datetime | None = Field(default=None, examples=["2026-11-20T07:00:00Z"])
    """When it was run last."""
    last_job_id: str | None = Field(default=None, examples=[_JOB])
    failures: int = Field(default=0, examples=[0])
    """Runs in a row that failed; after three it is paused."""
    made_by: str = Field(examples=["anna on Telegram"])
    created_at: datetime = Field(examples=["2026-11-19T14:02:00Z"])


class SchedulePage(Shown):
    schedules: tuple[ScheduleShown, ...]
    next_cursor: str | None = Field(examples=[None])
    """Give it as `cursor` for the next page; null on the last."""


class ScheduleRunShown(Shown):
    """A run that was begun by hand."""

    job_id: str = Field(examples=[_JOB])
