"""Runs of probes, made up: rows as the transcripts give them, and clustered answers by a law."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from desktop.core.llm.types import CellState, ProbeRow
from desktop.jobs.llm.stats.cells import Floats
from desktop.jobs.llm.stats.figures import Sums

SAFETY_FREEDOM = (("A", "safety"), ("B", "freedom"))
SCALE = tuple((str(number), "") for number in range(1, 6))


def a_row(
    scenario: str = "s1",
    model: str = "local:tiny",
    repeat: int = 0,
    choice: str = "A",
    *,
    state: CellState = CellState.ANSWERED,
    options: tuple[tuple[str, str], ...] = SAFETY_FREEDOM,
    cluster: str = "",
    fault: str = "",
) -> ProbeRow:
    return ProbeRow(
        index=0, scenario=scenario, cluster=cluster or scenario, model=model, repeat=repeat,
        state=state, choice=choice if state is CellState.ANSWERED else "", options=options,
        fault=fault, tokens=10, total_ms=5.0,
    )  # fmt: skip


def a_run(
    *,
    scenarios: int = 20,
    models: Sequence[str] = ("local:tiny", "local:tiny2"),
    repeats: int = 3,
    values: Sequence[str] = ("safety", "freedom", "truth"),
    seed: int = 1,
    lost_share: float = 0.05,
) -> list[ProbeRow]:
    """Make a run in which each model has its own leaning in each scenario."""
    random = Random(seed)
    rows = []
    for number in range(scenarios):
        first, second = random.sample(list(values), 2)
        for model in models:
            leaning = random.betavariate(1, 1)
            for repeat in range(repeats):
                lost = random.random() < lost_share
                rows.append(
                    a_row(
                        f"s{number}", model, repeat, "A" if random.random() < leaning else "B",
                        state=random.choice([CellState.FAILED, CellState.REFUSED])
                        if lost else CellState.ANSWERED,
                        options=(("A", first), ("B", second)),
                    )
                )  # fmt: skip
    return rows


def clustered(
    random: np.random.Generator, *, runs: int, clusters: int, share: float, alike: float,
    size: int = 4, is_unequal: bool = False,
) -> Sums:  # fmt: skip
    """Make the answers of many runs, summed by cluster: arrays [clusters, runs].

    The share of each cluster is drawn from a beta distribution; `alike` is the correlation of two
    answers of one cluster.
    """
    sizes = np.full((clusters, runs), size)
    if is_unequal:
        sizes = random.integers(1, 2 * size, (clusters, runs))
    shares = shares_of(random, (clusters, runs), share, alike)
    wins = random.binomial(sizes, shares).astype(np.float64)
    return Sums(wins, sizes.astype(np.float64), wins, [int(n) for n in sizes.sum(axis=0)])


def shares_of(
    random: np.random.Generator, shape: tuple[int, int], share: float, alike: float
) -> Floats:
    if not alike:
        return np.full(shape, share)
    both = (1 - alike) / alike
    return random.beta(share * both, (1 - share) * both, shape)
