"""Features that look at the target: the mean of each level, the effect of each term of a text.

In the rows they are learnt from, each row gets the value learnt without it (from the other parts
of an inner split), else a model would trust them far more than they deserve on new rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
TermRows: TypeAlias = Any
"""CSR rows [rows, terms] of scipy, which has no types."""
Places = npt.NDArray[np.int64]

INNER_PARTS = 5
PRIOR_ROWS = 10.0
"""A level's mean counts as much as the overall mean once it has this many rows."""
TERM_PENALTY = 2.0
OUTPUTS_MAX = 10
"""With more classes than this, target features are left out: one column per class adds up."""


@dataclass(frozen=True, slots=True)
class LevelCodes:
    """A category's cells as places among its levels."""

    places: Places
    """int64 [rows]; -1 is missing or unseen."""
    levels: int

    def __getitem__(self, rows: Places) -> LevelCodes:
        return LevelCodes(self.places[rows], self.levels)


@dataclass(frozen=True, slots=True)
class LevelMeans:
    """The smoothed mean of the target for each level of a category (Micci-Barreca 2001)."""

    means: Floats
    """[levels + 1, outputs]; the last row is the overall mean, for unseen levels."""

    @property
    def outputs(self) -> int:
        return int(self.means.shape[1])

    @classmethod
    def fit(cls, codes: LevelCodes, outputs: Floats) -> LevelMeans:
        """Learn from codes and outputs [rows, outputs]."""
        overall = outputs.mean(axis=0)
        levels = codes.levels
        places = np.where(codes.places < 0, levels, codes.places)
        rows = np.bincount(places, minlength=levels + 1)[:, None]
        sums = np.column_stack(
            [np.bincount(places, weights=one, minlength=levels + 1) for one in outputs.T]
        )
        means = (sums + PRIOR_ROWS * overall) / (rows + PRIOR_ROWS)
        means[levels] = overall
        return cls(means)

    def apply(self, codes: LevelCodes) -> Floats:
        """Give float64 [rows, outputs]."""
        return self.means[codes.places]


@dataclass(frozen=True, slots=True)
class TermEffects:
    """How much each term of a text moves the target: one linear model over all terms."""

    effects: Floats
    """[terms, outputs]."""
    start: Floats
    """[outputs]: the prediction for a text without known terms."""

    @property
    def outputs(self) -> int:
        return len(self.start)

    @classmethod
    def fit(cls, terms: TermRows, outputs: Floats) -> TermEffects:
        """Learn from tf-idf rows [rows, terms] and outputs [rows, outputs]."""
        start = outputs.mean(axis=0)
        columns = [_ridge(terms, one) for one in (outputs - start).T]
        return cls(np.column_stack(columns), start)

    def apply(self, terms: TermRows) -> Floats:
        """Give float64 [rows, outputs]."""
        return np.asarray(terms @ self.effects + self.start)


Source: TypeAlias = LevelCodes | TermRows
Learned: TypeAlias = LevelMeans | TermEffects


def _ridge(terms: TermRows, wanted: Floats) -> Floats:
    """Solve ridge regression by conjugate gradients on the normal equations."""
    from scipy.sparse import linalg

    width = terms.shape[1]
    transposed = terms.T.tocsr()
    normal = linalg.LinearOperator(
        (width, width), matvec=lambda x: transposed @ (terms @ x) + TERM_PENALTY * x, dtype=float
    )
    solution, _ = linalg.cg(normal, transposed @ wanted, rtol=1e-3, maxiter=100)
    return np.asarray(solution, dtype=np.float64)


def learn(source: Source, outputs: Floats, seed: int) -> tuple[Learned, Floats]:
    """Learn from a column's rows; give also the value of each row learnt without it.

    Args:
        source: level codes or tf-idf rows.
        outputs: [rows, outputs].
        seed: for the inner split.
    """
    rows = len(outputs)
    part = np.random.default_rng(seed).permutation(rows) % INNER_PARTS
    filled = np.empty_like(outputs)
    for number in range(INNER_PARTS):
        fill, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
        if len(fill):
            without = learnt_from(source[others], outputs[others])
            filled[fill] = apply_to(without, source[fill])
    return learnt_from(source, outputs), filled


def learnt_from(source: Source, outputs: Floats) -> Learned:
    """Learn what fits the kind of source."""
    if isinstance(source, LevelCodes):
        return LevelMeans.fit(source, outputs)
    return TermEffects.fit(source, outputs)


def apply_to(learned: Learned, source: Source) -> Floats:
    """Give float64 [rows, outputs]."""
    return learned.apply(source)
