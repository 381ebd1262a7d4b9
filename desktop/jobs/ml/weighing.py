"""Weigh the members by their held-out predictions, and sum up what was fitted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from desktop.jobs.ml.calibration import best_threshold
from desktop.jobs.ml.conformal import half_widths
from desktop.jobs.ml.features import Task
from desktop.jobs.ml.fitted import Fitted, Floats, FoldPart, OutOfFold, Standing, Target
from desktop.jobs.ml.scores import METRICS, Scores, baseline, loss, resampled_spread, score
from desktop.jobs.ml.workbench import CONSTANT, Workbench

STEPS = 30
"""Members are taken this often, so weights are multiples of about 3 %."""


def weights_of(task: Task, y: Floats, predicted: Mapping[str, Floats]) -> dict[str, float]:
    """Choose weights by taking, again and again, the member that lowers the loss most.

    Ensemble selection with replacement (Caruana et al. 2004); the best of all steps counts.

    Args:
        task: what y is.
        y: [rows] of held-out rows.
        predicted: name -> [rows, outputs].

    Returns:
        The weights above 0, which add up to 1.
    """
    total = np.zeros_like(next(iter(predicted.values())))
    taken: dict[str, int] = dict.fromkeys(predicted, 0)
    best_loss, best = np.inf, dict(taken)
    for step in range(1, STEPS + 1):
        losses = {name: loss(task, y, (total + one) / step) for name, one in predicted.items()}
        name = min(losses, key=lambda one: losses[one])
        total += predicted[name]
        taken[name] += 1
        if losses[name] < best_loss:
            best_loss, best = losses[name], dict(taken)
    steps = sum(best.values())
    return {name: times / steps for name, times in best.items() if times}


def summed_up(bench: Workbench) -> Fitted:
    """Weigh the members of a workbench and put all together that is known of the blend."""
    target = bench.target
    rows = np.concatenate([work.fold.held for work in bench.folds])
    y = target.y[rows]
    by_member = {
        name: np.concatenate([work.predicted[name] for work in bench.folds])
        for name in bench.folds[0].predicted
    }
    weights = weights_of(target.task, y, by_member)
    blended = np.zeros_like(by_member[CONSTANT])
    for name, weight in weights.items():
        blended += weight * by_member[name]
    counts = [len(work.fold.held) for work in bench.folds]
    oof = OutOfFold(bench.rows[rows], y, blended, np.repeat(np.arange(len(counts)), counts))
    return Fitted(
        task=target.task,
        classes=target.classes,
        columns=bench.columns,
        folds=tuple(
            FoldPart(work.features, {name: work.members[name] for name in weights})
            for work in bench.folds
        ),
        weights=weights,
        oof=oof,
        scores=_scores(bench, oof, blended),
        threshold=best_threshold(y == 1, blended[:, 1]) if target.task == "binary" else None,
        conformal=half_widths(y - blended[:, 0]) if target.task == "regression" else {},
        leaderboard=_leaderboard(bench, oof, by_member, weights),
        seconds=dict(bench.seconds),
        cut_short=bench.cut_short,
        seed=bench.seed,
    )


def _scores(bench: Workbench, oof: OutOfFold, predicted: Floats) -> Scores:
    target = bench.target
    per_fold = _per_fold(bench, oof, predicted)
    same = baseline(target.task, target.y, target.outputs)
    guesses = np.tile(same, (len(oof.y), 1))
    return Scores(
        metric=METRICS[target.task],
        folds=per_fold,
        mean=float(np.mean(per_fold)),
        spread=_spread(target, per_fold, oof, predicted, bench.seed),
        baseline=0.0 if target.task == "regression" else 0.5,
        loss=loss(target.task, oof.y, predicted),
        baseline_loss=loss(target.task, oof.y, guesses),
    )


def _per_fold(bench: Workbench, oof: OutOfFold, predicted: Floats) -> tuple[float, ...]:
    ends = np.cumsum([len(work.fold.held) for work in bench.folds])[:-1]
    parts = zip(np.split(oof.y, ends), np.split(predicted, ends), strict=True)
    return tuple(score(bench.target.task, y, part) for y, part in parts)


def _spread(
    target: Target, per_fold: tuple[float, ...], oof: OutOfFold, predicted: Floats, seed: int
) -> float:
    if len(per_fold) > 1:
        return float(np.std(per_fold, ddof=1))
    return resampled_spread(target.task, oof.y, predicted, seed)


def _leaderboard(
    bench: Workbench,
    oof: OutOfFold,
    by_member: Mapping[str, Floats],
    weights: Mapping[str, float],
) -> tuple[Standing, ...]:
    lines = []
    for name, predicted in by_member.items():
        per_fold = _per_fold(bench, oof, predicted)
        lines.append(
            Standing(
                member=name,
                score=float(np.mean(per_fold)),
                spread=float(np.std(per_fold, ddof=1)) if len(per_fold) > 1 else 0.0,
                loss=loss(bench.target.task, oof.y, predicted),
                seconds=bench.seconds.get(name, 0.0),
                weight=weights.get(name, 0.0),
            )
        )
    return tuple(sorted(lines, key=lambda line: line.loss))
