"""Which tickets a broker must have lost: decided from when they were published and what is left.

A broker may be killed, emptied or filled anew: a ticket that nobody has taken and that lies in no
queue is published again. One that was taken all the same is harmless, for only one delivery starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.fleet import Ticket

LOST_SECONDS = 15.0
"""How long a ticket may be on its way from its queue to its start."""
AGAIN_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A ticket that was published and not begun."""

    ticket: Ticket
    published_at: float
    """Monotonic seconds; the last time."""
    times: int = 1
    """How often it was published."""

    def is_late(self, now: float) -> bool:
        """Say whether it is time to ask where it is; later each time."""
        wait_seconds: float = min(LOST_SECONDS * 2.0 ** (self.times - 1), AGAIN_SECONDS_MAX)
        return now - self.published_at >= wait_seconds


def late_queues(waiting: Iterable[Waiting], now: float) -> set[str]:
    """Name the queues to look into."""
    return {one.ticket.queue for one in waiting if one.is_late(now)}


def lost(
    waiting: Iterable[Waiting],
    depths: Mapping[str, int],
    begun_published: Mapping[str, float],
    now: float,
) -> list[Ticket]:
    """Say which tickets are to be published again.

    Args:
        waiting: all that were published and not begun.
        depths: messages that lie in the queues that were looked into.
        begun_published: by queue, when the newest ticket that has begun was published. Queues keep
            their order: what was published before it and did not begin is gone.
        now: monotonic seconds.
    """
    return [
        one.ticket
        for one in waiting
        if one.is_late(now)
        and (
            depths.get(one.ticket.queue) == 0
            or begun_published.get(one.ticket.queue, -1.0) > one.published_at + LOST_SECONDS
        )
    ]
