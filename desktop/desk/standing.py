"""Where work stands between this computer, its hub and the others; decided, not worded.

A job's state says what it does. What it does not say is who knows of it, what it waits for while
the hub is away, and which way a stop still has to go: that is its standing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from desktop.core.link import LinkState
from desktop.store.copied import JobRow, QuestionRow
from shared.errors import ErrorBody
from shared.ids import WorkerId
from shared.jobs import JobState

if TYPE_CHECKING:
    from desktop.desk.desk import Desk

WAITING = frozenset({JobState.QUEUED, JobState.OFFERED})
ENDED = frozenset(state for state in JobState if state.is_terminal) | {
    JobState.FAILED,
    JobState.INTERRUPTED,
    JobState.DEAD,
}


class Standing(StrEnum):
    """What there is to say of a job besides its state."""

    PLAIN = "plain"
    """Nothing."""
    RUNS_HERE = "runs_here"
    """Kept here because no hub was there; that does not know of it yet."""
    WAITS_HERE = "waits_here"
    """Kept here, and held back by a rule or by other jobs."""
    ENDED_HERE = "ended_here"
    """Kept here and over; the hub does not know of it yet."""
    GOES_TO_HUB = "goes_to_hub"
    """Needs the hub, which is away."""
    ON_ITS_WAY = "on_its_way"
    """Needs the hub, which is being told."""
    STOPS_HERE = "stops_here"
    STOPS_WITH_HUB = "stops_with_hub"
    """Nobody has it yet but the hub, which is away."""
    STOPS_ELSEWHERE = "stops_elsewhere"
    """Another computer has it, and must hear of the stop."""
    REPLACED = "replaced"
    """Another job is run instead of it."""


class Fate(StrEnum):
    """What became of an answer that was given at this computer."""

    COUNTED = "counted"
    SENT = "sent"
    """On its way to the hub."""
    KEPT = "kept"
    """Waits here for the hub to be back."""
    USED = "used"
    """Its job has gone on with it here, and the hub has not heard of it yet."""
    SECOND = "second"
    """Another answer counts."""
    LATE = "late"
    """The job did not need it any more."""
    REFUSED = "refused"
    """The hub could not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What a standing depends on besides the job."""

    here: WorkerId | None = None
    """This computer; None while it belongs to no hub."""
    line: LinkState | None = LinkState.ONLINE
    hub: str = ""
    held_back: ErrorBody | None = None
    """Why nothing starts here now."""
    is_full: bool = False
    """As many jobs run here as may at once."""

    @property
    def is_online(self) -> bool:
        return self.line is LinkState.ONLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How the line to the hub is, with all that is told of it."""

    state: LinkState | None
    """None while this computer belongs to no hub, or has not called it yet."""
    hub: str = ""
    error: ErrorBody | None = None
    next_try_at: datetime | None = None
    running: int = 0
    """Jobs at work here."""
    waiting: int = 0
    """Changes that the hub has not got."""
    trouble: ErrorBody | None = None
    """Why nothing can be written down here now: a full disk, one that fails."""


def whereabouts(desk: Desk) -> Whereabouts:
    """Gather what standings depend on now."""
    pairing = desk.pairing
    return Whereabouts(
        here=pairing.worker_id if pairing else None,
        line=desk.link.state if desk.link else None,
        hub=pairing.hub_name if pairing else "",
        held_back=desk.held_back,
        is_full=desk.is_full,
    )


def line_of(desk: Desk, waiting: int) -> Line:
    """Gather what is told of the line now."""
    return Line(
        state=desk.link.state if desk.link else None,
        hub=desk.pairing.hub_name if desk.pairing else "",
        error=desk.link.error if desk.link else None,
        next_try_at=desk.next_try_at,
        running=desk.running_count,
        waiting=waiting,
        trouble=desk.database.trouble.body if desk.database.trouble else None,
    )


def of_job(row: JobRow, place: Whereabouts) -> Standing:
    """Decide what there is to say of a job besides its state."""
    if row.state in ENDED:
        if row.replaced_by is not None:
            return Standing.REPLACED
        is_secret = row.is_kept and _is_unknown(row) and not place.is_online
        return Standing.ENDED_HERE if is_secret else Standing.PLAIN
    if row.cancel_by:
        return _stopping(row, place)
    if row.is_kept and row.state in WAITING and row.worker_id == place.here:
        return Standing.WAITS_HERE
    if not _is_unknown(row):
        return Standing.PLAIN
    if row.is_kept:
        return Standing.PLAIN if place.is_online else Standing.RUNS_HERE
    return Standing.ON_ITS_WAY if place.is_online else Standing.GOES_TO_HUB


def _is_unknown(row: JobRow) -> bool:
    """Say whether the hub has not spoken yet of what was asked for here."""
    return row.is_ours and not row.is_told


def _stopping(row: JobRow, place: Whereabouts) -> Standing:
    is_here = row.is_kept or row.worker_id == place.here
    if row.state in WAITING and not is_here:
        return Standing.STOPS_HERE if place.is_online else Standing.STOPS_WITH_HUB
    return Standing.STOPS_HERE if is_here or not row.worker_id else Standing.STOPS_ELSEWHERE


def of_answer(row: QuestionRow, value: str, place: Whereabouts) -> Fate:
    """Decide what became of an answer that was given at this computer."""
    if row.given == value and row.state in ("open", "parked"):
        if row.is_used:
            return Fate.USED
        return Fate.SENT if place.is_online else Fate.KEPT
    if row.state == "answered":
        return Fate.COUNTED if row.value == value else Fate.SECOND
    return Fate.LATE if row.state == "closed" else Fate.REFUSED
