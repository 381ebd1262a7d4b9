"""Reads every figure once: names of the catalogue, each with its samples. Waits for nothing."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hub.core.fleet_calls import FleetSeen
from hub.core.line_counts import FRAME_CODES, LineEnd
from hub.frontends.metrics.fleet import read_fleet
from hub.frontends.metrics.sources import Sources
from hub.ports import HealthState
from hub.services.census import Counted
from hub.services.counts import ENDS, OTHER
from shared.errors import DISK_FULL, STORE_CORRUPT, STORE_FAILED
from shared.histogram import Histogram
from shared.jobs import JobState, Priority
from shared.times import to_ms

Samples = Sequence[tuple[tuple[str, ...], float]] | Histogram
Reading = tuple[str, Samples]
"""A figure's name without its prefix, and its values, each with those of its labels."""

BEHIND_POSITIONS = 1000
"""A worker that nothing concerns may be as far behind (`hub.engines.connection`)."""
TROUBLES = (DISK_FULL, STORE_FAILED, STORE_CORRUPT)


def read_all(
    sources: Sources, census: Counted | None, fleet: FleetSeen | None, seconds: float
) -> Iterator[Reading]:
    """Read all figures.

    Args:
        sources: what is in memory.
        census: what was counted in the store; None when that cannot be read: then it is left out.
        fleet: how the fleet is; None without one.
        seconds: how long the scrape before this one took.
    """
    yield from _program(sources, seconds)
    yield from _queue(sources)
    yield from _workers(sources)
    yield from _store(sources)
    if census is not None:
        yield from _counted(sources, census)
    yield from _frontends(sources, census)
    yield from read_fleet(fleet)


def _program(sources: Sources, seconds: float) -> Iterator[Reading]:
    yield "build_info", [((sources.version, platform.python_version()), 1)]
    yield "log_position", _one(sources.position())
    yield "event_loop_lag_seconds", sources.watch.lag.seconds
    yield "metrics_seconds", _one(seconds)


def _queue(sources: Sources) -> Iterator[Reading]:
    depths = sources.depths()
    by_state = {"waiting": depths.waiting, "offered": depths.offered, "running": depths.running}
    yield (
        "queue_jobs",
        [
            ((priority, state), counts[priority.rank])
            for priority in Priority
            for state, counts in by_state.items()
        ],
    )
    waits = [((priority,), depths.oldest_seconds[priority.rank]) for priority in Priority]
    yield "queue_oldest_wait_seconds", waits
    kinds: Counter[tuple[str, ...]] = Counter()
    for kind, (waiting, running) in depths.kinds.items():
        name = sources.watch.counts.name_of(kind)
        kinds[name, "waiting"] += waiting
        kinds[name, "running"] += running
    every = (*sources.watch.counts.kinds, OTHER)
    yield (
        "kind_jobs",
        [((kind, state), kinds[kind, state]) for kind in every for state in ("waiting", "running")],
    )
    yield "grants_held", _one(depths.granted)
    yield "job_wait_seconds", sources.wait_seconds
    ended = sources.watch.counts.ended
    ends = sorted(ENDS)
    yield "jobs_ended_total", [((kind, end), ended[kind, end]) for kind in every for end in ends]
    yield "late_results_total", _one(sources.late_results())
    yield (
        "workers",
        [
            (("ready",), depths.workers - depths.paused),
            (("paused",), depths.paused),
        ],
    )
    yield (
        "worker_slots",
        [
            (("used",), depths.slots_used),
            (("free",), max(0, depths.slots - depths.slots_used)),
        ],
    )
    yield "worker_attempts", [(("light",), depths.light), (("asking",), depths.asking)]


def _workers(sources: Sources) -> Iterator[Reading]:
    connected = [((engine.name,), len(engine.connected())) for engine in sources.engines()]
    yield "workers_connected", connected
    lags = sources.lags()
    yield "worker_lag_positions_max", _one(max(lags, default=0))
    yield "workers_behind", _one(sum(lag > BEHIND_POSITIONS for lag in lags))
    lines = sources.lines
    yield "worker_connections_total", _one(lines.came)
    yield "worker_reconnects_total", _one(lines.came_again)
    yield "worker_connections_refused_total", _one(lines.turned_away)
    yield "worker_disconnects_total", [((end,), lines.ends[end]) for end in LineEnd]
    codes = dict.fromkeys((*FRAME_CODES, *lines.rejected))
    yield "frames_rejected_total", [((code,), lines.rejected[code]) for code in codes]
    yield "events_refused_total", [((code,), n) for code, n in sources.refused().items()]


def _store(sources: Sources) -> Iterator[Reading]:
    yield "commit_seconds", sources.commit_seconds
    yield "transactions_total", _one(sources.watch.counts.transactions)
    yield "events_total", [((type_,), n) for type_, n in sources.watch.counts.events.items()]
    trouble = sources.trouble()
    code = trouble.code if trouble else ""
    yield "store_trouble", [((one,), float(one == code)) for one in TROUBLES]


def _counted(sources: Sources, census: Counted) -> Iterator[Reading]:
    aside = census.set_aside
    states = (JobState.ASKING, JobState.INTERRUPTED)
    yield "jobs_set_aside", [((state,), aside[state]) for state in states]
    yield "dead_letters", _one(aside[JobState.DEAD])
    yield "questions_open", _one(census.questions)
    yield "outbox_unworded_events", _one(max(0, census.position - census.worded_upto))
    yield "census_age_seconds", _one(sources.environment.monotonic() - census.taken_at)
    if (upkeep := census.upkeep) is not None:
        yield "store_bytes", _one(upkeep.store_bytes)
        yield "disk_free_bytes", _one(upkeep.free_bytes)
        yield "backups", _one(upkeep.backups)
        yield "backups_wanted", _one(upkeep.keep)
        yield "backup_newest_timestamp_seconds", _one(_seconds(upkeep.newest_at))
        yield "backup_newest_bytes", _one(upkeep.newest_bytes)


def _frontends(sources: Sources, census: Counted | None) -> Iterator[Reading]:
    told = sources.frontends()
    yield (
        "frontend_state",
        [
            ((name, state), float(state is health.state))
            for name, health in told
            for state in HealthState
        ],
    )
    if census is None:
        return
    names = [name for name, _ in told]
    waiting = dict.fromkeys((*names, OTHER), 0)
    oldest = dict.fromkeys((*names, OTHER), 0.0)
    now_ms = to_ms(sources.environment.now())
    for frontend, rest in census.rests.items():
        name = frontend if frontend in waiting else OTHER
        waiting[name] += rest.waiting
        oldest[name] = max(oldest[name], (now_ms - rest.oldest_due_ms) / 1000)
    yield "deliveries_waiting", [((name,), n) for name, n in waiting.items()]
    yield "deliveries_oldest_wait_seconds", [((name,), s) for name, s in oldest.items()]


def _one(value: float) -> Samples:
    return [((), value)]


def _seconds(at: datetime | None) -> float:
    return 0.0 if at is None else at.astimezone(UTC).timestamp()
