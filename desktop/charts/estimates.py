"""Paints figures with their intervals: a band for each label, in it a line for each series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from desktop.charts.marks import colors_of, mark
from desktop.charts.scale import Axis, alike, range_of, told
from desktop.charts.shapes import LABELS_SHOWN_MAX, SERIES_SHOWN_MAX, Estimates
from desktop.charts.sheet import BODY_TOP, MARGIN, SMALL, WIDTH, Sheet

LINES_WIDE_MAX = 24
"""Up to so many lines each has room for its figure in words."""
LINE_WIDE, LINE_NARROW = 40.0, 18.0
BAND_LEAST = 58.0
BAND_ROOM = 20.0
LEGEND_LINE = 44.0
LEGEND_GAP = 44.0
LEGEND_NAME_MAX = 500.0
AXIS = 56.0
NOTE = 44.0
LABEL_WIDTH_MAX = 380.0
FIGURE_WIDTH = 120.0
WHOLE_AXIS_FROM = 0.5
"""Shares that reach so far are shown on an axis of 0 to 100 %."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One figure where it is painted."""

    value: float
    low: float
    high: float
    middle: float
    number: int
    """Of its series."""
    words: str


def height_of(plot: Estimates) -> float:
    """Say how high the picture is: it grows with what it shows."""
    body = _band(plot) * min(len(plot.labels), LABELS_SHOWN_MAX)
    note = NOTE if plot.note else 0.0
    return round(BODY_TOP + _legend_room(plot) + body + AXIS + note + MARGIN)


def paint(sheet: Sheet, plot: Estimates, subtitle: str) -> None:
    """Paint one such plot."""
    sheet.head(plot.title, f"{subtitle} · {plot.value_label}")
    labels = plot.labels[:LABELS_SHOWN_MAX]
    if not labels or not plot.series:
        return
    top = BODY_TOP + _legend_room(plot)
    bottom = top + _band(plot) * len(labels)
    axis = _axis(sheet, plot, labels)
    for place, label in enumerate(labels):
        middle = top + _band(plot) * (place + 0.5)
        if place % 2 == 0:
            edges = (MARGIN - 24, middle - _band(plot) / 2, WIDTH - MARGIN + 24)
            sheet.box((*edges, middle + _band(plot) / 2), sheet.tokens.background, radius=8)
        sheet.write(label, MARGIN, middle, width_max=LABEL_WIDTH_MAX)
    _ground(sheet, plot, axis, top, bottom)
    for line in _lines(plot, top):
        _figure(sheet, plot, axis, line)
    _legend(sheet, plot)
    if plot.note:
        sheet.foot(plot.note, bottom + AXIS + NOTE / 2)


def _is_wide(plot: Estimates) -> bool:
    lines = min(len(plot.series), SERIES_SHOWN_MAX) * min(len(plot.labels), LABELS_SHOWN_MAX)
    return lines <= LINES_WIDE_MAX


def _line_height(plot: Estimates) -> float:
    return LINE_WIDE if _is_wide(plot) else LINE_NARROW


def _band(plot: Estimates) -> float:
    lines = min(len(plot.series), SERIES_SHOWN_MAX)
    return max(BAND_LEAST, _line_height(plot) * lines + BAND_ROOM)


def _axis(sheet: Sheet, plot: Estimates, labels: tuple[str, ...]) -> Axis:
    left = MARGIN + min(max(map(sheet.width_of, labels)), LABEL_WIDTH_MAX) + 40
    right = WIDTH - MARGIN - (FIGURE_WIDTH if _is_wide(plot) else 12.0)
    if not plot.is_share:
        return Axis(*range_of(_numbers(plot)), left, right)
    most = _most(plot)
    return Axis(0.0, 1.0 if most > WHOLE_AXIS_FROM else max(0.02, most * 1.05), left, right)


def _numbers(plot: Estimates) -> list[float]:
    return [
        number
        for one in plot.series[:SERIES_SHOWN_MAX]
        for numbers in (one.values, one.lows, one.highs)
        for number in numbers[:LABELS_SHOWN_MAX]
        if number is not None
    ]


def _most(plot: Estimates) -> float:
    return max([*_numbers(plot), plot.reference or 0.0])


def _ground(sheet: Sheet, plot: Estimates, axis: Axis, top: float, bottom: float) -> None:
    tokens = sheet.tokens
    for value in axis.ticks():
        x = axis.at(value)
        sheet.line([(x, top), (x, bottom)], tokens.line, 2)
        text = f"{100 * value:.3g} %" if plot.is_share else told(value)
        sheet.write(text, x, bottom + 32, size=SMALL, color=tokens.muted, align="center")
    if plot.reference is not None and axis.low <= plot.reference <= axis.high:
        x = axis.at(plot.reference)
        sheet.line([(x, top), (x, bottom)], tokens.text, 3, is_dashed=True, alpha=0.6)


def _lines(plot: Estimates, top: float) -> Iterator[_Line]:
    height, band = _line_height(plot), _band(plot)
    series = plot.series[:SERIES_SHOWN_MAX]
    words = iter(_words(plot))
    for place in range(min(len(plot.labels), LABELS_SHOWN_MAX)):
        middle = top + band * (place + 0.5) - height * (len(series) - 1) / 2
        for number, one in enumerate(series):
            value, low, high = one.values[place], one.lows[place], one.highs[place]
            text = next(words)
            if value is not None:
                ends = (value if low is None else low, value if high is None else high)
                yield _Line(value, *ends, middle + height * number, number, text)


def _words(plot: Estimates) -> list[str]:
    values = [
        one.values[place]
        for place in range(min(len(plot.labels), LABELS_SHOWN_MAX))
        for one in plot.series[:SERIES_SHOWN_MAX]
    ]
    if plot.is_share:
        digits = 0 if _most(plot) > WHOLE_AXIS_FROM else 1
        return ["" if value is None else percent(value, digits) for value in values]
    there = iter(alike([value for value in values if value is not None]))
    return ["" if value is None else next(there) for value in values]


def percent(part: float, digits: int) -> str:
    """Write a share so that only nothing is 0 % and only all is 100 %."""
    number, least = 100 * part, 10.0**-digits
    if 0 < number < least / 2:
        return f"<{least:g} %"
    if 100 - least / 2 < number < 100:
        return f">{100 - least:g} %"
    return f"{number:.{digits if part else 0}f} %"


def _figure(sheet: Sheet, plot: Estimates, axis: Axis, line: _Line) -> None:
    tokens = sheet.tokens
    color = colors_of(tokens)[line.number]
    y, is_wide = line.middle, _is_wide(plot)
    start, end = axis.at(line.low), axis.at(line.high)
    if end > start:
        sheet.line([(start, y), (end, y)], color, 5 if is_wide else 3, alpha=0.55)
        cap = 8 if is_wide else 5
        for x in (start, end):
            sheet.line([(x, y - cap), (x, y + cap)], color, 3, alpha=0.9)
    mark(sheet, line.number, (axis.at(line.value), y), 10 if is_wide else 7)
    if is_wide:
        muted = tokens.muted
        sheet.write(line.words, WIDTH - MARGIN, y, size=SMALL, color=muted, align="right")


def _legend_room(plot: Estimates) -> float:
    """Reserve lines for names by a rough measure: heights are asked for where no font is."""
    if len(plot.series) < 2:
        return 0.0
    return LEGEND_LINE * len(_legend_lines(plot)) + 8


def _legend_lines(plot: Estimates) -> list[list[int]]:
    """Lay the names of the series out in lines; a letter is taken as wide as a wide one."""
    lines: list[list[int]] = [[]]
    x, letter = MARGIN, SMALL * 0.66
    for number, one in enumerate(plot.series[:SERIES_SHOWN_MAX]):
        width = 38 + min(letter * len(one.name), LEGEND_NAME_MAX) + LEGEND_GAP
        if lines[-1] and x + width > WIDTH:
            lines.append([])
            x = MARGIN
        lines[-1].append(number)
        x += width
    return lines


def _legend(sheet: Sheet, plot: Estimates) -> None:
    if len(plot.series) < 2:
        return
    for row, numbers in enumerate(_legend_lines(plot)):
        x, y = MARGIN + 12, BODY_TOP + LEGEND_LINE * row
        for number in numbers:
            name = plot.series[number].name
            mark(sheet, number, (x, y), 10)
            color = sheet.tokens.text
            sheet.write(name, x + 26, y, size=SMALL, color=color, width_max=LEGEND_NAME_MAX)
            x += 26 + min(sheet.width_of(name, SMALL), LEGEND_NAME_MAX) + LEGEND_GAP
