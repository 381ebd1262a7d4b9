"""What the tray shows: one of seven states, decided from the facts of this moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.core.link import LinkState
from shared.errors import ErrorBody


class TrayState(StrEnum):
    OFFLINE = "offline"
    IDLE = "idle"
    RUNNING = "running"
    ASKING = "asking"
    PAUSED = "paused"
    UPDATE = "update"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the tray looks at."""

    line: LinkState | None
    """How the line to the hub is; None while this machine belongs to none."""
    running: int = 0
    """Jobs at work on this machine."""
    questions: int = 0
    """Open questions of this person, on any machine."""
    held_back: ErrorBody | None = None
    """Why nothing starts: a pause, or the owner's rules."""
    trouble: ErrorBody | None = None
    """What will not mend itself: a refused token, a broken policy file."""
    has_update: bool = False
    waiting: int = 0
    """What was done here and the hub has not got."""
    newer: int = 0
    """What a newer program wrote, and this one cannot show."""


def state_of(facts: Facts) -> TrayState:
    """Decide what is shown when several things are so at once.

    First what only the person can mend, then what waits for them, then why nothing happens, then
    what happens.
    """
    if facts.trouble is not None or facts.line is LinkState.REFUSED:
        return TrayState.ERROR
    if facts.questions:
        return TrayState.ASKING
    if facts.line is not LinkState.ONLINE:
        return TrayState.OFFLINE
    if facts.held_back is not None:
        return TrayState.PAUSED
    if facts.running:
        return TrayState.RUNNING
    return TrayState.UPDATE if facts.has_update else TrayState.IDLE
