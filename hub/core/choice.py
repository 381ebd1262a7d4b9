"""Which of a person's workers a job goes to: looks at who is here, decides nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.fleet_rules import LOCAL
from hub.core.lane import Lane
from hub.core.room import Rooms
from hub.core.worker import Presence
from shared.capabilities import fits
from shared.ids import WorkerId


def most_able(lane: Lane, here: Iterable[tuple[int, Presence]], rooms: Rooms) -> WorkerId | None:
    """Find the worker for a lane's next job; None when nobody may have it now.

    A computer of the person's own comes first, then whoever has the most room.

    Args:
        lane: where the job stands, or would stand.
        here: its person's workers that have room, and how much.
        rooms: for how many jobs of a family each takes.
    """
    able = [
        (not p.is_fleet, room, p.worker_id)
        for room, p in here
        if can_run(p, lane) and _asks(p, lane) and not rooms.is_full_of(p, lane.key.kind)
    ]
    return max(able)[2] if able else None


def can_run(presence: Presence, lane: Lane) -> bool:
    """Say whether a worker could be given a lane's jobs, had it room."""
    if presence.worker_id in lane.key.barred:
        return False
    if lane.key.kind not in presence.kinds:
        return False
    if presence.is_fleet and (lane.key.is_part or LOCAL in lane.key.tools):
        return False
    return fits(presence.worker_id, presence.capabilities, lane.needs)


def _asks(presence: Presence, lane: Lane) -> bool:
    """Say whether a worker that fetches its work asks for such a job now; others always do."""
    claims = presence.claims
    return claims is None or any(lane.key.kind in kinds for kinds in claims)
