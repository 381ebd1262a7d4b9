"""Draws a model's plots as pictures for a chat. What is drawn was made by `plots`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.ml.canvas import (
    BODY,
    BODY_TOP,
    HEIGHT,
    MARGIN,
    SMALL,
    WIDTH,
    Canvas,
    points,
)
from desktop.jobs.ml.plot_shapes import Bars, Curves, Grid, Series
from shared.look import LIGHT, Tokens

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS_SHOWN_MAX = 10
ROW_PIXELS_MAX = 78
BAR_SHARE = 0.56
LABEL_WIDTH_MAX = 430
HEIGHT_MIN = 320
DIGITS_MAX = 6
CELL_WORDS_MAX = 6
"""Classes up to which a cell also tells its share of the row."""
LEGEND_GAP = 36
DOT_AREA = 70
TICKS_MAX = 5


def paint(plot: Bars | Curves | Grid, path: Path, *, subtitle: str, tokens: Tokens = LIGHT) -> None:
    """Draw a plot into a PNG of 1200 × 900 pixels.

    Args:
        plot: what to draw.
        path: the file to write.
        subtitle: says of which model it is.
        tokens: the colours.
    """
    _drawn(plot, subtitle, tokens).save(path)


def _drawn(plot: Bars | Curves | Grid, subtitle: str, tokens: Tokens) -> Canvas:
    match plot:
        case Bars():
            return _bars(plot, subtitle, tokens)
        case Curves():
            return _curves(plot, subtitle, tokens)
        case Grid():
            return _grid(plot, subtitle, tokens)


def _bars(plot: Bars, subtitle: str, tokens: Tokens) -> Canvas:
    count = min(len(plot.values), BARS_SHOWN_MAX)
    row = min(ROW_PIXELS_MAX, (HEIGHT - MARGIN - BODY_TOP) / count)
    bottom = BODY_TOP + row * count
    # Few bars make a low picture: what is empty only makes the rest smaller on a phone.
    height = max(HEIGHT_MIN, round(bottom + MARGIN))
    canvas = Canvas(plot.title, f"{subtitle} · {plot.value_label}", tokens, height=height)
    labels, values = plot.labels[:count], plot.values[:count]
    errors = plot.errors[:count] if plot.errors else (0.0,) * count
    widest = max(canvas.width_of(label) for label in labels)
    left = MARGIN + min(widest, LABEL_WIDTH_MAX) + 24
    told = _alike(values)
    telling = max(canvas.width_of(text, SMALL) for text in told)
    axes = canvas.axes(left, BODY_TOP, WIDTH - MARGIN - telling - 20, bottom)
    places = list(range(count))
    axes.barh(places, values, height=BAR_SHARE, color=tokens.accent)
    _whiskers(axes, values, errors, tokens)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([])
    low = min(0.0, *(v - e for v, e in zip(values, errors, strict=True)))
    high = max(0.0, *(v + e for v, e in zip(values, errors, strict=True)))
    axes.set_xlim(low, high if high > low else low + 1)
    axes.axvline(0, color=tokens.line, linewidth=2, zorder=0)
    if plot.reference is not None:
        axes.axvline(plot.reference, color=tokens.muted, linewidth=2, linestyle=(0, (4, 4)))
    for place, (label, text) in enumerate(zip(labels, told, strict=True)):
        middle = BODY_TOP + row * (place + 0.5)
        canvas.write(label, left - 24, middle, ha="right", width_max=LABEL_WIDTH_MAX)
        canvas.write(text, WIDTH - MARGIN, middle, size=SMALL, color=tokens.muted, ha="right")
    return canvas


def _whiskers(
    axes: Axes, values: tuple[float, ...], errors: tuple[float, ...], tokens: Tokens
) -> None:
    if any(errors):
        axes.errorbar(
            values, range(len(values)), xerr=errors, fmt="none",
            ecolor=tokens.text, elinewidth=2, capsize=6, capthick=2, alpha=0.7,
        )  # fmt: skip


def _curves(plot: Curves, subtitle: str, tokens: Tokens) -> Canvas:
    canvas = Canvas(plot.title, subtitle, tokens)
    named = [series for series in plot.series if series.style != "band"]
    top = BODY_TOP + LEGEND_GAP + 20 if len(named) > 1 else BODY_TOP
    left, right, bottom = MARGIN + 130.0, float(WIDTH - MARGIN), HEIGHT - MARGIN - 96.0
    axes = canvas.axes(left, top, right, bottom)
    for series in plot.series:
        _draw(axes, series, tokens)
    if plot.unit_square:
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
    if plot.x_log:
        axes.set_xscale("log")
    axes.set_axisbelow(True)
    axes.grid(color=tokens.line, linewidth=2)
    _ticks(axes)
    canvas.write(plot.x_label, (left + right) / 2, HEIGHT - MARGIN - 6, ha="center", size=BODY)
    canvas.write(plot.y_label, MARGIN, (top + bottom) / 2, ha="center", rotation=90, size=BODY)
    if len(named) > 1:
        _legend(canvas, named, left, BODY_TOP + 10)
    return canvas


def _draw(axes: Axes, series: Series, tokens: Tokens) -> None:
    match series.style:
        case "reference":
            axes.plot(
                series.x, series.y, color=tokens.text, alpha=0.7, linewidth=3,
                linestyle=(0, (4, 4)), zorder=3,
            )  # fmt: skip
        case "dots":
            axes.scatter(
                series.x, series.y, s=DOT_AREA, color=tokens.accent, alpha=0.4, linewidths=0
            )
        case "band":
            axes.fill_between(series.x, series.y, series.upper, color=tokens.accent, alpha=0.15)
        case "line":
            # Points on the very edge are whole, too.
            axes.plot(series.x, series.y, color=tokens.accent, linewidth=5, clip_on=False)
            if series.errors:
                axes.errorbar(
                    series.x, series.y, yerr=series.errors, fmt="o", markersize=points(18),
                    color=tokens.accent, elinewidth=3, capsize=8, capthick=3,
                    clip_on=False,
                )  # fmt: skip


def _ticks(axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(TICKS_MAX))
        axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _legend(canvas: Canvas, named: list[Series], left: float, middle: float) -> None:
    from matplotlib.lines import Line2D

    x = left
    for series in named:
        color = canvas.tokens.muted if series.style == "reference" else canvas.tokens.accent
        height = 1 - middle / canvas.height
        mark = Line2D(
            [x / WIDTH, (x + 44) / WIDTH] if series.style != "dots" else [(x + 22) / WIDTH],
            [height, height] if series.style != "dots" else [height],
            color=color,
            linewidth=4,
            linestyle=(0, (3, 2)) if series.style == "reference" else "-",
            marker="o" if series.style == "dots" else "",
            markersize=points(18),
        )
        canvas.figure.add_artist(mark)
        canvas.write(series.name, x + 58, middle, size=SMALL, color=canvas.tokens.muted)
        x += 58 + canvas.width_of(series.name, SMALL) + 48


def _grid(plot: Grid, subtitle: str, tokens: Tokens) -> Canvas:
    """Draw counts; the shade of a cell is its share of the row, so rare classes show as well."""
    count = len(plot.labels)
    canvas = Canvas(plot.title, subtitle, tokens)
    size = BODY if count <= CELL_WORDS_MAX else SMALL
    label_width = min(300.0, max(canvas.width_of(label, size) for label in plot.labels))
    left = MARGIN + 56 + label_width + 20
    top, right, bottom = BODY_TOP, WIDTH - MARGIN, HEIGHT - MARGIN - 108
    axes = canvas.axes(left, top, right, bottom)
    axes.set_xlim(0, count)
    axes.set_ylim(count, 0)
    axes.set_xticks([])
    axes.set_yticks([])
    wide, high = (right - left) / count, (bottom - top) / count
    for true, row in enumerate(plot.counts):
        total = max(1, sum(row))
        for called, rows in enumerate(row):
            _cell(axes, (true, called), rows / total, tokens)
            middle = (left + wide * (called + 0.5), top + high * (true + 0.5))
            _cell_words(canvas, middle, rows, rows / total, count)
    for place, label in enumerate(plot.labels):
        canvas.write(
            label, left - 20, top + high * (place + 0.5), size=size, ha="right", width_max=300
        )
        canvas.write(
            label, left + wide * (place + 0.5), bottom + 32, size=size, ha="center",
            width_max=wide - 12,
        )  # fmt: skip
    canvas.write(plot.x_label, (left + right) / 2, HEIGHT - MARGIN - 14, ha="center",
                 color=tokens.muted)  # fmt: skip
    canvas.write(
        plot.y_label, MARGIN + 6, (top + bottom) / 2, ha="center", rotation=90, color=tokens.muted
    )
    return canvas


def _cell(axes: Axes, place: tuple[int, int], share: float, tokens: Tokens) -> None:
    from matplotlib.patches import Rectangle

    true, called = place
    color = tokens.accent if true == called else tokens.failed
    gap = 0.02
    axes.add_patch(
        Rectangle(
            (called + gap, true + gap), 1 - 2 * gap, 1 - 2 * gap,
            facecolor=_mixed(color, tokens.surface, 0.06 + 0.5 * share)
            if share
            else tokens.background,
            edgecolor="none",
        )
    )  # fmt: skip


def _cell_words(
    canvas: Canvas, middle: tuple[float, float], rows: int, share: float, count: int
) -> None:
    x, y = middle
    if count > CELL_WORDS_MAX:
        if rows:
            canvas.write(_tick(rows), x, y, size=SMALL, ha="center")
        return
    canvas.write(f"{rows:,}", x, y - 20, ha="center", weight="bold", size=BODY + 4)
    canvas.write(wording.share(share), x, y + 22, ha="center", size=SMALL)


def _mixed(color: str, ground: str, share: float) -> str:
    """Lay a colour over another, `share` 0..1 of it."""
    pairs = zip(_parts(color), _parts(ground), strict=True)
    return "#" + "".join(f"{round(c * share + g * (1 - share)):02X}" for c, g in pairs)


def _parts(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _alike(values: Sequence[float]) -> list[str]:
    """Write values with the same digits behind the point, three telling ones in the largest."""
    largest = max((abs(value) for value in values), default=0.0)
    if largest >= 1000:
        return [_tick(value) for value in values]
    digits = max(0, 2 - math.floor(math.log10(largest))) if largest else 0
    return [f"{value:.{min(digits, DIGITS_MAX)}f}".replace("-", "−") for value in values]


def _tick(value: float) -> str:
    """Write a number as briefly as an axis needs: "0.25", "1,500", "25k", "1.2M"."""
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= scale:
            return f"{value / (1e3 if unit == 'k' else scale):.3g}{unit}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
