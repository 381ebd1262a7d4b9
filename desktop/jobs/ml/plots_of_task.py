"""The plots that depend on what is predicted: two classes, several, or a number."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from desktop.charts.shapes import Bars, Curves, Grid, Histogram, Plot, Series
from desktop.jobs.ml.packed import Bools, Floats
from desktop.jobs.ml.plot_shapes import (
    BINS,
    CLASSES_SHOWN_MAX,
    CURVE_POINTS_MAX,
    DOTS_MAX,
    HISTOGRAM_BINS,
    Held,
    counts_between,
    rounded,
    thinned,
)

OTHERS = "others"


def binary(held: Held) -> dict[str, Plot]:
    """ROC, precision and recall, confusion at the threshold, calibration, score histogram."""
    happened = held.y == 1
    chance = held.predicted[:, 1]
    threshold = 0.5 if held.threshold is None else held.threshold
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    return {
        "roc": _roc(happened, chance),
        "precision_recall": _precision_recall(happened, chance),
        "confusion": _confusion(happened.astype(int), (chance >= threshold).astype(int), held),
        "calibration": _calibration(happened, chance),
        "scores": Histogram(
            title="Told probabilities, by what was true",
            x_label=f"probability of {held.classes[1]}",
            edges=rounded(edges),
            series={
                held.classes[0]: counts_between(chance, edges, ~happened),
                held.classes[1]: counts_between(chance, edges, happened),
            },
            mark=threshold,
        ),
    }


def _ranked(happened: Bools, chance: Floats) -> tuple[Floats, Floats]:
    """Count hits and false alarms when the k most probable rows are called: [cuts] each."""
    order = np.argsort(-chance, kind="stable")
    # Rows of equal probability cannot be told apart: a cut lies only behind the last of them.
    is_cut = np.append(np.diff(chance[order]) != 0, True) if len(order) else np.zeros(0, bool)
    hits = np.cumsum(happened[order])[is_cut]
    alarms = np.cumsum(~happened[order])[is_cut]
    return hits.astype(np.float64), alarms.astype(np.float64)


def _roc(happened: Bools, chance: Floats) -> Curves:
    hits, alarms = _ranked(happened, chance)
    hit_rate = np.concatenate([[0.0], hits / max(1, happened.sum())])
    alarm_rate = np.concatenate([[0.0], alarms / max(1, (~happened).sum())])
    shown = thinned(len(hit_rate), CURVE_POINTS_MAX)
    model = Series(
        name="model", style="line", x=rounded(alarm_rate[shown]), y=rounded(hit_rate[shown])
    )
    guess = Series(name="guessing", style="reference", x=(0.0, 1.0), y=(0.0, 1.0))
    return Curves(
        title="ROC",
        x_label="false alarm rate",
        y_label="hit rate",
        series=(model, guess),
        unit_square=True,
    )


def _precision_recall(happened: Bools, chance: Floats) -> Curves:
    hits, alarms = _ranked(happened, chance)
    recall, precision = hits / max(1, happened.sum()), hits / np.maximum(1, hits + alarms)
    shown = thinned(len(recall), CURVE_POINTS_MAX)
    share = float(happened.mean()) if len(happened) else 0.0
    model = Series(
        name="model", style="line", x=rounded(recall[shown]), y=rounded(precision[shown])
    )
    guess = Series(name="guessing", style="reference", x=(0.0, 1.0), y=rounded([share, share]))
    return Curves(
        title="Precision and recall",
        x_label="recall: found of all there are",
        y_label="precision: right of all called",
        series=(model, guess),
        unit_square=True,
    )


def _calibration(happened: Bools, chance: Floats) -> Curves:
    """Compare told with seen shares in bins of equal size."""
    bins = [rows for rows in np.array_split(np.argsort(chance, kind="stable"), BINS) if len(rows)]
    told = [float(chance[rows].mean()) for rows in bins]
    seen = [float(happened[rows].mean()) for rows in bins]
    # Standard error of a share.
    doubt = [float(np.sqrt(s * (1 - s) / len(rows))) for s, rows in zip(seen, bins, strict=True)]
    line = Series(
        name="model", style="line", x=rounded(told), y=rounded(seen), errors=rounded(doubt)
    )
    perfect = Series(name="perfect", style="reference", x=(0.0, 1.0), y=(0.0, 1.0))
    return Curves(
        title="Are probabilities honest?",
        x_label="told probability",
        y_label="seen share",
        series=(line, perfect),
        unit_square=True,
    )


def multiclass(held: Held) -> dict[str, Plot]:
    """Confusion and F1 of each class; beyond the most common classes the rest is put together."""
    true = held.y.astype(np.int64)
    called = held.predicted.argmax(axis=1)
    true, called, labels = _common(true, called, held.classes)
    counts = _counts(true, called, len(labels))
    right = np.diag(counts)
    f1 = 2 * right / np.maximum(1, counts.sum(axis=0) + counts.sum(axis=1))
    return {
        "confusion": _grid(counts, labels),
        "class_f1": Bars(
            title="F1 of each class",
            value_label="F1",
            labels=labels,
            values=rounded(f1),
            reference=float(np.mean(f1)),
        ),
    }


def _common(
    true: npt.NDArray[np.int64], called: npt.NDArray[np.int64], classes: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], tuple[str, ...]]:
    if len(classes) <= CLASSES_SHOWN_MAX:
        return true, called, classes
    sizes = np.bincount(true, minlength=len(classes))
    kept = np.sort(np.argsort(-sizes, kind="stable")[: CLASSES_SHOWN_MAX - 1])
    place = np.full(len(classes), len(kept))
    place[kept] = np.arange(len(kept))
    return place[true], place[called], (*(classes[one] for one in kept), OTHERS)


def _confusion(true: npt.NDArray[np.int64], called: npt.NDArray[np.int64], held: Held) -> Grid:
    return _grid(_counts(true, called, len(held.classes)), held.classes)


def _counts(
    true: npt.NDArray[np.int64], called: npt.NDArray[np.int64], classes: int
) -> npt.NDArray[np.int64]:
    pairs = np.bincount(true * classes + called, minlength=classes * classes)
    return pairs.reshape(classes, classes)


def _grid(counts: npt.NDArray[np.int64], labels: tuple[str, ...]) -> Grid:
    return Grid(
        title="Confusion",
        x_label="predicted",
        y_label="true",
        labels=labels,
        counts=tuple(tuple(int(count) for count in row) for row in counts),
    )


def regression(held: Held) -> dict[str, Plot]:
    """Predicted against true values, residuals, and how the interval band lies around them."""
    predicted = held.predicted[:, 0]
    residual = held.y - predicted
    order = np.argsort(predicted, kind="stable")
    shown = order[thinned(len(order), DOTS_MAX)]
    low, high = (float(predicted.min()), float(predicted.max())) if len(predicted) else (0.0, 1.0)
    ends = rounded([low, high])
    edges = _residual_edges(residual)
    plots: dict[str, Plot] = {
        "predicted_true": Curves(
            title="Predicted and true",
            x_label="predicted",
            y_label="true",
            series=(
                Series(
                    name="rows",
                    style="dots",
                    x=rounded(predicted[shown]),
                    y=rounded(held.y[shown]),
                ),
                Series(name="perfect", style="reference", x=ends, y=ends),
            ),
        ),
        "residuals": Curves(
            title="Errors by predicted value",
            x_label="predicted",
            y_label="true minus predicted",
            series=(
                Series(
                    name="rows",
                    style="dots",
                    x=rounded(predicted[shown]),
                    y=rounded(residual[shown]),
                ),
                Series(name="no error", style="reference", x=ends, y=(0.0, 0.0)),
            ),
        ),
        "residual_histogram": Histogram(
            title="How large errors are",
            x_label="true minus predicted",
            edges=rounded(edges),
            series={"rows": counts_between(residual, edges)},
            mark=0.0,
        ),
    }
    if held.half_width is not None:
        plots["interval_band"] = _band(held, predicted, shown)
    return plots


def _residual_edges(residual: Floats) -> Floats:
    """Span the middle 99 %, so one absurd row does not squeeze all others into one bar."""
    if not len(residual):
        return np.linspace(-1, 1, HISTOGRAM_BINS + 1)
    low, high = np.quantile(residual, [0.005, 0.995])
    if high <= low:
        low, high = low - 1, high + 1
    return np.asarray(np.linspace(low, high, HISTOGRAM_BINS + 1))


def _band(held: Held, predicted: Floats, shown: npt.NDArray[np.int64]) -> Curves:
    assert held.half_width is not None
    edge = shown[thinned(len(shown), CURVE_POINTS_MAX)]
    inside = float(np.mean(np.abs(held.y - predicted) <= held.half_width)) if len(shown) else 0.0
    band = Series(
        name="90 % interval",
        style="band",
        x=rounded(predicted[edge]),
        y=rounded(predicted[edge] - held.half_width),
        upper=rounded(predicted[edge] + held.half_width),
    )
    dots = Series(name="rows", style="dots", x=rounded(predicted[shown]), y=rounded(held.y[shown]))
    return Curves(
        title=f"90 % interval: {100 * inside:.0f} % of the rows lie inside",
        x_label="predicted",
        y_label="true",
        series=(band, dots),
    )
