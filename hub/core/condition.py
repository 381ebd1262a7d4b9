"""How a computer is, in one word, and what is the matter with it when it needs its person."""

from __future__ import annotations

from enum import StrEnum

from hub.core.worker import WorkerCard
from shared.messages import Metrics

DISK_FREE_BYTES_MIN = 500_000_000
"""With less, jobs fail for want of room."""


class Condition(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    ASKING = "asking"
    """A job there waits for its person's answer."""
    TROUBLED = "troubled"
    OFFLINE = "offline"
    PAUSED = "paused"
    DRAINING = "draining"
    """Takes nothing new; what it has goes on."""


def condition_of(card: WorkerCard, *, is_mistrusted: bool = False) -> Condition:
    """Say how a computer is; what its person should see first wins."""
    if is_mistrusted or (card.is_online and is_disk_full(card.metrics)):
        return Condition.TROUBLED
    if not card.is_online:
        return Condition.OFFLINE
    if is_held_back(card):
        return Condition.DRAINING if card.running or card.asking else Condition.PAUSED
    if card.asking:
        return Condition.ASKING
    return Condition.BUSY if card.running else Condition.IDLE


def is_held_back(card: WorkerCard) -> bool:
    """Whether nothing new goes to a computer that is here: said here, or on the machine itself."""
    return card.worker.is_paused or card.slots == 0


def is_disk_full(metrics: Metrics | None) -> bool:
    return metrics is not None and metrics.disk_free_bytes < DISK_FREE_BYTES_MIN
