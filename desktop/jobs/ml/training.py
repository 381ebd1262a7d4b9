"""From a typed table to a stored model: fit, explain, draw, store, and say how it went.

Reading the file and asking for what is missing are left to `train`. A quick model is stored as
soon as there is one and replaced at the end, so a stop in between keeps the best so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from desktop.jobs.ml import explaining, importance, model_folder, plot_shapes, plots
from desktop.jobs.ml.blend import Fitted, fit_blend, target_of
from desktop.jobs.ml.budget import Bar, Budget
from desktop.jobs.ml.importance import ColumnImportance
from desktop.jobs.ml.lesson import Lesson
from desktop.jobs.ml.manifest import LeaderboardEntry, ManifestFacts, Metric, Status
from desktop.jobs.ml.model_files import JsonDict

if TYPE_CHECKING:
    from desktop.jobs.context import Context
    from desktop.jobs.ml.plots import LearningPoint
    from shared.kinds.ml import ModelFacts

FITTING_SHARE = 0.85
"""Of the budget; the rest is for explaining and storing."""
EXPLAINING_SHARE = 0.2
"""Of the time that fitting took: explanations are not worth more than the model."""
EXPLAINING_SECONDS_MIN = 1.0
STORING_SECONDS_MIN = 0.3
"""At least this much is kept back at the end of the budget."""
STORING_GROWTH = 3.0
FITTED_AT, EXPLAINED_AT, CURVE_AT = 0.82, 0.94, 0.98
"""Where on the bar of the whole job each stage ends; reading the file comes before."""
STRONGEST_TOLD = 5
SURE = 0.8
"""A prediction with at least this probability counts as sure."""
INTERVAL = "0.9"


@dataclass(frozen=True, slots=True)
class Trained:
    """A stored model, and what is told of it."""

    model: ModelFacts
    facts: ManifestFacts


class Training:
    """One lesson, worked through once."""

    def __init__(self, context: Context, lesson: Lesson, bar: Bar, begin: float) -> None:
        """Set up; `begin` is where on the bar reading the file ended."""
        self._context = context
        self._bar, self._begin = bar, begin
        self._lesson = lesson
        self._budget = Budget(lesson.budget_seconds)
        self._target = target_of(lesson.frame[lesson.target], lesson.task)
        self._fitting = self._budget.part(lesson.budget_seconds * FITTING_SHARE)
        self._storing_seconds = STORING_SECONDS_MIN
        self._quick_id: str | None = None
        self._log: list[str] = []

    def run(self) -> Trained:
        """Fit within the budget and store the model; the first quick one is stored on the way.

        Raises:
            AppError: what `model_folder.save` raises.
        """
        lesson = self._lesson
        fitted = fit_blend(
            lesson.frame,
            lesson.columns,
            self._target,
            budget=self._fitting,
            seed=lesson.seed,
            on_progress=self._fitting_progress,
            on_first_model=self._store_quick,
        )
        self._tell(fitted)
        return self._store(fitted)

    def _fitting_progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        told = self._bar.stretch(self._begin, FITTED_AT)
        if eta_seconds is not None:
            # What comes after takes its share of the time that fitting will have taken.
            after = EXPLAINING_SHARE * (self._budget.spent() + eta_seconds)
            eta_seconds = min(eta_seconds + after, self._budget.left())
        told(stage, done, total, eta_seconds=eta_seconds)

    def _store_quick(self, fitted: Fitted) -> None:
        facts = self._facts(fitted, (), ())
        extras = model_folder.Extras(schema=self._lesson.schema)
        started = self._budget.spent()
        stored = model_folder.save(
            self._context.models_folder, fitted, facts, status="quick", extras=extras
        )
        self._quick_id = stored.model_id
        # The final model is larger than the quick one, and has plots.
        took = STORING_GROWTH * (self._budget.spent() - started)
        self._storing_seconds = max(STORING_SECONDS_MIN, took)
        self._fitting.seconds -= self._storing_seconds
        self._say(
            f"A first quick model after {self._budget.spent():.1f} s: "
            f"{fitted.scores.metric} {fitted.scores.mean:.3f}. Going on for a better one."
        )

    def _store(self, fitted: Fitted) -> Trained:
        budget = self._explaining_budget()
        found = self._importance(fitted, budget)
        self._bar.stretch(EXPLAINED_AT, CURVE_AT)("would more rows help", 0.0, 1.0)
        curve = explaining.learning_curve(fitted, self._lesson.frame, self._target, budget)
        storing = self._bar.stretch(CURVE_AT, 1.0)
        storing("storing the model", 0.0, 1.0)
        facts = self._facts(fitted, found, curve)
        status: Status = "partial" if fitted.cut_short else "complete"
        extras = model_folder.Extras(
            schema=self._lesson.schema,
            plots=self._plots(fitted, facts, found, curve),
            importance=importance.as_json(found, fitted.scores.metric),
            log="\n".join(self._log),
        )
        model = model_folder.save(
            self._context.models_folder,
            fitted,
            facts,
            status=status,
            extras=extras,
            replaces=self._quick_id,
        )
        storing("storing the model", 1.0, 1.0)
        return Trained(model, facts)

    def _explaining_budget(self) -> Budget:
        worth = max(EXPLAINING_SECONDS_MIN, EXPLAINING_SHARE * self._budget.spent())
        return self._budget.part(min(worth, self._budget.left() - self._storing_seconds))

    def _importance(self, fitted: Fitted, budget: Budget) -> tuple[ColumnImportance, ...]:
        most = budget.part(budget.seconds * 0.7)
        told = self._bar.stretch(FITTED_AT, EXPLAINED_AT)

        def should_stop() -> bool:
            done = min(most.spent(), most.seconds)
            told("which columns matter", done, most.seconds, eta_seconds=budget.left())
            return most.is_over()

        return explaining.importance_of(fitted, self._lesson.frame, should_stop)

    def _plots(
        self,
        fitted: Fitted,
        facts: ManifestFacts,
        found: tuple[ColumnImportance, ...],
        curve: tuple[LearningPoint, ...],
    ) -> JsonDict:
        held = plot_shapes.Held(
            task=fitted.task,
            classes=fitted.classes,
            y=fitted.oof.y,
            predicted=fitted.oof.predicted,
            threshold=fitted.threshold,
            half_width=fitted.conformal.get(INTERVAL),
        )
        measured = plots.Measured(
            metric=fitted.scores.metric,
            fold_scores=fitted.scores.folds,
            baseline=fitted.scores.baseline,
            importance=found,
            learning=curve,
            leaderboard=facts.leaderboard,
        )
        return plots.make(held, measured)

    def _facts(
        self,
        fitted: Fitted,
        found: tuple[ColumnImportance, ...],
        curve: tuple[LearningPoint, ...],
    ) -> ManifestFacts:
        lesson = self._lesson
        return ManifestFacts(
            name=lesson.name,
            target=lesson.target,
            rows=len(lesson.frame),
            columns=len(lesson.columns),
            metrics=metrics_of(fitted),
            leaderboard=leaderboard_of(fitted),
            strongest=importance.strongest(found, STRONGEST_TOLD),
            warnings=lesson.warnings,
            more_rows_gain=plots.gain_per_doubling(curve),
            sure_share=sure_share(fitted),
            source=lesson.source,
            seed=lesson.seed,
            budget_seconds=lesson.budget_seconds,
            seconds=self._budget.spent(),
            peak_mb=peak_mb(),
        )

    def _tell(self, fitted: Fitted) -> None:
        for line in fitted.leaderboard:
            self._say(
                f"{line.member}: {fitted.scores.metric} {line.score:.4f}, {line.seconds:.1f} s, "
                f"{line.weight:.0%} of the blend"
            )
        if fitted.cut_short:
            self._say("The budget ended before the plan did; what was done by then is used.")

    def _say(self, line: str) -> None:
        self._log.append(line)
        self._context.log(line)


def metrics_of(fitted: Fitted) -> tuple[Metric, ...]:
    """Give the score people are told, then the loss the blend was weighed by."""
    scores = fitted.scores
    is_value = fitted.task == "regression"
    told = Metric(
        name=scores.metric,
        per_fold=scores.folds,
        mean=scores.mean,
        spread=scores.spread,
        baseline=scores.baseline,
    )
    # People read errors in the target's own unit, so not its square.
    loss, guess = (
        (float(np.sqrt(scores.loss)), float(np.sqrt(scores.baseline_loss)))
        if is_value
        else (scores.loss, scores.baseline_loss)
    )
    below = Metric(
        name="typical error" if is_value else "log loss",
        per_fold=(loss,),
        mean=loss,
        spread=0.0,
        baseline=guess,
        higher_is_better=False,
    )
    return told, below


def leaderboard_of(fitted: Fitted) -> tuple[LeaderboardEntry, ...]:
    """List the blend and its members."""
    blend = LeaderboardEntry(
        member="blend",
        score=fitted.scores.mean,
        spread=fitted.scores.spread,
        seconds=sum(fitted.seconds.values()),
        weight=1.0,
    )
    members = (
        LeaderboardEntry(
            member=line.member,
            score=line.score,
            spread=line.spread,
            seconds=line.seconds,
            weight=line.weight,
        )
        for line in fitted.leaderboard
    )
    return blend, *members


def sure_share(fitted: Fitted) -> float | None:
    """Tell the share of held-out rows predicted with a probability of at least `SURE`."""
    if fitted.task == "regression":
        return None
    return float(np.mean(fitted.oof.predicted.max(axis=1) >= SURE))


def peak_mb() -> float:
    """Tell this process's largest memory so far, in MB of 2^20 bytes."""
    import psutil

    on_windows = getattr(psutil.Process().memory_info(), "peak_wset", None)
    if on_windows is not None:
        return float(on_windows) / 2**20
    import resource
    import sys

    # Linux counts kilobytes, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
