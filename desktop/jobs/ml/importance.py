"""Which columns matter: how much the score drops when one column's cells are shuffled.

Permutation importance (Breiman 2001, "Random Forests", section 10), on rows the model was not
fitted on. What a score is, and who predicts, is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from desktop.jobs.ml.model_files import JsonDict
from desktop.jobs.ml.packed import Floats

if TYPE_CHECKING:
    import pandas as pd

ROWS_MAX = 2_000
"""Held-out rows used in all; more would hardly move the figures."""
COLUMNS_AT_ONCE = 5
"""Predicting many rows at once costs little more than few; asking to stop must not wait long."""
SHUFFLES_MIN = 5
"""Shuffles of each column, over all parts together; error bars need a few."""


@dataclass(frozen=True, slots=True)
class HeldPart:
    """Rows held out of one fold, and that fold's model."""

    predict: Callable[[pd.DataFrame], Floats]
    """Frame -> float64 [rows, outputs]."""
    frame: pd.DataFrame
    y: Floats


@dataclass(frozen=True, slots=True)
class ColumnImportance:
    """What the model loses without a column."""

    column: str
    drop: float
    """Mean drop of the score; around 0 for a column that does not matter."""
    spread: float
    """Standard deviation over shuffles and parts."""


def permutation(
    parts: Sequence[HeldPart],
    columns: Sequence[str],
    score: Callable[[Floats, Floats], float],
    *,
    seed: int,
    rows_max: int = ROWS_MAX,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[ColumnImportance, ...]:
    """Measure columns, the most important first.

    Args:
        parts: held-out rows of each fold.
        columns: which columns to shuffle.
        score: (y, predicted) -> score, higher is better.
        seed: for the choice of rows and the shuffles.
        rows_max: rows used in all.
        should_stop: asked before every few columns; those not reached are left out.
    """
    random = np.random.default_rng(seed)
    sampled = [_sample(part, rows_max // len(parts), random) for part in parts]
    whole = [score(part.y, part.predict(part.frame)) for part in sampled]
    shuffles = -(-SHUFFLES_MIN // len(parts))
    found = []
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        if should_stop():
            break
        asked = [one for one in columns[start : start + COLUMNS_AT_ONCE] for _ in range(shuffles)]
        drops: dict[str, list[float]] = {column: [] for column in asked}
        for part, best in zip(sampled, whole, strict=True):
            for column, predicted in zip(asked, _without(part, asked, random), strict=True):
                drops[column].append(best - score(part.y, predicted))
        found += [
            ColumnImportance(column, float(np.mean(lost)), float(np.std(lost)))
            for column, lost in drops.items()
        ]
    return tuple(sorted(found, key=lambda one: -one.drop))


def _without(
    part: HeldPart, columns: Sequence[str], random: np.random.Generator
) -> list[npt.NDArray[np.float64]]:
    """Predict the rows once for each column, with that column's cells shuffled."""
    import pandas as pd

    shuffled = [_shuffled(part.frame, column, random) for column in columns]
    return np.split(part.predict(pd.concat(shuffled, ignore_index=True)), len(columns))


def _sample(part: HeldPart, rows: int, random: np.random.Generator) -> HeldPart:
    if len(part.y) <= max(rows, 1):
        return part
    chosen = np.sort(random.choice(len(part.y), max(rows, 1), replace=False))
    return HeldPart(part.predict, part.frame.iloc[chosen], part.y[chosen])


def _shuffled(frame: pd.DataFrame, column: str, random: np.random.Generator) -> pd.DataFrame:
    order = random.permutation(len(frame))
    cells = frame[column].iloc[order]
    return frame.assign(**{column: cells.set_axis(frame.index)})


def strongest(found: Sequence[ColumnImportance], count: int) -> tuple[str, ...]:
    """Name the columns whose drop is more than its own spread, the strongest first."""
    sure = [one.column for one in found if one.drop > max(one.spread, 0.0)]
    return tuple(sure[:count])


def as_json(found: Sequence[ColumnImportance], metric: str) -> JsonDict:
    """Give what importance.json holds."""
    return {
        "metric": metric,
        "columns": [
            {"column": one.column, "drop": one.drop, "spread": one.spread} for one in found
        ],
    }
