"""How often intervals of a run's statistics hold the truth, and how often a test finds nothing.

    python -m tests.benchmarks.statistics.coverage [RUNS]

Runs are made by laws whose truth is known: each cluster has a share of its own, drawn from a beta
distribution, and `alike` is the correlation of two answers of one cluster. 95 % intervals should
hold the truth in 93 to 97 of 100 runs; a test at 5 % should find a difference between equal models
in 5 of 100. Beside each stands what is usually done: every answer taken for independent.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from desktop.jobs.llm.stats.agreement import agreement_of, cohen
from desktop.jobs.llm.stats.cells import Floats
from desktop.jobs.llm.stats.differences import Compared, compare
from desktop.jobs.llm.stats.figures import Sums, figures
from desktop.jobs.llm.stats.report import Interval
from desktop.jobs.llm.stats.resampling import Resampling
from tests.desktop.jobs.llm.stats.made_runs import clustered, shares_of

RUNS = 4000
AT_ONCE = 200
"""So many made runs share their draws."""
SIZE = 4
CLUSTERS = (5, 8, 10, 20, 50, 200)
SHARES = (0.5, 0.2, 0.05)
LAWS = ((0.0, False), (0.3, False), (0.7, True))
"""How alike answers of a cluster are, and whether clusters differ in size (1 to 7)."""


@dataclass(frozen=True, slots=True)
class Law:
    clusters: int
    share: float
    alike: float
    is_unequal: bool

    def __str__(self) -> str:
        sizes = "1 to 7" if self.is_unequal else str(SIZE)
        return f"{self.clusters} | {sizes} | {self.share} | {self.alike}"

    def batches(self, runs: int) -> Iterator[tuple[np.random.Generator, int, Resampling]]:
        """Give a generator, how many runs to make with it, and the draws for them."""
        random = np.random.default_rng([self.clusters, int(100 * self.share), runs])
        for seed, start in enumerate(range(0, runs, AT_ONCE)):
            yield random, min(AT_ONCE, runs - start), Resampling(self.clusters, seed)

    def made(self, random: np.random.Generator, runs: int) -> Sums:
        return clustered(
            random, runs=runs, clusters=self.clusters, share=self.share, alike=self.alike,
            size=SIZE, is_unequal=self.is_unequal,
        )  # fmt: skip


def holds(interval: Interval | None, truth: float) -> bool:
    return interval is not None and interval.low <= truth <= interval.high


def rates(law: Law, runs: int) -> tuple[float, float, float]:
    """Give the coverage of Wilson's interval, of ours, and the mean width of ours."""
    plain = ours = 0
    width = 0.0
    for random, count, resampling in law.batches(runs):
        for one in figures(law.made(random, count), resampling, is_share=True):
            plain += holds(one.wilson, law.share)
            ours += holds(one.interval, law.share)
            width += one.interval.high - one.interval.low if one.interval else 1.0
    return plain / runs, ours / runs, width / runs


def means(law: Law, runs: int) -> tuple[float, float]:
    """Give the coverage of the naive and of our interval of a mean score; the truth is 3."""
    plain = ours = 0
    for random, count, resampling in law.batches(runs):
        shape = (law.clusters, count)
        sizes = random.integers(1, 2 * SIZE, shape) if law.is_unequal else np.full(shape, SIZE)
        # A cluster's own mean, and answers around it: together of variance 1.
        middle = random.normal(3, math.sqrt(law.alike), shape)
        total = middle * sizes + random.normal(0, np.sqrt(sizes * (1 - law.alike)))
        spread = (1 - law.alike) * random.chisquare(np.maximum(sizes - 1, 1e-9))
        squares = spread + total**2 / sizes
        sums = Sums(total, sizes.astype(float), squares, [int(n) for n in sizes.sum(axis=0)])
        for one in figures(sums, resampling, is_share=False):
            assert one.value is not None
            plain += abs(one.value - 3) <= 1.96 / math.sqrt(one.n)
            ours += holds(one.interval, 3)
    return plain / runs, ours / runs


def paired(law: Law, runs: int) -> tuple[float, float, float]:
    """Give how often equal models are found different: naively and by us; our coverage of 0."""
    naive = ours = held = 0
    for random, count, resampling in law.batches(runs):
        first, second = law.made(random, count), law.made(random, count)
        compared = list(_compared(first, second, law.is_unequal))
        for one in compared:
            d, n = one.columns[:, 0].sum(), one.columns[:, 1].sum()
            naive += abs(d / n) > 1.96 * math.sqrt(2 * law.share * (1 - law.share) / n)
        for made in compare(compared, resampling):
            ours += made.p is not None and made.p <= 0.05
            held += made.interval is None or holds(made.interval, 0)
    return naive / runs, ours / runs, held / runs


def _compared(first: Sums, second: Sums, is_unequal: bool) -> Iterator[Compared]:
    sizes = np.where(np.arange(len(first.y)) % 2, 3.0, 1.0) if is_unequal else np.ones(len(first.y))
    for run in range(first.y.shape[1]):
        # Pairs have one size; where the law says unequal, every second cluster counts thrice.
        d = (first.y[:, run] / first.n[:, run] - second.y[:, run] / second.n[:, run]) * sizes * SIZE
        n = sizes * SIZE
        columns = np.stack([d, n, d * d, d * n, n * n], axis=1)
        yield Compared("wins", "v", "a", "b", int(n.sum()), columns)


def kappas(law: Law, runs: int) -> float:
    """Give the coverage of kappa's interval: with two equal options it is just `alike`."""
    held = 0
    for random, count, resampling in law.batches(runs):
        shares = shares_of(random, (law.clusters, count), 0.5, law.alike)
        for run in range(count):
            columns = np.stack([_items(random, share) for share in shares[:, run]])
            told = agreement_of(cohen, columns, SIZE * law.clusters, resampling)
            held += holds(told.interval, law.alike)
    return held / runs


def _items(random: np.random.Generator, share: float) -> Floats:
    """Let two models with the same leaning answer a scenario a few times."""
    first, second = random.random((2, SIZE)) < share
    uses = [first.sum(), SIZE - first.sum(), second.sum(), SIZE - second.sum()]
    return np.array([SIZE, (first == second).sum(), *uses], float)


def table(title: str, columns: str, rows: Iterable[tuple[object, ...]]) -> None:
    print(f"\n{title}\n\n| {columns} |\n|{'---|' * (columns.count('|') + 1)}")
    for law, *told in rows:
        cells = (
            f"{100 * number:.1f} %" if isinstance(number, float) else number for number in told
        )
        print(f"| {law} | {' | '.join(map(str, cells))} |", flush=True)


def main(runs: int) -> None:
    began = time.monotonic()
    print(f"{runs:,} made runs a row; clusters of {SIZE} answers unless said otherwise")
    law = "clusters | answers of each | share | alike"
    every = [Law(c, s, *rest) for c, s, rest in product(CLUSTERS, SHARES, LAWS)]
    likely = [one for one in every if one.share == SHARES[0]]
    agreeing = [Law(c, SHARES[0], a, False) for c, a in product(CLUSTERS[2:], (0.3, 0.7))]
    table(
        "Win rates: how often the 95 % interval holds the truth",
        f"{law} | Wilson, answers as if independent | ours | mean width of ours",
        ((one, *rates(one, runs)) for one in every),
    )
    table(
        "Mean scores: how often the 95 % interval holds the truth",
        f"{law} | answers as if independent | ours",
        ((one, *means(one, runs)) for one in likely),
    )
    table(
        "Equal models: how often a difference is found at 5 %",
        f"{law} | answers as if independent | ours | our interval holds 0",
        ((one, *paired(one, runs)) for one in every if one.share > SHARES[-1]),
    )
    table(
        "Kappa: how often the 95 % interval holds the truth",
        f"{law} | ours",
        ((one, kappas(one, max(1, runs // 4))) for one in agreeing),
    )
    print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS)
