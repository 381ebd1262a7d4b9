"""Paints a number for each two of some things, such as how far models agree."""

from __future__ import annotations

from desktop.charts.scale import mixed
from desktop.charts.shapes import MATRIX_SHOWN_MAX, Matrix
from desktop.charts.sheet import BODY, BODY_TOP, FIGURE, MARGIN, SMALL, WIDTH, Sheet
from shared.look import Tokens

ROW_MAX, ROW_LEAST = 110.0, 58.0
HEIGHT_OF_CELLS = 640.0
COLUMN_MAX = 220.0
HEADS = 56.0
LABEL_WIDTH_MAX = 420.0
LABEL_NARROW_MAX = 330.0
NARROW_FROM = 6
"""So many things, and names give way to numbers."""
NOTE = 60.0
DIGITS_LEAST = 84.0
"""A narrower cell goes without the 0 before the point."""
GAP = 2.0


def height_of(plot: Matrix) -> float:
    """Say how high the picture is: few things make a low one."""
    note = NOTE if plot.note else 0.0
    return round(BODY_TOP + HEADS + _row(plot) * _shown(plot) + note + MARGIN)


def paint(sheet: Sheet, plot: Matrix, subtitle: str) -> None:
    """Paint one such plot; columns get numbers where their names have no room."""
    sheet.head(plot.title, subtitle)
    count = _shown(plot)
    if not plot.labels:
        return
    labels = plot.labels[:count]
    size, most = (SMALL, LABEL_NARROW_MAX) if count >= NARROW_FROM else (BODY, LABEL_WIDTH_MAX)
    left = MARGIN + min(max(sheet.width_of(label, size) for label in labels) + 60, most) + 28
    wide = min(COLUMN_MAX, (WIDTH - MARGIN - left) / count)
    is_named = all(sheet.width_of(label, SMALL) <= wide - 8 for label in labels)
    for row, label in enumerate(labels):
        middle = BODY_TOP + HEADS + _row(plot) * (row + 0.5)
        text = label if is_named else f"{row + 1}  {label}"
        sheet.write(text, MARGIN, middle, size=size, width_max=left - MARGIN - 28)
        head = label if is_named else str(row + 1)
        x, muted = left + wide * (row + 0.5), sheet.tokens.muted
        sheet.write(head, x, BODY_TOP + 20, size=SMALL, color=muted, align="center")
        for column in range(count):
            corner = (left + wide * column, middle - _row(plot) / 2)
            _cell(sheet, plot.cells[row][column], corner, (wide, _row(plot)))
    if plot.note:
        sheet.foot(plot.note, BODY_TOP + HEADS + _row(plot) * count + NOTE / 2 + 8)


def _shown(plot: Matrix) -> int:
    return max(1, min(len(plot.labels), MATRIX_SHOWN_MAX))


def _row(plot: Matrix) -> float:
    return max(ROW_LEAST, min(ROW_MAX, HEIGHT_OF_CELLS / _shown(plot)))


def _cell(
    sheet: Sheet, value: float | None, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    (left, top), (wide, high) = corner, size
    edges = (left + GAP, top + GAP, left + wide - GAP, top + high - GAP)
    sheet.box(edges, shade(value, sheet.tokens), radius=4)
    text = "–" if value is None else f"{value:.2f}".replace("-", "−")
    if wide < DIGITS_LEAST and value is not None and abs(value) < 0.995:
        text = text.replace("0.", ".", 1)
    figure = FIGURE if wide >= 130 else BODY if wide >= 110 else SMALL
    color = sheet.tokens.muted if value is None else sheet.tokens.text
    sheet.write(text, left + wide / 2, top + high / 2, size=figure, color=color, align="center")


def shade(value: float | None, tokens: Tokens) -> str:
    """Give the ground of a cell: the stronger, the further from 0; another colour below 0."""
    if value is None:
        return tokens.background
    color = tokens.accent if value >= 0 else tokens.waiting
    return mixed(color, tokens.surface, 0.05 + 0.45 * min(1.0, abs(value)))
