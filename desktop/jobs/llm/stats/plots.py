"""A report as plots: shapes that `desktop.charts` paints, into a chat's picture and a window."""

from __future__ import annotations

from statistics import fmean

from desktop.charts.shapes import (
    LABELS_SHOWN_MAX,
    SERIES_SHOWN_MAX,
    Estimated,
    Estimates,
    Matrix,
    RunPicture,
    RunPlot,
)
from desktop.jobs.llm.stats.report import Figure, Report
from desktop.jobs.llm.stats.wording import counted, cut, short_names

REFUSED, FAILED = "refused", "failed"
NAME_MAX = 32
"""Letters of a run's name in a picture; the rest of its line is worth more."""


def plots(report: Report) -> dict[str, RunPlot]:
    """Give the plots that say something, by the names of their files."""
    made: dict[str, RunPlot | None] = {
        "wins": _wins(report),
        "scores": _scores(report),
        "rates": _rates(report),
        "agreement": _agreement(report),
    }
    return {name: plot for name, plot in made.items() if plot is not None}


def pictures(report: Report) -> dict[str, RunPicture]:
    """Give the plots with what is written above them."""
    return {
        name: RunPicture(subtitle=subtitle(report, plot), plot=plot)
        for name, plot in plots(report).items()
    }


def subtitle(report: Report, plot: RunPlot) -> str:
    """Say of what a plot is, what it rests on, and what it leaves out."""
    told = [
        cut(report.name, NAME_MAX),
        f"{counted(report.counts.answered, report.counts.total)} probes",
    ]
    if plot.form == "matrix":
        return " · ".join(told)
    if len(plot.labels) > LABELS_SHOWN_MAX:
        told.append(f"{LABELS_SHOWN_MAX} of {len(plot.labels)} shown")
    if len(plot.series) > SERIES_SHOWN_MAX:
        told.append(f"{SERIES_SHOWN_MAX} of {len(plot.series)} models")
    return " · ".join(told)


def _wins(report: Report) -> Estimates | None:
    by = {(one.model, one.value): one.share for one in report.wins if one.share.n}
    if not by:
        return None
    models = [model.model for model in report.models]
    rates = {
        value: [by[model, value].value or 0.0 for model in models if (model, value) in by]
        for value in report.values
    }
    values = sorted(report.values, key=lambda value: -fmean(rates[value] or [0.0]))
    chances = {model.first_option_by_chance for model in report.models} - {None}
    chance = chances.pop() if len(chances) == 1 else None
    return Estimates(
        title="How often each value wins",
        value_label="95 % intervals",
        labels=tuple(values),
        series=tuple(
            _series(short_names(report)[model], [by.get((model, value)) for value in values])
            for model in models
        ),
        reference=chance,
        note=""
        if chance is None
        else f"Dashed: what choosing blindly would give, {chance:.0%}.".replace("%", " %"),
    )


def _scores(report: Report) -> Estimates | None:
    told = [one for one in report.scores if one.mean.value is not None]
    if not told:
        return None
    names = short_names(report)
    return Estimates(
        title="Mean score of each model",
        value_label="95 % intervals",
        labels=tuple(names[one.model] for one in told),
        series=(_series("score", [one.mean for one in told]),),
        is_share=False,
    )


def _rates(report: Report) -> Estimates | None:
    if not report.models:
        return None
    names = short_names(report)
    return Estimates(
        title="Refusals and errors",
        value_label="95 % intervals",
        labels=tuple(names[model.model] for model in report.models),
        series=(
            _series(REFUSED, [model.refusal for model in report.models], is_plain=True),
            _series(FAILED, [model.error for model in report.models], is_plain=True),
        ),
    )


def _series(name: str, figures: list[Figure | None], *, is_plain: bool = False) -> Estimated:
    """Lay figures out.

    Args:
        name: of the series.
        figures: one for each label.
        is_plain: with Wilson's interval: rates near 0 hardly ever differ between clusters.
    """
    ends = [
        None if one is None else (one.wilson if is_plain else one.interval or one.wilson)
        for one in figures
    ]
    return Estimated(
        name=name,
        values=tuple(None if one is None else one.value for one in figures),
        lows=tuple(None if end is None else end.low for end in ends),
        highs=tuple(None if end is None else end.high for end in ends),
    )


def _agreement(report: Report) -> Matrix | None:
    by = {(one.first, one.second): one.agreement.kappa for one in report.pairs}
    if all(kappa is None for kappa in by.values()):
        return None
    by |= {(second, first): kappa for (first, second), kappa in by.items()}
    by |= {(one.model, one.model): one.agreement.kappa for one in report.stability}
    models = [model.model for model in report.models]
    names = short_names(report)
    return Matrix(
        title="How far models agree (kappa)",
        note="1: always alike, 0: as often as by chance."
        + (" Diagonal: its own repeats." if report.stability else ""),
        labels=tuple(names[model] for model in models),
        cells=tuple(tuple(by.get((row, column)) for column in models) for row in models),
    )
