"""How people are spread over hubs when one does not hold them: a simulation to a million workers.

    python -m tests.benchmarks.many_hubs [--workers 1000000] [--seed 10] [--out .benchmarks/hubs]
                                         [--page docs/scale.md]

A person lives on one hub. Compared are ways to choose it (`many_hubs.placing`), for people with
heavy tails of workers and jobs, on hubs that bear what was measured (`many_hubs.people`): how many
hubs it takes, how full they are, who must move when there are more people, whom a hub that fails
takes along, and what people who suddenly want twenty times as much do to their neighbours.
The same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tests.benchmarks.many_hubs.people import (
    DAY_SECONDS,
    Costs,
    Floats,
    Limits,
    People,
    Whole,
    cpu_shares,
    loads,
    made,
)
from tests.benchmarks.many_hubs.placing import (
    BY_HASH,
    STRATEGIES,
    Place,
    hubs_needed,
    totals,
)
from tests.benchmarks.scale.tables import fill

GROWTH = 1.1
"""People and hubs, in one step of growth."""
WEEK_DAYS = 7.0
HOURS = 72
BURST_CHANCE = 0.01
"""Of a person, in an hour."""
BURST_FACTOR = 20.0
BURST_JOBS_PER_SECOND_MAX = 2.0
"""Assumed of people; nothing in a hub holds one who asks for more."""
MOVE_BYTES_PER_SECOND = 20e6
"""To write a person's rows out and in again."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one way of choosing comes to."""

    strategy: str
    hubs: int
    full_p50: float
    full_p99: float
    full_max: float
    moved_share: float
    """Of people, when there are a tenth more of them and of hubs."""
    moved_gigabytes: float
    hit_mean: float
    """Share of people that one hub's failure reaches, on average."""
    hit_max: float
    back_seconds_max: float
    """Until all workers of the fullest hub are online again after it was killed."""
    burst_cpu_p99: float
    """Share of a core, over all hubs and hours."""
    burst_cpu_max: float
    late_share: float
    """Of people's hours, on a hub that has more to do than one core can."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many hubs so many workers take."""

    workers: int
    people: int
    hubs: int
    hubs_of_a_week: int
    """If jobs that have ended were kept for a week."""
    hubs_of_ten: int
    """If besides everybody had ten times the jobs."""


def try_strategy(
    name: str, people: People, newcomers: People, seed: int, costs: Costs, limits: Limits
) -> Found:
    place = STRATEGIES[name]
    hubs, where = hubs_needed(people, place, seed)
    full = totals(people, where, hubs)
    moved = moves(name, people, newcomers, where, hubs, seed)
    crowd = np.bincount(where, minlength=hubs) / len(people)
    workers = np.bincount(where, weights=people.workers, minlength=hubs)
    burst, late = bursts(people, where, hubs, seed, costs)
    return Found(
        strategy=name,
        hubs=hubs,
        full_p50=float(np.median(full)),
        full_p99=float(np.percentile(full, 99)),
        full_max=float(full.max()),
        moved_share=float(moved.mean()),
        moved_gigabytes=float(person_bytes(people, costs, limits)[moved].sum() / 1e9),
        hit_mean=float(crowd.mean()),
        hit_max=float(crowd.max()),
        back_seconds_max=back_seconds(float(workers.max()), costs),
        burst_cpu_p99=float(np.percentile(burst, 99)),
        burst_cpu_max=float(burst.max()),
        late_share=late,
    )


def moves(
    name: str, people: People, newcomers: People, where: Whole, hubs: int, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Say who has to move when newcomers come and hubs are added in proportion.

    By hash, whoever now hashes elsewhere. With a directory nobody but those who must leave a hub
    that is above its limit, the largest first.
    """
    more = int(np.ceil(hubs * GROWTH))
    if name in BY_HASH:
        moved: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
            STRATEGIES[name](people, np.zeros(more), seed) != where
        )
        return moved
    full = totals(people, where, more)
    full += totals(newcomers, STRATEGIES[name](newcomers, full, seed + 1), more)
    leaving = np.zeros(len(people), dtype=np.bool_)
    for hub in np.flatnonzero(full > 1.0):
        here = np.flatnonzero(where == hub)
        largest = here[np.argsort(-people.load[here], kind="stable")]
        left = full[hub] - np.cumsum(people.load[largest])
        leaving[largest[: int(np.searchsorted(-left, -1.0)) + 1]] = True
    return leaving


def bursts(
    people: People, where: Whole, hubs: int, seed: int, costs: Costs
) -> tuple[Floats, float]:
    """Let people want much more for an hour now and then.

    Returns:
        What each hub would use of a core in each hour, and the share of people's hours spent on a
        hub that has more to do than one core can.
    """
    dice = np.random.default_rng(seed + 2)
    a_day = BURST_JOBS_PER_SECOND_MAX * DAY_SECONDS
    calm = cpu_shares(people.workers, people.jobs_per_day, costs)
    wild = cpu_shares(people.workers, np.minimum(people.jobs_per_day * BURST_FACTOR, a_day), costs)
    crowd = np.bincount(where, minlength=hubs)
    hours = np.empty((HOURS, hubs))
    for hour in range(HOURS):
        wanted = np.where(dice.random(len(people)) < BURST_CHANCE, wild, calm)
        hours[hour] = np.bincount(where, weights=wanted, minlength=hubs)
    late = float(((hours > 1.0) * crowd).sum() / (HOURS * len(people)))
    return hours, late


def person_bytes(people: People, costs: Costs, limits: Limits) -> Floats:
    """What a person's rows take in a store."""
    return people.jobs_per_day * limits.kept_days * costs.bytes_per_job


def back_seconds(workers: float, costs: Costs) -> float:
    """How long a hub that was killed needs until so many workers are online: CPU, one core."""
    return costs.start_seconds + workers * costs.connect_ms / 1e3


def sizes(workers: list[int], seed: int, costs: Costs, limits: Limits, place: Place) -> list[Size]:
    """Say how many hubs it takes, one way of choosing, as there are more workers."""
    week = replace(limits, kept_days=WEEK_DAYS)
    found = []
    for count in workers:
        people = made(count, seed, costs, limits)
        short = replace(people, load=loads(people.workers, people.jobs_per_day, costs, week))
        ten = replace(people, load=loads(people.workers, people.jobs_per_day * 10, costs, week))
        hubs, weekly, tenfold = (hubs_needed(one, place, seed)[0] for one in (people, short, ten))
        found.append(Size(int(people.workers.sum()), len(people), hubs, weekly, tenfold))
    return found


def simulate(workers: int, seed: int, costs: Costs, limits: Limits) -> tuple[People, list[Found]]:
    everybody = made(int(workers * GROWTH), seed, costs, limits)
    count = int(np.searchsorted(np.cumsum(everybody.workers), workers)) + 1
    people = everybody.first(count)
    newcomers = People(
        everybody.ids[count:],
        everybody.workers[count:],
        everybody.jobs_per_day[count:],
        everybody.load[count:],
    )
    return people, [
        try_strategy(name, people, newcomers, seed, costs, limits) for name in STRATEGIES
    ]


def told(people: People, found: list[Found], grown: list[Size], limits: Limits) -> str:
    jobs = np.sort(people.jobs_per_day)[::-1]
    top = jobs[: max(1, len(jobs) // 100)].sum() / jobs.sum()
    lines = [
        f"{people.workers.sum():,} workers of {len(people):,} people"
        f" (mean {people.workers.mean():.1f}, at most {people.workers.max()}),"
        f" {jobs.sum() / 1e6:,.1f} million jobs a day, {top:.0%} of them of 1 % of the people;"
        f" a hub is full at {limits.cpu_share:.0%} of a core, {limits.workers:,} workers"
        f" or {limits.store_bytes / 1e9:.0f} GB.",
        "",
        "| way | hubs | full p50 / p99 / max | have to move | GB moved |"
        " one failure reaches, mean / max | all back after, s | CPU with bursts, p99 / max |"
        " late hours |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {f.strategy} | {f.hubs} | {f.full_p50:.0%} / {f.full_p99:.0%} / {f.full_max:.0%}"
        f" | {f.moved_share:.3%} | {f.moved_gigabytes:,.0f}"
        f" | {f.hit_mean:.2%} / {f.hit_max:.2%} | {f.back_seconds_max:.0f}"
        f" | {f.burst_cpu_p99:.0%} / {f.burst_cpu_max:.0%} | {f.late_share:.3%} |"
        for f in found
    ]
    lines += [
        "",
        f"| workers | people | hubs | hubs, jobs kept {WEEK_DAYS:.0f} days |"
        " hubs, and ten times the jobs |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {s.workers:,} | {s.people:,} | {s.hubs} | {s.hubs_of_a_week} | {s.hubs_of_ten} |"
        for s in grown
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--workers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path(".benchmarks/hubs"))
    parser.add_argument("--page", type=Path, help="a page whose tables are to be these")
    asked = parser.parse_args()
    costs, limits = Costs(), Limits()
    begun = time.monotonic()
    people, found = simulate(asked.workers, asked.seed, costs, limits)
    steps = [n for n in (1_000, 10_000, 100_000) if n < asked.workers] + [asked.workers]
    grown = sizes(steps, asked.seed, costs, limits, STRATEGIES["two choices"])
    words = told(people, found, grown, limits)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "costs": asdict(costs),
        "limits": asdict(limits),
        "strategies": [asdict(f) for f in found],
        "sizes": [asdict(s) for s in grown],
    }
    asked.out.with_suffix(".json").write_text(json.dumps(kept, indent=1))
    asked.out.with_suffix(".md").write_text(words)
    if asked.page is not None:
        fill(asked.page, "hubs", words)
    print(words)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
