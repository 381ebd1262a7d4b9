"""Figures of a worker, as a monitoring program reads them; they name nobody and no work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.histogram import Histogram


@dataclass(slots=True)
class Tally:
    """What a runner counts since this program has started."""

    begun: int = 0
    """Attempts whose child was started, or that were handed to the shared one."""
    ends: Counter[str] = field(default_factory=Counter)
    """Attempts that are over, by `desktop.core.outcome.Ending`."""
    children: int = 0
    """Processes that were started for jobs."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How a worker, or a node of a fleet, is now."""

    link: str = "none"
    """`desktop.core.link.LinkState`; "none" while it belongs to no hub."""
    reconnects: int = 0
    """How often the line came up again after it was lost."""
    running: int = 0
    waiting: int = 0
    asking: int = 0
    tally: Tally = field(default_factory=Tally)
    memory_bytes: int = 0
    """Resident, of this program without its children."""
    outbox_events: int | None = None
    """Events that the hub has not confirmed; None for what keeps no log."""
    outbox_oldest_seconds: float | None = None
    """Age of the oldest of them; 0 when there is none."""
    behind_events: int | None = None
    """Events of the hub that are still being fetched, as far as is known."""
    commits: Histogram | None = None
    """How long its store took to commit; None for what has none."""
    more: Mapping[str, float] = field(default_factory=dict)
    """Gauges of whoever serves the page besides, by name: "deskhand_worker_…"."""
