"""Sessions: a task's working contexts on computers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.api.parts import ID, Body, Shown

_SESSION = "0198f3c2-7a10-7c3e-9d41-5b2f6a7c8d90"
_TASK = "0198f3c2-79f4-7b11-8a52-0c1d2e3f4a5b"
_WORKER = "0198e1aa-0b3c-7d22-b1c4-9e8f7a6b5c4d"
_PERSON = "0198e19f-55d0-7aa0-8c31-1a2b3c4d5e6f"


class NewSession(Body):
    """A session to be opened before there is a job, or kept ready for one."""

    task_id: str = Field(pattern=ID, examples=[_TASK])
    worker: str = Field(min_length=1, max_length=100, examples=["anna-pc"])
    """The computer, by its name or its id."""


class SessionShown(Shown):
    session_id: str = Field(examples=[_SESSION])
    person_id: str = Field(examples=[_PERSON])
    task_id: str = Field(examples=[_TASK])
    task_text: str = Field(examples=["/train sales.csv Revenue"])
    """What its task was asked in."""
    title: str = Field(examples=["train sales.csv"])
    """Of its newest job; empty before there is one."""
    worker_id: str = Field(examples=[_WORKER])
    worker_name: str = Field(examples=["anna-pc"])
    jobs: int = Field(examples=[2])
    """How many it has or had."""
    is_open: bool = Field(examples=[True])
    is_busy: bool = Field(examples=[False])
    """A job of it is in its computer's hands."""
    takes_follow_ups: bool = Field(examples=[True])
    """Something new may be done in it; false also while it is past its age and still at work."""
    opened_at: datetime = Field(examples=["2026-11-21T14:02:00Z"])
    active_at: datetime = Field(examples=["2026-11-21T14:09:30Z"])
    """When something happened in it last."""
    lives_until: datetime | None = Field(examples=["2026-11-21T14:39:30Z"])
    """When it is over if nothing more happens in it; null when it is over, and while it is past
    its age and still at work."""
    ended_at: datetime | None = Field(default=None, examples=[None])
    reason: str | None = Field(default=None, examples=[None])
    """Why it is over: idle, age, person, worker_lost, worker_revoked or task_purged."""
    ended_by: str = Field(default="", examples=[""])
    """Who ended it, when a person did."""


class SessionPage(Shown):
    sessions: tuple[SessionShown, ...]
    next_cursor: str | None = Field(examples=[None])
    """Give it as `cursor` for the next page; null on the last."""
