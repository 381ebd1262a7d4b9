"""Computers that run jobs."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.api.parts import Body, Shown, Whole
from shared.capabilities import CAPABILITIES_MAX, Capability
from shared.messages import Metrics


class WorkerShown(Shown):
    worker_id: str
    person_id: str
    name: str
    platform: str
    app_version: str
    kinds: tuple[str, ...]
    is_online: bool
    is_paused: bool
    slots: int
    free: int
    working: int
    asking: int
    paired_at: datetime
    last_seen_at: datetime
    metrics: Metrics | None
    capabilities: tuple[Capability, ...] = ()
    """The same kinds, with the tools, specializations and limits that it told of each."""
    pulls: bool = False
    """It fetches its work over this API."""


class NewWorker(Body):
    """A worker that fetches its work over this API."""

    name: str = Field(min_length=1, max_length=96, pattern=r"\S", examples=["gpu-box"])
    """A name that is taken gets a number."""
    # Tuples come as JSON lists, which strict mode would refuse.
    capabilities: tuple[Capability, ...] = Field(
        min_length=1, max_length=CAPABILITIES_MAX, strict=False, examples=[[{"kind": "ml.train"}]]
    )
    """Kinds of jobs that this hub knows."""
    slots: Whole = Field(default=1, ge=1, le=1000)
    """How many jobs it runs at once."""
    app_version: str = Field(default="", max_length=40)
    person_id: str | None = Field(default=None, max_length=64)
    """Whose it is; the caller's when null."""


class WorkerTold(WorkerShown):
    key: str
    """Its own key; it is told here and never again."""


class WorkerList(Shown):
    workers: tuple[WorkerShown, ...]
