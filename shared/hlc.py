"""Hybrid logical clocks: an order of events that follows wall clocks and never runs backwards.

A stamp is one number: milliseconds since the Unix epoch, then a counter for what one millisecond
held (Kulkarni et al., "Logical Physical Clocks", 2014). A device's stamps only grow, and what it
writes after it has read something is stamped later than that. A clock that is wrong by years
stops nobody: whoever receives a stamp clamps it, and the hub's clamp is what all devices use.
"""

from __future__ import annotations

COUNTER_BITS = 5
"""Stamps stay within `shared.ids.COUNT_MAX` until the year 10889."""
AHEAD_MS_MAX = 5 * 60 * 1000
"""How far a stamp may be ahead of the clock of whoever receives it."""


def first_of(milliseconds: int) -> int:
    """Return the first stamp of a millisecond."""
    return max(0, milliseconds) << COUNTER_BITS


def milliseconds_of(stamp: int) -> int:
    """Return the wall-clock part of a stamp."""
    return stamp >> COUNTER_BITS


def tick(last: int, now_ms: int) -> int:
    """Return the stamp of a new event.

    A counter that is full runs over into the milliseconds.

    Args:
        last: the highest stamp written or received here.
        now_ms: the wall clock, which may have jumped either way.
    """
    return max(last + 1, first_of(now_ms))


def clamp(stamp: int, arrived_ms: int) -> int:
    """Return a received stamp, at most `AHEAD_MS_MAX` ahead of the clock at its arrival."""
    return min(stamp, first_of(arrived_ms + AHEAD_MS_MAX))
