"""Computers that run jobs."""

from __future__ import annotations

from datetime import datetime

from shared.api.parts import Shown
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


class WorkerList(Shown):
    workers: tuple[WorkerShown, ...]
