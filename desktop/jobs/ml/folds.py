"""How rows are divided, so that every score comes from rows a model was not fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.features import Task

Places = npt.NDArray[np.int64]

FOLDS = 5
ROWS_IN_FOLDS_MAX = 30_000
"""Above this one held-out part is steady enough, and five fits would cost five times as much."""
HELD_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to fit on and to score on; both sorted."""

    fit: Places
    held: Places


def folds_of(y: npt.NDArray[np.float64], task: Task, seed: int) -> tuple[Fold, ...]:
    """Divide rows into five folds, or into one large and one held-out part.

    Each class is dealt out evenly; a regression's rows are dealt out in the order of the target,
    so that every part has its share of high and low ones.

    Args:
        y: float64 [rows], at least 2 rows: values, or numbers of classes.
        task: what y is.
        seed: for the shuffling.
    """
    rows = len(y)
    assert rows >= 2, "one row cannot be fitted on and scored on"
    parts = min(FOLDS, rows)
    if rows <= ROWS_IN_FOLDS_MAX:
        part = _dealt(y, task, parts, seed)
        return tuple(_fold(part == number) for number in range(parts))
    return (_fold(_dealt(y, task, round(1 / HELD_SHARE), seed) == 0),)


def holdout(y: npt.NDArray[np.float64], task: Task, share: float, seed: int) -> Fold:
    """Divide rows once: about `share` of them are held out."""
    return _fold(_dealt(y, task, max(2, round(1 / share)), seed) == 0)


def _fold(is_held: npt.NDArray[np.bool_]) -> Fold:
    return Fold(np.flatnonzero(~is_held), np.flatnonzero(is_held))


def _dealt(y: npt.NDArray[np.float64], task: Task, parts: int, seed: int) -> Places:
    """Number each row's part from 0: like cards, dealt from a shuffled and then sorted pack."""
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(y))
    order = shuffled[np.argsort(y[shuffled], kind="stable")]
    part = np.empty(len(y), dtype=np.int64)
    part[order] = np.arange(len(y)) % parts
    if task == "regression":
        # Neighbours in value swap parts at random, else part 0 would hold the lowest of each five.
        for start in range(0, len(y) - parts + 1, parts):
            block = order[start : start + parts]
            part[block] = part[rng.permutation(block)]
    return part
