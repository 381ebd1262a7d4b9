"""Webhooks: addresses that a person's events are told to, and what was told to each."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.api.parts import Body, Shown, Whole

URL_CHARS_MAX = 2000
DESCRIPTION_CHARS_MAX = 200
OVERLAP_SECONDS = 24 * 3600
OVERLAP_SECONDS_MAX = 7 * 24 * 3600


class EventType(StrEnum):
    """What can be told; `docs/webhooks.md` says what each one holds."""

    TASK_CREATED = "task.created"
    JOB_QUEUED = "job.queued"
    JOB_STARTED = "job.started"
    JOB_RESUMED = "job.resumed"
    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_DEAD = "job.dead"
    JOB_CANCELLED = "job.cancelled"
    JOB_LATE_RESULT = "job.late_result"
    JOB_INTERRUPTED = "job.interrupted"
    QUESTION_ASKED = "question.asked"
    QUESTION_ANSWERED = "question.answered"
    QUESTION_PARKED = "question.parked"
    FILES_ARRIVED = "files.arrived"
    MESSAGE_SAID = "message.said"
    SESSION_OPENED = "session.opened"
    SESSION_ENDED = "session.ended"
    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_RAN = "schedule.ran"
    SCHEDULE_MISSED = "schedule.missed"
    WORKER_PAIRED = "worker.paired"
    WORKER_OFFLINE = "worker.offline"
    WORKER_ONLINE = "worker.online"
    WORKER_REVOKED = "worker.revoked"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    """Tried again soon; all later events wait behind it."""
    ASIDE = "aside"
    """Tried again later, beside the others."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up; redeliver sends it again."""
    DROPPED = "dropped"
    """What it would have told was purged."""


# Lists and enums come as JSON's, which strict mode would refuse.
Types = Annotated[
    tuple[Annotated[EventType, Field(strict=False)], ...],
    Field(max_length=len(EventType), strict=False),
]
Url = Annotated[str, Field(min_length=1, max_length=URL_CHARS_MAX)]
Description = Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)]


class NewWebhook(Body):
    url: Url = Field(examples=["https://example.org/deskhand"])
    """Begins with https://; without a name or a password in it."""
    types: Types = ()
    """All when empty."""
    description: Description = ""


class WebhookPatch(Body):
    """What is left out stays as it is."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    is_on: bool | None = None
    skips_missed: bool = False
    """When it is turned on: begin with what happens now, not where it stopped."""


class SecretRotation(Body):
    overlap_seconds: Whole = Field(default=OVERLAP_SECONDS, ge=0, le=OVERLAP_SECONDS_MAX)
    """For as long the old secret signs beside the new one."""


class WebhookShown(Shown):
    webhook_id: str
    person_id: str
    url: str
    types: tuple[str, ...]
    description: str
    is_on: bool
    stopped: Literal["by_person", "gone", "failing"] | None
    """Why it is off: its person, an answer 410, or days without one success."""
    created_at: datetime
    failing_since: datetime | None
    """The first failure since the last success; null while all is well."""
    succeeded_at: datetime | None


class WebhookWithSecret(WebhookShown):
    secret: str
    """Told once; what messages are signed with."""


class WebhookPage(Shown):
    webhooks: tuple[WebhookShown, ...]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last."""


class DeliveryShown(Shown):
    delivery_id: str
    webhook_id: str
    message_id: str
    """The webhook-id header."""
    type: str
    happened_at: datetime
    state: DeliveryState
    tries: int
    tried_at: datetime | None
    due_at: datetime | None
    """The next try; null when there will be none by itself."""
    status: int | None
    """What the endpoint answered last; null when it did not."""
    error: str
    """What was wrong with the last try."""


class DeliveryPage(Shown):
    deliveries: tuple[DeliveryShown, ...]
    next_cursor: str | None
    """Give it as `cursor` for the next page; null on the last."""
