"""Ways to say on which hub a person lives, for `tests.benchmarks.many_hubs`.

Each takes people in the order of their coming and returns the number of a hub for each. Those that
hash need nothing but the list of hubs, and find a person again by computing; all others need a
directory that says where everybody is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.many_hubs.people import Floats, People, Whole

Ids = NDArray[np.uint64]
Place = Callable[[People, Floats, int], Whole]
"""Who comes, how full each hub is before (1.0: its limit), a seed; the hub of each who comes."""

POINTS_PER_HUB = 128
"""On the ring."""
CHUNK = 1_000
"""People hashed at once: what they need stays in the processor's cache."""


def at_random(people: People, full: Floats, seed: int) -> Whole:
    return np.random.default_rng(seed).integers(0, len(full), len(people))


def by_turns(people: People, full: Floats, _seed: int) -> Whole:
    return np.arange(len(people), dtype=np.int64) % len(full)


def least_loaded(people: People, full: Floats, _seed: int) -> Whole:
    """Whoever comes goes where most room is; all loads must be known at one place."""
    heap = [(before, hub) for hub, before in enumerate(full.tolist())]
    heapq.heapify(heap)
    found = np.empty(len(people), dtype=np.int64)
    for number, load in enumerate(people.load.tolist()):
        before, hub = heap[0]
        found[number] = hub
        heapq.heapreplace(heap, (before + load, hub))
    return found


def of_two(people: People, full: Floats, seed: int) -> Whole:
    """The emptier of two drawn hubs (Mitzenmacher, Richa, Sitaraman 2001): two loads are asked."""
    drawn = np.random.default_rng(seed).integers(0, len(full), (len(people), 2)).tolist()
    now = full.tolist()
    found = np.empty(len(people), dtype=np.int64)
    for number, ((one, other), load) in enumerate(zip(drawn, people.load.tolist(), strict=True)):
        hub = one if now[one] <= now[other] else other
        now[hub] += load
        found[number] = hub
    return found


def on_a_ring(people: People, full: Floats, _seed: int) -> Whole:
    """Consistent hashing (Karger et al. 1997) with 128 points for each hub."""
    numbers = np.arange(len(full) * POINTS_PER_HUB, dtype=np.uint64)
    points = mixed(numbers + np.uint64(0x5EED))
    order = np.argsort(points, kind="stable")
    nearest = np.searchsorted(points[order], mixed(people.ids)) % len(points)
    owners: Whole = (numbers[order[nearest]] // np.uint64(POINTS_PER_HUB)).astype(np.int64)
    return owners


def by_rendezvous(people: People, full: Floats, _seed: int) -> Whole:
    return rendezvous(people.ids, np.ones(len(full)))


def rendezvous(ids: Ids, weights: Floats) -> Whole:
    """Highest random weight (Thaler, Ravishankar 1998), -w / ln(u) for hubs that are not alike."""
    keys = mixed(np.arange(len(weights), dtype=np.uint64) + np.uint64(1))
    found = np.empty(len(ids), dtype=np.int64)
    is_even = bool(np.all(weights == weights[0]))
    for begin in range(0, len(ids), CHUNK):
        some = mixed(ids[begin : begin + CHUNK])[:, None] ^ keys[None, :]
        drawn = mixed(some)
        if is_even:
            found[begin : begin + CHUNK] = drawn.argmax(axis=1)
            continue
        uniform = (drawn >> np.uint64(11)).astype(np.float64) / 2.0**53
        scores = -weights / np.log(np.maximum(uniform, 2.0**-54))
        found[begin : begin + CHUNK] = scores.argmax(axis=1)
    return found


def mixed(numbers: Ids) -> Ids:
    """Hash whole numbers (splitmix64's finalizer; Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        z = numbers + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


STRATEGIES: Mapping[str, Place] = {
    "random": at_random,
    "by turns": by_turns,
    "ring": on_a_ring,
    "rendezvous": by_rendezvous,
    "two choices": of_two,
    "least loaded": least_loaded,
}
BY_HASH = frozenset({"ring", "rendezvous"})
"""A person is found by computing; when hubs are added, whoever hashes elsewhere has to move."""


def totals(people: People, where: Whole, hubs: int) -> Floats:
    """How full each hub is; 1.0 is its limit."""
    return np.bincount(where, weights=people.load, minlength=hubs).astype(np.float64)


def hubs_needed(people: People, place: Place, seed: int) -> tuple[int, Whole]:
    """Find how few hubs do, so that none is above its limit (to about a hundredth).

    Returns:
        How many, and where everybody is then.
    """
    least = max(1, int(np.ceil(people.load.sum())))
    low, high = least - 1, least
    found = place(people, np.zeros(high), seed)
    while totals(people, found, high).max() > 1.0:
        low, high = high, int(np.ceil(high * 1.5))
        found = place(people, np.zeros(high), seed)
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        tried = place(people, np.zeros(middle), seed)
        if totals(people, tried, middle).max() <= 1.0:
            high, found = middle, tried
        else:
            low = middle
    return high, found
