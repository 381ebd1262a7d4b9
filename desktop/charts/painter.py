"""Paints plots: into a window, and into the picture for a chat. One layout for both.

What is painted was reckoned before: when a model was trained (`desktop.jobs.ml.plots`), when a run
had ended (`desktop.jobs.llm.stats.plots`; those shapes are in `estimates` and `matrix`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from PySide6.QtGui import QPainter

from desktop.charts import estimates, matrix
from desktop.charts.marks import colors_of
from desktop.charts.scale import Axis, alike, mixed, range_of, share, told
from desktop.charts.shapes import (
    BARS_SHOWN_MAX,
    AnyPlot,
    Bars,
    Curves,
    Estimates,
    Grid,
    Histogram,
    Matrix,
    Series,
)
from desktop.charts.sheet import BODY, BODY_TOP, FIGURE, HEIGHT, MARGIN, SMALL, WIDTH, Sheet
from shared.look import Tokens

ROW_MAX = 78.0
BAR_SHARE = 0.56
LABEL_WIDTH_MAX = 430.0
HEIGHT_MIN = 320.0
CELL_WORDS_MAX = 6
"""Classes up to which a cell also tells its share of the row."""
LEGEND_GAP = 56.0
WORD_GAP = 28.0


def height_of(plot: AnyPlot) -> float:
    """Say how high a plot's picture is; all are 1,200 wide.

    Few bars make a low one: what is empty only makes the rest smaller on a phone.
    """
    match plot:
        case Bars():
            return max(HEIGHT_MIN, round(BODY_TOP + _row(plot) * _shown(plot) + MARGIN))
        case Estimates():
            return max(HEIGHT_MIN, estimates.height_of(plot))
        case Matrix():
            return max(HEIGHT_MIN, matrix.height_of(plot))
        case _:
            return HEIGHT


def paint(painter: QPainter, plot: AnyPlot, subtitle: str, tokens: Tokens) -> None:
    """Paint a plot on 1,200 x `height_of(plot)` units of a painter.

    Args:
        painter: scaled by its owner; its ground is filled already.
        plot: what to paint.
        subtitle: says of what it is.
        tokens: the colours.
    """
    sheet = Sheet(painter, tokens)
    match plot:
        case Bars():
            _bars(sheet, plot, subtitle)
        case Curves():
            _curves(sheet, plot, subtitle)
        case Grid():
            _grid(sheet, plot, subtitle)
        case Histogram():
            _histogram(sheet, plot, subtitle)
        case Estimates():
            estimates.paint(sheet, plot, subtitle)
        case Matrix():
            matrix.paint(sheet, plot, subtitle)
        case _:
            assert_never(plot)


def _shown(plot: Bars) -> int:
    return max(1, min(len(plot.values), BARS_SHOWN_MAX))


def _row(plot: Bars) -> float:
    return min(ROW_MAX, (HEIGHT - MARGIN - BODY_TOP) / _shown(plot))


def _bars(sheet: Sheet, plot: Bars, subtitle: str) -> None:
    tokens, row = sheet.tokens, _row(plot)
    sheet.head(plot.title, f"{subtitle} · {plot.value_label}")
    labels, values = plot.labels[:BARS_SHOWN_MAX], plot.values[:BARS_SHOWN_MAX]
    if not values:
        return
    errors = plot.errors[: len(values)] or (0.0,) * len(values)
    texts = alike(values)
    left = MARGIN + min(max(map(sheet.width_of, labels)), LABEL_WIDTH_MAX) + 24
    right = WIDTH - MARGIN - max(sheet.width_of(text, SMALL) for text in texts) - 20
    low = min(0.0, *(v - e for v, e in zip(values, errors, strict=True)))
    high = max(0.0, *(v + e for v, e in zip(values, errors, strict=True)))
    axis = Axis(low, high if high > low else low + 1, left, right)
    bottom = BODY_TOP + row * len(values)
    sheet.line([(axis.at(0), BODY_TOP), (axis.at(0), bottom)], tokens.line, 2)
    for place, (label, value, error) in enumerate(zip(labels, values, errors, strict=True)):
        middle = BODY_TOP + row * (place + 0.5)
        half = row * BAR_SHARE / 2
        ends = sorted((axis.at(0), axis.at(value)))
        sheet.box((ends[0], middle - half, ends[1], middle + half), tokens.accent)
        if error:
            _whisker(sheet, axis.at(value - error), axis.at(value + error), middle)
        sheet.write(label, left - 24, middle, align="right", width_max=LABEL_WIDTH_MAX)
        sheet.write(
            texts[place], WIDTH - MARGIN, middle, size=SMALL, color=tokens.muted, align="right"
        )
    if plot.reference is not None:
        x = axis.at(min(max(plot.reference, axis.low), axis.high))
        sheet.line([(x, BODY_TOP), (x, bottom)], tokens.muted, 2, is_dashed=True)


def _whisker(sheet: Sheet, start: float, end: float, middle: float) -> None:
    color = sheet.tokens.text
    sheet.line([(start, middle), (end, middle)], color, 2, alpha=0.7)
    for x in (start, end):
        sheet.line([(x, middle - 6), (x, middle + 6)], color, 2, alpha=0.7)


def _curves(sheet: Sheet, plot: Curves, subtitle: str) -> None:
    sheet.head(plot.title, subtitle)
    named = [series for series in plot.series if series.style != "band"]
    has_legend = len(named) > 1
    across, up = _axes(
        sheet, _range_x(plot), _range_y(plot), top=BODY_TOP + LEGEND_GAP * has_legend,
        labels=(plot.x_label, plot.y_label), is_log=plot.x_log, words=plot.x_words,
    )  # fmt: skip
    for series in plot.series:
        _series(sheet, series, across, up)
    if has_legend:
        _legend(sheet, named, across.start, BODY_TOP + 10)


def _range_x(plot: Curves) -> tuple[float, float]:
    values = [x for series in plot.series for x in series.x]
    return (0.0, 1.0) if plot.unit_square else range_of(values, is_log=plot.x_log)


def _range_y(plot: Curves) -> tuple[float, float]:
    if plot.unit_square:
        return 0.0, 1.0
    values: list[float] = []
    for series in plot.series:
        errors = series.errors or (0.0,) * len(series.y)
        values += [y - e for y, e in zip(series.y, errors, strict=True)]
        values += [y + e for y, e in zip(series.y, errors, strict=True)]
        values += series.upper
    return range_of(values)


def _axes(
    sheet: Sheet,
    across: tuple[float, float],
    up: tuple[float, float],
    *,
    top: float,
    labels: tuple[str, str],
    is_log: bool = False,
    words: Sequence[str] = (),
) -> tuple[Axis, Axis]:
    """Draw the ground of a plot: grid, numbers, names of the axes."""
    tokens = sheet.tokens
    left, right, bottom = MARGIN + 130, WIDTH - MARGIN, HEIGHT - MARGIN - 96
    x_axis = Axis(*across, left, right, is_log)
    y_axis = Axis(*up, bottom, top)
    for value, text in _below(sheet, x_axis, words):
        x = x_axis.at(value)
        sheet.line([(x, top), (x, bottom)], tokens.line, 2)
        sheet.write(text, x, bottom + 32, size=SMALL, color=tokens.muted, align="center")
    for value in y_axis.ticks():
        y = y_axis.at(value)
        sheet.line([(left, y), (right, y)], tokens.line, 2)
        sheet.write(told(value), left - 14, y, size=SMALL, color=tokens.muted, align="right")
    sheet.write(
        labels[0], (left + right) / 2, HEIGHT - MARGIN - 6, align="center", width_max=right - left
    )
    sheet.write(
        labels[1], MARGIN, (top + bottom) / 2, align="center", is_upright=True,
        width_max=bottom - top,
    )  # fmt: skip
    return x_axis, y_axis


def _below(sheet: Sheet, axis: Axis, words: Sequence[str]) -> list[tuple[float, str]]:
    """Choose what is written below a plot: round numbers, or as many words as there is room for."""
    if not words:
        return [(value, told(value)) for value in axis.ticks()]
    widest = max(sheet.width_of(word, SMALL) for word in words)
    room = max(2, int((axis.end - axis.start) / (widest + WORD_GAP)))
    step = max(1, -(-len(words) // room))
    return [(float(place), words[place]) for place in range(0, len(words), step)]


def _series(sheet: Sheet, series: Series, across: Axis, up: Axis) -> None:
    tokens = sheet.tokens
    color = colors_of(tokens)[series.tone]
    points = [(across.at(x), up.at(y)) for x, y in zip(series.x, series.y, strict=True)]
    match series.style:
        case "reference":
            sheet.line(points, tokens.text, 3, is_dashed=True, alpha=0.7)
        case "dots":
            sheet.dots(points, 6, color, alpha=0.4)
        case "band":
            edge = [(across.at(x), up.at(y)) for x, y in zip(series.x, series.upper, strict=True)]
            sheet.area([*points, *reversed(edge)], color, alpha=0.15)
        case "line":
            sheet.line(points, color, 5)
            for (x, _), y, error in zip(points, series.y, series.errors, strict=False):
                sheet.line([(x, up.at(y - error)), (x, up.at(y + error))], color, 3)
            if series.errors:
                sheet.dots(points, 9, color)


def _legend(sheet: Sheet, named: Sequence[Series], left: float, middle: float) -> None:
    tokens, x = sheet.tokens, left
    for series in named:
        is_reference = series.style == "reference"
        color = tokens.muted if is_reference else colors_of(tokens)[series.tone]
        if series.style == "dots":
            sheet.dots([(x + 22, middle)], 9, color)
        else:
            sheet.line([(x, middle), (x + 44, middle)], color, 4, is_dashed=is_reference)
        room = max(60.0, WIDTH - MARGIN - x - 58)
        sheet.write(series.name, x + 58, middle, size=SMALL, color=tokens.muted, width_max=room)
        x += 58 + sheet.width_of(series.name, SMALL) + 48


def _grid(sheet: Sheet, plot: Grid, subtitle: str) -> None:
    """Paint counts; the shade of a cell is its share of the row, so rare classes show as well."""
    tokens, count = sheet.tokens, len(plot.labels)
    sheet.head(plot.title, subtitle)
    if not count:
        return
    size = BODY if count <= CELL_WORDS_MAX else SMALL
    labels = min(300.0, max(sheet.width_of(label, size) for label in plot.labels))
    left, top = MARGIN + 56 + labels + 20, BODY_TOP
    right, bottom = WIDTH - MARGIN, HEIGHT - MARGIN - 108
    wide, high = (right - left) / count, (bottom - top) / count
    for true, row in enumerate(plot.counts):
        total = max(1, sum(row))
        for called, rows in enumerate(row):
            corner = (left + wide * called, top + high * true)
            color = tokens.accent if true == called else tokens.failed
            _cell(sheet, corner, (wide, high), color, rows / total)
            middle = (corner[0] + wide / 2, corner[1] + high / 2)
            _cell_words(sheet, middle, rows, rows / total, is_small=count > CELL_WORDS_MAX)
    for place, text in enumerate(plot.labels):
        y, x = top + high * (place + 0.5), left + wide * (place + 0.5)
        sheet.write(text, left - 20, y, size=size, align="right", width_max=300)
        sheet.write(text, x, bottom + 32, size=size, align="center", width_max=wide - 12)
    muted = tokens.muted
    sheet.write(plot.x_label, (left + right) / 2, HEIGHT - MARGIN - 14, align="center", color=muted)
    sheet.write(
        plot.y_label, MARGIN + 6, (top + bottom) / 2, align="center", color=muted, is_upright=True
    )


def _cell(
    sheet: Sheet, corner: tuple[float, float], size: tuple[float, float], color: str, part: float
) -> None:
    (left, top), (wide, high) = corner, size
    ground = sheet.tokens.background
    shade = mixed(color, sheet.tokens.surface, 0.06 + 0.5 * part) if part else ground
    gap = 2.0
    sheet.box((left + gap, top + gap, left + wide - gap, top + high - gap), shade)


def _cell_words(
    sheet: Sheet, middle: tuple[float, float], rows: int, part: float, *, is_small: bool
) -> None:
    x, y = middle
    if is_small:
        if rows:
            sheet.write(told(rows), x, y, size=SMALL, align="center")
        return
    sheet.write(f"{rows:,}", x, y - 20, size=FIGURE, align="center")
    sheet.write(share(part), x, y + 22, size=SMALL, align="center")


def _histogram(sheet: Sheet, plot: Histogram, subtitle: str) -> None:
    sheet.head(plot.title, subtitle)
    tokens, names = sheet.tokens, list(plot.series)
    colors = (tokens.accent, tokens.waiting, tokens.done, tokens.asking)
    highest = max((max(counts, default=0) for counts in plot.series.values()), default=0)
    top = BODY_TOP + LEGEND_GAP * (len(names) > 1)
    edges = plot.edges if len(plot.edges) > 1 and plot.edges[-1] > plot.edges[0] else (0.0, 1.0)
    across, up = _axes(
        sheet, (edges[0], edges[-1]), (0.0, max(1, highest) * 1.05), top=top,
        labels=(plot.x_label, "rows"),
    )  # fmt: skip
    for number, name in enumerate(names):
        color = colors[number % len(colors)]
        for start, end, count in zip(edges, edges[1:], plot.series[name], strict=False):
            bar = (across.at(start) + 1, up.at(count), across.at(end) - 1, up.at(0))
            sheet.box(bar, color, alpha=0.55)
    if plot.mark is not None and edges[0] <= plot.mark <= edges[-1]:
        x = across.at(plot.mark)
        sheet.line([(x, top), (x, up.at(0))], tokens.text, 3, is_dashed=True, alpha=0.7)
    if len(names) > 1:
        x = across.start
        for number, name in enumerate(names):
            color = colors[number % len(colors)]
            sheet.box((x, BODY_TOP - 2, x + 24, BODY_TOP + 22), color, alpha=0.55, radius=4)
            sheet.write(name, x + 38, BODY_TOP + 10, size=SMALL, color=tokens.muted)
            x += 38 + sheet.width_of(name, SMALL) + 48
