"""Many hubs, simulated: nobody is lost, no hub is over its limit, a seed is a result."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.many_hubs.__main__ import bursts, moves, simulate, told
from tests.benchmarks.many_hubs.people import (
    JOBS_PER_DAY_MAX,
    JOBS_PER_DAY_MIN,
    WORKERS_MAX,
    Costs,
    Limits,
    People,
    bounded_pareto,
    cpu_shares,
    made,
)
from tests.benchmarks.many_hubs.placing import (
    BY_HASH,
    STRATEGIES,
    hubs_needed,
    rendezvous,
    totals,
)

COSTS, LIMITS = Costs(), Limits()
WORKERS = 40_000
ALL = pytest.mark.parametrize("name", STRATEGIES)


@pytest.fixture(scope="module")
def people() -> People:
    return made(WORKERS, 7, COSTS, LIMITS)


def test_people_have_as_many_workers_between_them_as_asked_for(people: People) -> None:
    assert WORKERS <= people.workers.sum() < WORKERS + WORKERS_MAX
    assert people.workers.min() >= 1
    assert people.workers.max() <= WORKERS_MAX
    assert people.jobs_per_day.min() >= JOBS_PER_DAY_MIN
    assert people.jobs_per_day.max() <= JOBS_PER_DAY_MAX


def test_a_person_has_four_workers_on_average_and_jobs_a_heavy_tail() -> None:
    many = made(400_000, 7, COSTS, LIMITS)
    assert many.workers.mean() == pytest.approx(4.0, abs=0.15)
    jobs = np.sort(many.jobs_per_day)[::-1]
    assert jobs[: len(jobs) // 100].sum() > 0.5 * jobs.sum()
    assert np.median(jobs) < 0.1 * jobs.mean()


def test_the_pareto_stays_between_its_ends_and_reaches_both() -> None:
    drawn = bounded_pareto(np.linspace(0.0, 1.0, 1001), 0.69, 2.0, 20_000.0)
    assert drawn[0] == pytest.approx(2.0)
    assert drawn[-1] == pytest.approx(20_000.0)
    assert np.all(np.diff(drawn) > 0)


@ALL
def test_everybody_lives_on_one_hub_and_no_hub_is_over_its_limit(name: str, people: People) -> None:
    hubs, where = hubs_needed(people, STRATEGIES[name], 7)
    full = totals(people, where, hubs)
    assert len(where) == len(people)
    assert where.min() >= 0
    assert where.max() < hubs
    assert full.sum() == pytest.approx(people.load.sum())
    assert full.max() <= 1.0
    assert np.bincount(where, minlength=hubs).sum() == len(people)


@ALL
def test_the_same_seed_places_everybody_alike(name: str, people: People) -> None:
    one, again = (STRATEGIES[name](people, np.zeros(11), 5) for _ in range(2))
    assert np.array_equal(one, again)


def test_two_runs_say_the_same() -> None:
    runs = [simulate(5_000, 3, COSTS, LIMITS) for _ in range(2)]
    first, second = (told(people, found, [], LIMITS) for people, found in runs)
    assert first == second


def test_who_looks_at_loads_needs_fewer_hubs_than_who_does_not(people: People) -> None:
    needed = {name: hubs_needed(people, place, 7)[0] for name, place in STRATEGIES.items()}
    assert needed["least loaded"] <= needed["two choices"] < needed["random"]


@pytest.mark.parametrize("name", sorted(BY_HASH))
def test_a_hub_more_takes_its_share_and_moves_nobody_else(name: str, people: People) -> None:
    before = STRATEGIES[name](people, np.zeros(20), 0)
    after = STRATEGIES[name](people, np.zeros(21), 0)
    moved = before != after
    assert np.all(after[moved] == 20)
    assert moved.mean() == pytest.approx(1 / 21, rel=0.35)


def test_rendezvous_gives_each_hub_what_it_weighs(people: People) -> None:
    weights = np.array([1.0, 1.0, 2.0, 4.0])
    shares = np.bincount(rendezvous(people.ids, weights), minlength=4) / len(people)
    assert shares == pytest.approx(weights / weights.sum(), abs=0.02)
    even = rendezvous(people.ids, np.ones(4))
    nearly_even = rendezvous(people.ids, np.array([1.0, 1.0, 1.0, 1.0 + 1e-12]))
    assert (even == nearly_even).mean() > 0.999


def test_with_a_directory_only_those_leave_who_must(people: People) -> None:
    hubs, where = hubs_needed(people, STRATEGIES["least loaded"], 7)
    nobody = people.first(0)
    assert not moves("least loaded", people, nobody, where, hubs, 7).any()
    crowded = np.where(where == 1, 0, where)
    leaving = moves("least loaded", people, nobody, crowded, hubs, 7)
    assert set(crowded[leaving]) == {0}
    stay = totals(people, crowded, hubs)[0] - people.load[leaving].sum()
    assert stay <= 1.0
    assert stay + people.load[leaving].min() > 1.0


def test_bursts_add_and_never_take_away(people: People) -> None:
    hubs, where = hubs_needed(people, STRATEGIES["two choices"], 7)
    wanted, late = bursts(people, where, hubs, 7, COSTS)
    calm = np.bincount(
        where, weights=cpu_shares(people.workers, people.jobs_per_day, COSTS), minlength=hubs
    )
    assert np.all(wanted >= calm - 1e-12)
    assert wanted.sum() > 1.01 * calm.sum() * len(wanted)
    assert 0.0 <= late < 1.0
