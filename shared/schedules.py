"""A schedule as it is told: what is done again and again, when, and how it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.ids import COUNT_MAX, ConversationId, JobId, ScheduleId

WORDS_CHARS_MAX = 4000
"""Of what is to be done, as its person says it."""
WHEN_CHARS_MAX = 200
CRON_CHARS_MAX = 100
WHY_CHARS_MAX = 400

PausedBecause = Literal["", "person", "failing", "locked", "unlinked", "refused"]
"""Empty while it runs; the hub pauses one that fails again and again, whose person has locked the
account, whose chat account speaks for its person no more, or that asks for what is refused."""
MissedPolicy = Literal["once", "skip"]
"""What is done about runs that were missed: one for all of them within a day, or none."""
ScheduleAction = Literal["create", "pause", "resume", "run", "delete"]
ScheduleChange = Literal["created", "paused", "resumed", "deleted"]


class ScheduleFacts(BaseModel):
    """All that anybody needs to show a schedule, as it was after something happened to it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schedule_id: ScheduleId
    words: str = Field(max_length=WORDS_CHARS_MAX)
    """What is done, as its person would say it: a command, or plain words."""
    when: str = Field(max_length=WHEN_CHARS_MAX)
    """In words: "every weekday at 8:00"."""
    cron: str = Field(max_length=CRON_CHARS_MAX)
    zone: str = Field(max_length=64)
    """The time zone it was made in, and keeps."""
    missed: MissedPolicy = "once"
    paused: PausedBecause = ""
    why: str = Field(default="", max_length=WHY_CHARS_MAX)
    """What the hub paused it for, in a sentence."""
    next_at: datetime | None = None
    """None while it is paused."""
    last_at: datetime | None = None
    """When it was run last."""
    last_job_id: JobId | None = None
    failures: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Runs in a row that failed."""
    conversation: ConversationId = ConversationId("")
    """Where it was asked for, and where its runs are told; empty when nowhere."""
