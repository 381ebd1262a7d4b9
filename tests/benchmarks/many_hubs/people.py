"""Who there is in `tests.benchmarks.many_hubs`, and what one hub bears.

Workers of a person: a Pareto tail, rounded, 1 to 100 (the hub's own limit). Its mean is set to 4.0,
as BOINC counts: 34,236 active participants with 136,341 hosts (November 2021; 2.7 in January 2018).
Jobs of a person: a Pareto tail as heavy as that of Google's clusters, whose top 1 % of jobs take
over 99 % of all (Tirmazi et al., "Borg: the Next Generation", EuroSys 2020: alpha 0.69), cut off
at what one hub could do for one person at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Whole = NDArray[np.signedinteger]

WORKERS_MAX = 100
WORKERS_ALPHA = 1.06
"""Gives a mean of 4.0 after rounding down and the cut at 100 (a test holds it to that)."""
JOBS_ALPHA = 0.69
JOBS_PER_DAY_MIN = 2.0
JOBS_PER_DAY_MAX = 20_000.0
DAY_SECONDS = 86_400.0
EVENTS_PER_JOB = 6.0
BUSY_FACTOR = 4.0
"""How much more than the day's mean there is in its busiest hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What people take of a hub, as docs/scale.md measured it."""

    rest_us_per_worker: float = 11.0
    """Of CPU a second, with beats."""
    job_us: float = 1_800.0
    """Of CPU, of a person with one worker."""
    job_us_per_worker: float = 45.0
    """Of CPU more for each worker of its person: all of them are told all."""
    hub_mib: float = 85.0
    kib_per_worker: float = 42.0
    bytes_per_job: float = 4_300.0
    connect_ms: float = 1.5
    """Of CPU, for each worker that comes back after the hub was away."""
    start_seconds: float = 4.0
    """Of a hub on a store of a million jobs, on a machine that has nothing else to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where we call a hub full."""

    cpu_share: float = 0.6
    """Of one core in the busiest hour: its loop is one thread, and waits grow beyond it."""
    workers: int = 5_000
    """All of them come back in a few seconds of CPU."""
    store_bytes: float = 50e9
    """Backups are taken while it runs, and brought back in minutes."""
    kept_days: float = 90.0


@dataclass(frozen=True, slots=True)
class People:
    """A row for each person; `load` is the share of a hub that they take, of what is scarcest."""

    ids: NDArray[np.uint64]
    workers: Whole
    jobs_per_day: Floats
    load: Floats

    def __len__(self) -> int:
        return len(self.ids)

    def first(self, count: int) -> People:
        """The people who came first."""
        return People(
            self.ids[:count], self.workers[:count], self.jobs_per_day[:count], self.load[:count]
        )


def made(workers: int, seed: int, costs: Costs, limits: Limits) -> People:
    """Make people until they have so many workers between them (within one person's)."""
    dice = np.random.default_rng(seed)
    count = max(16, workers)  # nobody has less than one
    each = bounded_pareto(dice.random(count), WORKERS_ALPHA, 1.0, WORKERS_MAX + 1.0).astype(
        np.int64
    )
    count = int(np.searchsorted(np.cumsum(each), workers)) + 1
    each = each[:count]
    jobs = bounded_pareto(dice.random(count), JOBS_ALPHA, JOBS_PER_DAY_MIN, JOBS_PER_DAY_MAX)
    # Whoever has many machines has many jobs, as a rule, but not in proportion.
    jobs = np.minimum(jobs * np.sqrt(each), JOBS_PER_DAY_MAX)
    ids = dice.integers(0, 2**63, count, dtype=np.uint64)
    return People(ids, each, jobs, loads(each, jobs, costs, limits))


def loads(each: Whole, jobs_per_day: Floats, costs: Costs, limits: Limits) -> Floats:
    """What share of a hub each person takes: the largest of CPU, workers and disk."""
    cpu = cpu_shares(each, jobs_per_day * BUSY_FACTOR, costs) / limits.cpu_share
    disk = jobs_per_day * limits.kept_days * costs.bytes_per_job / limits.store_bytes
    found: Floats = np.maximum(np.maximum(cpu, each / limits.workers), disk)
    return found


def cpu_shares(each: Whole, jobs_per_day: Floats, costs: Costs) -> Floats:
    """What share of a core each person takes."""
    a_job = costs.job_us + costs.job_us_per_worker * (each - 1)
    found: Floats = (each * costs.rest_us_per_worker + jobs_per_day / DAY_SECONDS * a_job) / 1e6
    return found


def bounded_pareto(uniform: Floats, alpha: float, low: float, high: float) -> Floats:
    """Draw from a Pareto distribution cut off at both ends, by its inverse."""
    ratio = (low / high) ** alpha
    found: Floats = low * (1.0 - uniform * (1.0 - ratio)) ** (-1.0 / alpha)
    return found
