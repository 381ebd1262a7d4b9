"""How deep the queues are and how much room workers have, all people together: read off the board.

Nobody is named here: it is what goes to Prometheus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.board import Board
from shared.jobs import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Depths:
    waiting: tuple[int, ...]
    """By the rank of the priority, like the next two; retry waits included, offers not."""
    offered: tuple[int, ...]
    running: tuple[int, ...]
    oldest_seconds: tuple[float, ...]
    """How long the oldest job waits, by the rank of its priority; 0 where none does."""
    kinds: Mapping[str, tuple[int, int]]
    """How many of each kind wait (offers included), and how many run."""
    granted: int
    """Jobs in workers' hands, kept parts and those that ask included."""
    workers: int
    """Computers that are here, without the fleet: all, and such as take nothing new."""
    paused: int
    slots: int
    slots_used: int
    light: int
    """Attempts that run and take no slot."""
    asking: int
    """Attempts that wait for a person."""


def depths_of(board: Board, now: float) -> Depths:
    """Count. `now`: of the board's monotonic clock."""
    waiting, offered, running = ([0] * len(Priority) for _ in range(3))
    kinds: dict[str, tuple[int, int]] = {}
    for counted, count in board.tally.counts(None):
        waits, runs = kinds.get(counted.kind, (0, 0))
        if counted.is_running:
            running[counted.rank] += count
            kinds[counted.kind] = waits, runs + count
        else:
            waiting[counted.rank] += count
            kinds[counted.kind] = waits + count, runs
    for placement in board.offers():
        rank = placement.ready.job.priority.rank
        offered[rank] += 1
        waiting[rank] -= 1
    # What stands for the fleet is no computer, and its slots are no bound.
    present = {worker_id: p for worker_id, p in board.present.items() if not p.is_fleet}
    rooms = board.rooms
    return Depths(
        waiting=tuple(waiting),
        offered=tuple(offered),
        running=tuple(running),
        oldest_seconds=board.longest_waits(None, now),
        kinds=kinds,
        granted=board.granted,
        workers=len(present),
        paused=sum(p.is_paused or p.slots < 1 for p in present.values()),
        slots=sum(p.slots for p in present.values()),
        slots_used=sum(map(rooms.working, present)),
        light=sum(map(rooms.light, present)),
        asking=sum(map(rooms.asking, present)),
    )
