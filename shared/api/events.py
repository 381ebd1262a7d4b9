"""Events: what happened on a hub, in its order."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.api.parts import PAGE_DEFAULT, PAGE_MAX, Shown
from shared.ids import COUNT_MAX

WAIT_SECONDS_MAX = 30.0
TYPES_MAX = 40


class EventQuery(BaseModel):
    """Which events."""

    model_config = ConfigDict(frozen=True)

    types: list[Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]] = Field(
        default_factory=list, max_length=TYPES_MAX, examples=[["job_succeeded", "question_asked"]]
    )
    """Only these; all when there are none."""
    after: int | None = Field(default=None, ge=0, le=COUNT_MAX)
    """Events after this place in the hub's log; without it, only what is new."""
    limit: int = Field(default=PAGE_DEFAULT, ge=1, le=PAGE_MAX)
    wait_seconds: float = Field(default=0.0, ge=0, le=WAIT_SECONDS_MAX)
    """How long to wait when there is nothing yet."""


class EventShown(Shown):
    hub_seq: int
    """Its place in the hub's log; grows, with gaps where others' events stand."""
    at: datetime
    type: str
    device: str
    """Who wrote it: a computer's id, or "hub"."""
    body: dict[str, JsonValue]


class EventPage(Shown):
    events: tuple[EventShown, ...]
    next_after: int
    """Give it as `after` to read on; also when there was nothing."""
