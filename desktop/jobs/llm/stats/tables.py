"""A report as tables: CSV for a spreadsheet, and plain text for a chat and a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from desktop.jobs.llm.formulas import harmless
from desktop.jobs.llm.stats.report import Agreement, Difference, Figure, Interval, Report
from desktop.jobs.llm.stats.wording import counted, cut, percent, short_names

TEXT_CHARS_MAX = 8000
NAME_WIDE = 26
LINES_OF_VALUES_MAX = 96
FIGURES = (
    "measure", "model", "other_model", "value", "figure", "low", "high", "method", "wilson_low",
    "wilson_high", "standard_error", "n", "n_of", "clusters", "design_effect", "n_effective", "p",
    "p_holm", "detectable", "remark",
)  # fmt: skip
SCENARIOS = (
    "scenario", "cluster", "total", "answered", "refused", "failed", "cancelled", "open", "unread",
    "model", "label", "chosen",
)  # fmt: skip
Cell = str | float | int | None


def figures_csv(report: Report) -> str:
    """Write every figure of a report as one row."""
    return _csv(FIGURES, _figure_rows(report))


def scenarios_csv(report: Report) -> str:
    """Write how often each option of each scenario was chosen by each model."""
    return _csv(SCENARIOS, _scenario_rows(report))


def text(report: Report) -> str:
    """Write the most telling figures in columns of even letters, cut to what a message takes."""
    lines = [line.rstrip() for line in _lines(report)]
    while len("\n".join(lines)) > TEXT_CHARS_MAX - 1:
        lines = [*lines[:-2], "…"]
    return "\n".join(lines)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> Cell:
    """Make sure that no spreadsheet takes somebody's words for a formula; numbers stay numbers."""
    if isinstance(cell, str):
        return harmless(cell)
    return "" if cell is None else cell


def _figure_rows(report: Report) -> Iterator[list[Cell]]:
    for model in report.models:
        yield _figure_row("refusal_rate", model.model, "", model.refusal)
        yield _figure_row("error_rate", model.model, "", model.error)
        yield _figure_row("first_option", model.model, "", model.first_option)
    for win in report.wins:
        yield _figure_row("win_rate", win.model, win.value, win.share)
    for score in report.scores:
        yield _figure_row("score", score.model, "", score.mean)
    for one in report.differences:
        yield _difference_row(one)
    for pair in report.pairs:
        yield from _agreement_rows("cohen", pair.first, pair.second, pair.agreement)
    if report.together:
        yield from _agreement_rows("fleiss", "", "", report.together)
    for own in report.stability:
        yield from _agreement_rows("stability", own.model, "", own.agreement)


def _ends(interval: Interval | None) -> list[Cell]:
    return [interval.low, interval.high] if interval else [None, None]


def _figure_row(measure: str, model: str, value: str, told: Figure) -> list[Cell]:
    method = told.interval.method.value if told.interval else ""
    return [
        measure, model, "", value, told.value, *_ends(told.interval), method, *_ends(told.wilson),
        told.standard_error, told.n, told.n_of, told.clusters, told.design_effect,
        told.n_effective, None, None, None, told.remark,
    ]  # fmt: skip


def _difference_row(one: Difference) -> list[Cell]:
    method = one.interval.method.value if one.interval else ""
    return [
        f"difference_of_{one.measure}", one.first, one.second, one.value, one.difference,
        *_ends(one.interval), method, None, None, one.standard_error, one.n, one.n_of,
        one.clusters, None, None, one.p, one.p_holm, one.detectable, one.remark,
    ]  # fmt: skip


def _agreement_rows(name: str, first: str, second: str, told: Agreement) -> Iterator[list[Cell]]:
    method = told.interval.method.value if told.interval else ""
    sizes: list[Cell] = [None, told.n, told.n_of, told.clusters]
    rest: list[Cell] = [None, None, None, None, None, told.remark]
    kappa: list[Cell] = [told.kappa, *_ends(told.interval), method, None, None]
    observed: list[Cell] = [told.observed, None, None, "", None, None]
    yield [f"{name}_kappa", first, second, "", *kappa, *sizes, *rest]
    yield [f"{name}_observed", first, second, "", *observed, *sizes, *rest]


def _scenario_rows(report: Report) -> Iterator[list[Cell]]:
    for one in report.scenarios:
        counts = one.counts
        head: list[Cell] = [
            one.scenario, one.cluster, counts.total, counts.answered, counts.refused,
            counts.failed, counts.cancelled, counts.open, counts.unread,
        ]  # fmt: skip
        if not one.choices:
            yield [*head, "", "", None]
        for model, chosen in one.choices.items():
            for label, number in sorted(chosen.items()):
                yield [*head, model, label, number]


def _lines(report: Report) -> Iterator[str]:
    names = short_names(report)
    yield f"{'model':<{NAME_WIDE}} answered  refused  failed"
    for model in report.models:
        counts = model.counts
        answered = f"{counts.answered:,}/{counts.total:,}"
        rates = f"{_rate(model.refusal):>8} {_rate(model.error):>7}"
        yield f"{_cut(names[model.model]):<{NAME_WIDE}} {answered:>8} {rates}"
    yield from _win_lines(report, names)
    if report.scores:
        yield ""
        yield f"{'mean score':<{NAME_WIDE}}  score   95 %             n"
        for score in report.scores:
            yield _line(names[score.model], score.mean, is_share=False)


def _win_lines(report: Report, names: dict[str, str]) -> Iterator[str]:
    if not report.values:
        return
    yield ""
    yield f"{'value wins':<{NAME_WIDE}}  share   95 %             n"
    left = LINES_OF_VALUES_MAX
    for value in report.values:
        of_value = [one for one in report.wins if one.value == value]
        left -= len(of_value)
        if left < 0:
            yield "… the other values stand in figures.csv"
            return
        yield _cut(value)
        for one in of_value:
            yield _line(f"  {names[one.model]}", one.share, is_share=True)


def _line(name: str, figure: Figure, *, is_share: bool) -> str:
    n = counted(figure.n, figure.n_of).replace(" of ", "/")
    if figure.value is None:
        return f"{_cut(name):<{NAME_WIDE}}      –   {'':<10} {n:>9}"
    interval = figure.interval or figure.wilson
    if is_share:
        value = percent(figure.value).replace("under ", "<").replace("over ", ">")
        reach = f"{100 * interval.low:.0f}–{100 * interval.high:.0f} %" if interval else ""
    else:
        value = f"{figure.value:.2f}"
        reach = f"{interval.low:.2f}–{interval.high:.2f}" if interval else ""
    return f"{_cut(name):<{NAME_WIDE}} {value:>6}   {reach:<10} {n:>9}"


def _rate(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    return percent(figure.value).replace("under ", "<").replace("over ", ">")


def _cut(name: str) -> str:
    return cut(name, NAME_WIDE)
