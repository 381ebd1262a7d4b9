"""ml.train: train a model on a table and store it.

    file, target (asked for when missing) → read → what can be learnt → train → sentences

Reading is left to `desktop.jobs.data`, deciding what can be learnt to `lesson`, fitting and
storing to `training`.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from desktop.jobs import asking
from desktop.jobs.context import Context
from desktop.jobs.ml.budget import Bar
from shared.errors import Unavailable
from shared.kinds.ml import TrainInputs, TrainOutput

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.jobs.data.table import Table
    from desktop.jobs.ml.budget import Progress
    from desktop.jobs.ml.lesson import Lesson
    from desktop.jobs.ml.training import Trained

TOOLS = ("numpy", "pandas", "scipy", "sklearn", "charset_normalizer")
READING = "reading the file"
READ_AT = 0.05
"""Where on the bar reading ends."""
STRONGEST_TOLD = 3
NOTES_MAX = 12


def run(context: Context, inputs: TrainInputs) -> TrainOutput:
    """Train a model.

    Raises:
        Unavailable: `ml_not_installed`.
        NotFound, NotAllowed, LimitReached: what finding and reading the file, or storing the
            model, raises.
        BadInput: the same, and what `lesson` raises of a target that cannot be learnt.
    """
    _check_tools()
    path = asking.file_of(context, inputs.file, text="Which file should I learn from?")
    bar = Bar(context.progress)
    reading = bar.stretch(0.0, READ_AT)
    reading(READING, 0.0, 1.0)
    load_tools()
    table = _read(context, path, inputs.seed, reading)
    from desktop.jobs.data import guards

    guards.check_shape(table)
    target = asking.column_of(context, table, inputs.target)
    from desktop.jobs.ml.lesson import lesson_of, within_memory
    from desktop.jobs.ml.training import Training

    lesson = within_memory(lesson_of(table, target, path, inputs), context.memory_bytes_max)
    # The lesson holds the rows it needs; a second copy would double the memory.
    del table
    from threadpoolctl import threadpool_limits

    # The environment says so, too; a library loaded before that was set would not have seen it.
    with threadpool_limits(context.threads_max):
        trained = Training(context, lesson, bar, READ_AT).run()
    return _output(lesson, trained)


def _check_tools() -> None:
    missing = [name for name in TOOLS if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(
            "ml_not_installed",
            "This worker has no training tools.",
            "On that machine run: deskhand setup ml. Or use another worker.",
        )


def load_tools() -> None:
    """Import what training needs, which takes seconds, before the budget begins."""
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401


def _read(context: Context, path: Path, seed: int, told: Progress) -> Table:
    from desktop.jobs.data.read_once import read_once

    return read_once(
        context,
        path,
        progress=lambda done, total: told(READING, done, total),
        seed=seed,
    )


def _output(lesson: Lesson, trained: Trained) -> TrainOutput:
    from desktop.jobs.ml.card import next_step, score_line

    facts = trained.facts
    strongest = facts.strongest[:STRONGEST_TOLD]
    told = f" Strongest: {', '.join(strongest)}." if strongest else ""
    notes = [f"⚠ {warning}" for warning in lesson.warnings]
    if not trained.model.complete:
        notes.append("The budget ended before all was tried; more time may give a better model.")
    if facts.sure_share is not None:
        sure = round(100 * facts.sure_share)
        notes.append(f"Sure (probability 0.8 or more) of {sure} % of the rows.")
    notes.append(next_step(facts))
    return TrainOutput(
        headline=f"{lesson.name} model ready: {score_line(facts)}{told}",
        notes=tuple(notes[:NOTES_MAX]),
        model=trained.model,
        strongest=strongest,
    )
