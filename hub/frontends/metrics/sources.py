"""Where the figures come from: what is in memory, and a census that is some seconds old."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hub.core.depths import Depths
from hub.core.fleet_calls import FleetSeen
from hub.core.line_counts import LineCounts
from hub.frontends.metrics.loop_lag import LoopLag
from hub.ports import Engine, Health
from hub.services.census import Census
from hub.services.counts import Counts
from shared.environment import Environment
from shared.errors import AppError
from shared.histogram import Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What looks on from the hub's start, whether or not anybody asks."""

    counts: Counts
    census: Census
    lag: LoopLag


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    environment: Environment
    version: str
    watch: Watch
    depths: Callable[[], Depths]
    position: Callable[[], int]
    """Where the hub's log ends."""
    engines: Callable[[], Sequence[Engine]]
    lines: LineCounts
    lags: Callable[[], Sequence[int]]
    """Of each worker that has a line: how many positions of the log it has not seen."""
    late_results: Callable[[], int]
    refused: Callable[[], dict[str, int]]
    """Events of workers' logs that were passed over, by code."""
    trouble: Callable[[], AppError | None]
    """What is the matter with the store."""
    wait_seconds: Histogram
    commit_seconds: Histogram
    frontends: Callable[[], Sequence[tuple[str, Health]]]
    fleet: Callable[[], Awaitable[FleetSeen | None]]
    """None before it could be looked at."""
