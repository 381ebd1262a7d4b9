"""A worker's place for a job that is only being asked for, so that both are written as one.

A worker says ahead which jobs it takes unasked (`Capability.unasked`). If nothing else of the
person's waits, such a job is granted in the transaction that makes it: no offer, no second commit.
Like an offer, a seat is a reservation in memory; unlike one, nobody is told of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from hub.core.board import Board
from hub.core.choice import most_able
from hub.core.job import Job
from hub.core.lane import Lane, LaneKey
from shared.ids import PersonId, SessionId, WorkerId
from shared.jobs import Origin

LANES_MAX = 1000
"""Lanes remembered; making one costs as much as the rest of a look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Reserved on the board until `leave`."""

    worker_id: WorkerId
    person_id: PersonId
    kind: str
    tools: tuple[str, ...]
    session_id: SessionId
    """Of the session that the job opens there."""

    def suits(self, job: Job) -> bool:
        """Say whether a job, as it turned out, may be given to its worker at once."""
        return (
            (job.person_id, job.kind, job.tools) == (self.person_id, self.kind, self.tools)
            and job.pinned_to in (None, self.worker_id)
            and job.session_id is None
        )


def take(
    board: Board,
    person_id: PersonId,
    kind: str,
    tools: tuple[str, ...],
    origin: Origin,
    *,
    mint: Callable[[], SessionId],
) -> Seat | None:
    """Reserve a place with the worker that would be offered the job, if it takes it unasked.

    Args:
        board: where the place is reserved.
        person_id: whose job it will be.
        kind: of the job.
        tools: that it needs.
        origin: where it comes from.
        mint: makes the id of the session that it opens.

    Returns:
        The seat, to be left (`leave`) when the job is written or is not; None when whatever else
        waits comes first, when nobody has room, or when who has most of it wants to be asked.
    """
    if board.ready_count(person_id):
        return None
    free = board.rooms.free(board.workers_of(person_id), is_light=board.rooms.is_light(kind))
    worker_id = most_able(_lane(person_id, kind, tools), free, board.rooms)
    if worker_id is None or not board.present[worker_id].takes_unasked(kind, origin):
        return None
    board.rooms.reserve(worker_id, kind)
    return Seat(worker_id=worker_id, person_id=person_id, kind=kind, tools=tools, session_id=mint())


@lru_cache(maxsize=LANES_MAX)
def _lane(person_id: PersonId, kind: str, tools: tuple[str, ...]) -> Lane:
    """The lane that such a job would stand in, had it to wait; nothing is ever put into it."""
    return Lane(LaneKey(person_id, kind, tools, pinned_to=None, barred=frozenset(), is_part=False))


def leave(board: Board, seat: Seat) -> bool:
    """End a reservation: its job holds the place itself now, or came to nothing.

    Returns whether something waits that may have found the place taken.
    """
    board.rooms.reserve(seat.worker_id, seat.kind, -1)
    if not board.ready_count(seat.person_id):
        return False
    board.stir(seat.person_id)
    return True
