"""How a hub is."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shared.api.parts import Shown
from shared.jobs import Priority


class HealthShown(Shown):
    status: Literal["ok"]
    version: str
    hub_name: str
    hub_epoch: str
    workers_online: int


class FrontendShown(Shown):
    name: str
    state: str
    since: datetime
    error: str
    hint: str
    chat_link: str
    """Where a person opens the chat, with "{code}" for what is said first; empty: nowhere."""


class StatusShown(Shown):
    waiting: dict[Priority, int]
    running: int
    asking: int
    interrupted: int
    dead: int
    oldest_waiting_seconds: float
    workers_online: int
    slots: int
    frontends: tuple[FrontendShown, ...]
