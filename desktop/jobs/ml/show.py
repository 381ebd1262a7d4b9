"""ml.model: one model in words, and its plots as pictures when they are asked for.

Everything comes from the model's folder as it was saved: nothing is fitted or predicted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.ml import asking_model, model_folder
from desktop.jobs.ml.card import score_line
from desktop.jobs.ml.manifest import Manifest
from desktop.jobs.ml.models import age
from shared.errors import NotFound
from shared.kinds import file_name_of
from shared.kinds.ml import ModelInputs, ModelOutput

if TYPE_CHECKING:
    from desktop.charts.shapes import Bars, Curves, Grid
    from desktop.jobs.context import Context

PLOTS = {
    "binary": ("importance", "confusion", "calibration"),
    "multiclass": ("importance", "confusion"),
    "regression": ("importance", "predicted_true"),
}
"""By task: the plots that say most; a model that lacks one goes without it."""
STRONGEST_TOLD = 5
WARNINGS_TOLD = 6
DRAWING = "drawing"
TITLES = {"confusion": "Where it is right and wrong"}
"""Instead of words that only the trade knows."""
HELD_OUT = "on rows not used for fitting"


def run(context: Context, inputs: ModelInputs) -> ModelOutput:
    """Tell about a model; with `plot`, hand its pictures over.

    Raises:
        NotAllowed: `sending_refused`.
        NotFound: `models_none`, `model_missing`, `plots_none`.
        BadInput: what is wrong with the model.
    """
    if inputs.plot:
        context.check_sending()
    manifest = asking_model.model_of(context, inputs.model)
    if inputs.plot:
        return _drawn(context, manifest)
    return ModelOutput(
        headline=f"{manifest.name}: {score_line(manifest)}",
        notes=tuple(_notes(manifest, datetime.now(UTC))),
        model=manifest.facts,
    )


def _notes(manifest: Manifest, now: datetime) -> Iterator[str]:
    rows = wording.count(manifest.rows, "row")
    columns = wording.count(manifest.columns, "column")
    source = f" of {manifest.source.name}" if manifest.source else ""
    yield f"Predicts {manifest.target} from {columns}; trained on {rows}{source}."
    if manifest.strongest:
        yield f"Strongest: {', '.join(manifest.strongest[:STRONGEST_TOLD])}."
    if manifest.sure_share is not None:
        yield f"Sure (probability 0.8 or more) of {wording.share(manifest.sure_share)} of the rows."
    cut = "" if manifest.facts.complete else "; the budget ended before all was tried"
    yield f"Trained {age(manifest.created_at, now)} in {manifest.seconds:.0f} s{cut}."
    for warning in manifest.warnings[:WARNINGS_TOLD]:
        yield f"⚠ {warning}"
    more = len(manifest.warnings) - WARNINGS_TOLD
    if more > 0:
        yield f"… and {more} more remarks in its card."
    yield f"Its id: {manifest.model_id}"


def _drawn(context: Context, manifest: Manifest) -> ModelOutput:
    plots = _plots_of(context, manifest)
    if not plots:
        raise NotFound(
            "plots_none",
            f"{manifest.name} was saved without anything to draw.",
            "Train it again with more time.",
        )
    context.progress(DRAWING, 0, len(plots))
    for number, (name, plot) in enumerate(plots.items(), start=1):
        context.send(_painted(context, manifest, name, plot))
        context.progress(DRAWING, number, len(plots))
    count = wording.count(len(plots), "plot")
    return ModelOutput(
        headline=f"{manifest.name}: {count} {'is' if len(plots) == 1 else 'are'} on the way.",
        notes=tuple(_missing(manifest, plots)),
        model=manifest.facts,
    )


def _plots_of(context: Context, manifest: Manifest) -> dict[str, Bars | Curves | Grid]:
    """Read the plots worth a picture, in their order."""
    from pydantic import ValidationError

    from desktop.charts.shapes import PLOTS as SHAPES
    from desktop.charts.shapes import Histogram
    from desktop.jobs.ml.packed import damaged

    raw = model_folder.read_side_file(context.models_folder, manifest.model_id, "plots.json")
    wanted = {name: raw[name] for name in PLOTS[manifest.task] if name in raw}
    try:
        plots = SHAPES.validate_python(wanted)
    except ValidationError as error:
        raise damaged(f"plots.json has {error.error_count()} faults") from None
    return {
        name: plot
        for name, plot in plots.items()
        if not isinstance(plot, Histogram) and _has_points(plot)
    }


def _has_points(plot: Bars | Curves | Grid) -> bool:
    match plot.form:
        case "bars":
            return bool(plot.values)
        case "curves":
            return any(series.x for series in plot.series)
        case "grid":
            return bool(plot.labels)


def _painted(context: Context, manifest: Manifest, name: str, plot: Bars | Curves | Grid) -> Path:
    from desktop.charts import picture
    from desktop.charts.shapes import BARS_SHOWN_MAX

    subtitle = f"{manifest.name} · {HELD_OUT}"
    if plot.form == "bars":
        shown = min(len(plot.values), BARS_SHOWN_MAX)
        is_part = shown < manifest.columns
        which = f" · {shown} of {manifest.columns:,} columns" if is_part else ""
        subtitle = f"{manifest.name}{which}"
    plot = plot.model_copy(update={"title": TITLES.get(name, plot.title)})
    path = context.workdir / file_name_of(f"{manifest.name} {name.replace('_', ' ')}.png")
    picture.save(plot, path, subtitle=subtitle)
    return path


def _missing(manifest: Manifest, plots: dict[str, Bars | Curves | Grid]) -> Iterator[str]:
    if "importance" not in plots:
        yield "Which columns matter was not measured; that needs more training time."
