"""What waits, in groups that wait for the same thing, with the reason of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from hub.core.board import Board
from hub.core.lane import Ready
from hub.core.placement import Waiting, WaitingReason, why
from hub.core.worker import Worker
from shared.capabilities import Lacking
from shared.ids import JobId, WorkerId

LOOKED_AT_MAX = 5_000
"""Waiting jobs of one person that are looked at: a glance must not hold up the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Jobs that wait for the same reason."""

    waiting: Waiting
    """Facts of the one that waits longest."""
    count: int
    oldest_id: JobId
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    groups: tuple[Group, ...]
    """The largest first."""
    looked_at: int
    """With more than LOOKED_AT_MAX of a person, these are the figures of as many."""


@dataclass(slots=True)
class _Pile:
    oldest: Ready
    count: int = 0


@dataclass(slots=True)
class Piles:
    """Waiting jobs by what they have in common; takes in one person's after the other's."""

    groups: list[Group] = field(default_factory=list)
    looked_at: int = 0

    def take(
        self,
        ready: Iterable[Ready],
        board: Board,
        registered: Sequence[Worker],
        *,
        now: float,
        wall: datetime,
        lacking: Mapping[WorkerId, Sequence[Lacking]] = MappingProxyType({}),
    ) -> None:
        """Take in one person's waiting jobs."""
        piles: dict[tuple[object, ...], _Pile] = {}
        for one in ready:
            # Those of one lane can be run by the same workers; a wait after a failure is another.
            common = (one.key, one.place)
            pile = piles.setdefault(common, _Pile(one))
            pile.count += 1
            if one.since < pile.oldest.since:
                pile.oldest = one
            self.looked_at += 1
        for pile in piles.values():
            job = pile.oldest.job
            told = why(pile.oldest, job, board, registered, now=now, wall=wall, lacking=lacking)
            if told is not None:
                self.groups.append(
                    Group(
                        waiting=told,
                        count=pile.count,
                        oldest_id=job.job_id,
                        oldest_at=job.created_at,
                    )
                )

    def backlog(self) -> Backlog:
        merged: dict[tuple[WaitingReason, str, WorkerId | None, tuple[str, ...]], Group] = {}
        for group in self.groups:
            told = group.waiting
            worker_id = told.worker_id if told.reason in _OF_ONE_WORKER else None
            same = (told.reason, told.kind, worker_id, (told.detail, *told.missing))
            merged[same] = _joined(merged[same], group) if same in merged else group
        groups = sorted(merged.values(), key=lambda group: (-group.count, group.oldest_at))
        return Backlog(
            groups=tuple(groups),
            looked_at=self.looked_at,
        )


_OF_ONE_WORKER = frozenset(
    {WaitingReason.WORKER_OFFLINE, WaitingReason.KIND_MISSING, WaitingReason.TOOLS_MISSING}
)


def _joined(one: Group, other: Group) -> Group:
    older = min(one, other, key=lambda group: group.oldest_at)
    return Group(
        waiting=older.waiting,
        count=one.count + other.count,
        oldest_id=older.oldest_id,
        oldest_at=older.oldest_at,
    )
