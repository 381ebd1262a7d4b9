"""Columns that alone give the answer away: often they are known only after the outcome.

One shallow tree per column, scored on rows it has not seen. Whether to leave such a column out
is for the person to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from desktop.jobs.data.profile import measured
from desktop.jobs.data.table import ColumnKind

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["binary", "multiclass", "regression"]
Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

ALARM_SCORE = 0.96
ALARM_SCORE_ALONE = 0.85
"""Enough for an alarm when no other column comes within ALARM_LEAD."""
ALARM_LEAD = 0.35
FOLDS = 3
DEPTH_MAX = 8
"""Enough to tell twenty levels apart whose order means nothing."""
LEAF_ROWS_MAX = 20
ROWS_MIN = 30
"""With fewer rows a column separates classes by chance."""
ROWS_MAX = 5000
CELLS_MAX = 500_000
"""Of very wide tables fewer rows are looked at."""
ROWS_WIDE_MIN = 500
WORDS_MAX = 50


@dataclass(frozen=True, slots=True)
class Leak:
    column: str
    score: float
    """0 (as good as guessing) .. 1 (certain): R² of values or ranks, or 2 AUC - 1."""
    sentence: str
    """Without a leading sign."""


def leaks(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    y: npt.ArrayLike,
    task: Task,
    seed: int = 0,
) -> tuple[Leak, ...]:
    """List columns that alone predict the target too well to be true, the best first.

    Args:
        frame: rows whose target is known, columns as a `Table` holds them.
        columns: the columns to look at: name -> kind; without the target.
        y: [rows] numbers, or classes as numbers or text; none missing.
        task: regression takes y for numbers, the others for classes.
        seed: for which rows are looked at and how they are divided.
    """
    scores = scores_alone(frame, columns, y, task, seed)
    return tuple(Leak(name, score, _sentence(name, score)) for name, score in _alarming(scores))


def scores_alone(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    y: npt.ArrayLike,
    task: Task,
    seed: int = 0,
) -> Mapping[str, float]:
    """Score each column by a shallow tree on nothing else; {} when there are too few rows."""
    answers = np.asarray(y)
    if len(answers) < ROWS_MIN or not columns:
        return {}
    rng = np.random.default_rng(seed)
    rows_max = min(ROWS_MAX, max(ROWS_WIDE_MIN, CELLS_MAX // len(columns)))
    if len(answers) > rows_max:
        rows = np.sort(rng.choice(len(answers), rows_max, replace=False))
        frame, answers = frame.iloc[rows], answers[rows]
    if task == "regression":
        target, classes = answers.astype(np.float64), 0
    else:
        found, places = np.unique(answers, return_inverse=True)
        target, classes = places.astype(np.float64), len(found)
    if classes == 1 or target.min() == target.max():
        return {}
    folds = _folds(target, rng)
    return {
        name: _score(_numbers(frame[name], ColumnKind(kind)), target, classes, folds)
        for name, kind in columns.items()
    }


def _alarming(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    return [
        (name, score)
        for place, (name, score) in enumerate(ranked)
        if score >= ALARM_SCORE
        or (place == 0 and score >= ALARM_SCORE_ALONE and score - second >= ALARM_LEAD)
    ]


def _sentence(name: str, score: float) -> str:
    return (
        f"column `{name}` alone predicts the target almost perfectly ({score:.2f} of 1): "
        "is it known before the outcome is?"
    )


def _folds(target: Floats, rng: np.random.Generator) -> Places:
    """Deal rows out to folds in the order of the target, so that each fold has all of it."""
    order = np.lexsort((rng.random(len(target)), target))
    folds = np.empty(len(target), dtype=np.int64)
    folds[order] = np.arange(len(target)) % FOLDS
    return folds


def _score(numbers: Floats, target: Floats, classes: int, folds: Places) -> float:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaf_rows = min(LEAF_ROWS_MAX, max(2, len(target) // 50))
    predicted = np.zeros((len(target), max(1, classes)))
    for fold in range(FOLDS):
        held, fit = folds == fold, folds != fold
        if not classes:
            tree = DecisionTreeRegressor(
                max_depth=DEPTH_MAX, min_samples_leaf=leaf_rows, random_state=0
            ).fit(numbers[fit], target[fit])
            predicted[held, 0] = tree.predict(numbers[held])
            continue
        tree = DecisionTreeClassifier(
            max_depth=DEPTH_MAX, min_samples_leaf=leaf_rows, random_state=0
        ).fit(numbers[fit], target[fit])
        places = tree.classes_.astype(np.int64)
        predicted[np.ix_(held, places)] = tree.predict_proba(numbers[held])
    return _r_squared(target, predicted[:, 0]) if not classes else _lift(target, predicted)


def _r_squared(target: Floats, predicted: Floats) -> float:
    """Give R² of the values or of their ranks, whichever is higher.

    A few huge values weigh more than all others in plain R², and can hide that a column gives
    the order of all the others away.
    """
    from scipy.stats import rankdata

    return max(_explained(target, predicted), _explained(rankdata(target), rankdata(predicted)))


def _explained(target: Floats, predicted: Floats) -> float:
    return float(1 - np.square(target - predicted).sum() / np.square(target - target.mean()).sum())


def _lift(target: Floats, predicted: Floats) -> float:
    """Give 2 AUC - 1, of each class against the rest, averaged over classes.

    AUC from ranks: Hanley and McNeil, "The Meaning and Use of the Area under a ROC Curve", 1982.
    """
    from scipy.stats import rankdata

    is_class = target[:, None] == np.arange(predicted.shape[1])
    rows = is_class.sum(axis=0)
    ranks = np.where(is_class, rankdata(predicted, axis=0), 0.0).sum(axis=0)
    areas = (ranks - rows * (rows + 1) / 2) / (rows * (len(target) - rows))
    return float(np.mean(2 * areas - 1))


def _numbers(values: pd.Series, kind: ColumnKind) -> Floats:
    """Turn a column into something a tree can split: float64 [rows, 1 or more]."""
    if kind in (ColumnKind.NUMBER, ColumnKind.DATE):
        return _without_gaps(measured(values, kind))[:, None]
    ranks = _ranks(values)[:, None]
    if kind is not ColumnKind.TEXT:
        return ranks
    lengths = _without_gaps(measured(values, kind))[:, None]
    return np.hstack([ranks, lengths, _words(values)])


def _without_gaps(numbers: Floats) -> Floats:
    """Number the values by size, missing ones below all: a tree looks at nothing but the order."""
    is_known = ~np.isnan(numbers)
    places = np.full(len(numbers), -1.0)
    places[is_known] = np.unique(numbers[is_known], return_inverse=True)[1]
    return places


def _ranks(values: pd.Series) -> Floats:
    """Number the values of a column by how common they are; -1 where missing."""
    import pandas as pd

    places, found = pd.factorize(values, use_na_sentinel=True)
    rows = np.bincount(places[places >= 0], minlength=len(found))
    ranks = np.empty(len(found) + 1)
    ranks[np.argsort(-rows, kind="stable")] = np.arange(len(found))
    ranks[-1] = -1
    return ranks[places]


def _words(values: pd.Series) -> Floats:
    """Tell which of the most common words each text has."""
    texts = [frozenset(text.casefold().split()) for text in values.fillna("").tolist()]
    counts = Counter(word for text in texts for word in text)
    common = sorted(counts, key=lambda word: (-counts[word], word))[:WORDS_MAX]
    return np.array([[word in text for word in common] for text in texts], dtype=np.float64)
