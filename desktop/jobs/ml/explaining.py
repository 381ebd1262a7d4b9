"""Ask a fitted blend about itself before it is stored: which columns matter, would rows help.

How importance is measured is left to `importance`; here is who predicts, on which rows, and
which columns come first when time is short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from desktop.jobs.ml import members
from desktop.jobs.ml.features import Features, Tables, target_outputs
from desktop.jobs.ml.fitted import Fitted, Floats, FoldPart, Places, Target
from desktop.jobs.ml.folds import holdout
from desktop.jobs.ml.importance import ColumnImportance, HeldPart, permutation
from desktop.jobs.ml.packing import Constant
from desktop.jobs.ml.plots import LearningPoint
from desktop.jobs.ml.scores import score
from desktop.jobs.ml.tree_members import Boosting

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.ml.budget import Budget
    from desktop.jobs.ml.features import Matrix
    from desktop.jobs.ml.features_tables import Base

ORDER_ROWS_MAX = 300
"""Rows on which columns are put in a first rough order."""
CURVE_ROWS_MAX = 10_000
CURVE_ROWS_MIN = 100
"""With fewer rows a learning curve shows noise."""
CURVE_SHARES = (0.25, 0.5, 1.0)
CURVE_REPEATS = 3
CURVE_HELD_SHARE = 0.25
CURVE_MEMBER = Boosting(
    name="curve",
    weight=1.0,
    learning_rate=0.1,
    leaves=8,
    features_share=0.5,
    penalty=1.0,
    leaf_rows_min=10,
    trees_max=150,
    patience=15,
)


def predict_fold(fitted: Fitted, part: FoldPart, matrix: Matrix) -> Floats:
    """Predict with one fold of the blend: float64 [rows, outputs]."""
    outputs = len(fitted.classes) or 1
    total = np.zeros((len(matrix.dense), outputs))
    for name, weight in fitted.weights.items():
        member = part.members[name]
        if isinstance(member, Constant):
            total += weight * member.values
        else:
            total += weight * members.predict(member, matrix, outputs)
    return total


def importance_of(
    fitted: Fitted, frame: pd.DataFrame, should_stop: Callable[[], bool]
) -> tuple[ColumnImportance, ...]:
    """Measure how much each column matters to the blend.

    Args:
        fitted: the blend.
        frame: the rows it was trained on.
        should_stop: asked before each step; the likely strongest columns come first, and there
            is no answer when it says so before any column was measured.
    """
    if not fitted.folds[0].features.tables.columns:
        return ()
    parts: list[HeldPart] = []
    for number in range(len(fitted.folds)):
        if should_stop():
            return ()
        parts.append(_held(fitted, number, frame))
    return permutation(
        parts,
        _roughly_ordered(fitted, parts[0], should_stop),
        lambda y, predicted: score(fitted.task, y, predicted),
        seed=fitted.seed,
        should_stop=should_stop,
    )


def _held(fitted: Fitted, number: int, frame: pd.DataFrame) -> HeldPart:
    """Give a fold's held-out rows as row numbers in each column.

    So cells are encoded only once: shuffling a column moves numbers.
    """
    part, oof = fitted.folds[number], fitted.oof
    tables, here = part.features.tables, oof.fold == number
    base = tables.apply(frame[list(tables.columns)].iloc[oof.rows[here]])

    def predict(places: pd.DataFrame) -> Floats:
        cells = {column: places[column].to_numpy() for column in tables.columns}
        return predict_fold(fitted, part, part.features.matrix(tables.arranged(base, cells)))

    numbers = np.arange(len(base.dense))
    import pandas as pd

    return HeldPart(
        predict=predict, frame=pd.DataFrame(dict.fromkeys(tables.columns, numbers)), y=oof.y[here]
    )


def _roughly_ordered(
    fitted: Fitted, held: HeldPart, should_stop: Callable[[], bool]
) -> tuple[str, ...]:
    """Order columns by how far predictions of a few rows move when a column is shuffled."""
    places = held.frame.head(ORDER_ROWS_MAX)
    whole = held.predict(places)
    order = np.random.default_rng(fitted.seed).permutation(len(places))
    moved: dict[str, float] = {}
    for column in places.columns:
        if should_stop():
            break
        shuffled = held.predict(places.assign(**{column: order}))
        moved[column] = float(np.abs(shuffled - whole).mean())
    return tuple(sorted(moved, key=lambda column: -moved[column]))


def learning_curve(
    fitted: Fitted, frame: pd.DataFrame, target: Target, budget: Budget
) -> tuple[LearningPoint, ...]:
    """Score one quick member fitted on a quarter, a half, and all of some rows.

    Returns:
        One point for each share; none when the budget ends too early, or rows are too few.
    """
    tables = fitted.folds[0].features.tables
    rows = np.random.default_rng(fitted.seed).permutation(len(frame))[:CURVE_ROWS_MAX]
    if len(rows) < CURVE_ROWS_MIN or not tables.names or budget.is_over():
        return ()
    base, some = tables.apply(frame.iloc[rows]), target[rows]
    scores: list[list[float]] = []
    counts: list[int] = []
    for repeat in range(CURVE_REPEATS):
        fold = holdout(some.y, some.task, CURVE_HELD_SHARE, fitted.seed + repeat)
        mixed = np.random.default_rng(repeat).permutation(fold.fit)
        parts = [np.sort(mixed[: int(share * len(mixed))]) for share in CURVE_SHARES]
        counts = [len(part) for part in parts]
        of_parts = [_quick_score(tables, base, some, part, fold.held, budget) for part in parts]
        # A fit that time cut short would look like a lack of rows.
        if budget.is_over():
            break
        scores.append(of_parts)
    means = zip(counts, zip(*scores, strict=True), strict=True) if scores else ()
    return tuple(LearningPoint(n, float(np.mean(one)), float(np.std(one))) for n, one in means)


def _quick_score(
    tables: Tables, base: Base, target: Target, fit: Places, held: Places, budget: Budget
) -> float:
    outputs = target_outputs(target.y[fit], target.task, target.outputs)
    features, own = Features.learn(tables, base[fit], outputs, 0)
    held_rows = members.Rows(features.matrix(base[held]), target.y[held])
    fit_rows = members.Rows(features.matrix(base[fit], own), target.y[fit])
    share = members.Share(budget, 0, lambda _: None)
    if target.task != "regression" and len(np.unique(fit_rows.y)) < 2:
        return score(target.task, held_rows.y, np.full((len(held), target.outputs), 0.5))
    one = CURVE_MEMBER.fit(target.task, fit_rows, held_rows, share)
    predicted = members.predict(one.member, held_rows.matrix, target.outputs)
    return score(target.task, held_rows.y, predicted)
