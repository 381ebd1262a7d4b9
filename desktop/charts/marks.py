"""Marks that tell series apart: by colour, and by shape for whoever does not see the colours."""

from __future__ import annotations

import math

from desktop.charts.sheet import Sheet
from shared.look import Tokens

MARKS = ("disc", "square", "triangle", "diamond", "ring", "frame", "arrow", "star")
TURN = {"square": 45.0, "triangle": -90.0, "diamond": 0.0, "frame": 45.0, "arrow": 90.0}
"""Where the first corner lies, in degrees from the right, clockwise."""
CORNERS = {"square": 4, "triangle": 3, "diamond": 4, "frame": 4, "arrow": 3}
GROWN = {"square": 1.2, "triangle": 1.3, "diamond": 1.3, "frame": 1.2, "arrow": 1.3, "star": 1.35}
"""So that all look equally large."""


def colors_of(tokens: Tokens) -> tuple[str, ...]:
    """Give the colours of series, one for each mark."""
    return (
        tokens.accent, tokens.waiting, tokens.done, tokens.asking,
        tokens.running, tokens.text, tokens.failed, tokens.muted,
    )  # fmt: skip


def mark(sheet: Sheet, number: int, middle: tuple[float, float], radius: float) -> None:
    """Paint the mark of a series; on a rim of the ground, so that lines do not run into it."""
    shape, color = MARKS[number], colors_of(sheet.tokens)[number]
    _fill(sheet, shape, middle, radius + 3, sheet.tokens.surface)
    _fill(sheet, shape, middle, radius, color)
    if shape in ("ring", "frame"):
        _fill(sheet, shape, middle, radius - 4, sheet.tokens.surface)


def _fill(sheet: Sheet, shape: str, middle: tuple[float, float], radius: float, color: str) -> None:
    if shape in ("disc", "ring"):
        sheet.dots([middle], radius, color)
        return
    sheet.area(_corners(shape, middle, radius * GROWN[shape]), color, 1.0)


def _corners(shape: str, middle: tuple[float, float], radius: float) -> list[tuple[float, float]]:
    if shape == "star":
        points = [(radius if n % 2 == 0 else radius * 0.45, n * 36 - 90.0) for n in range(10)]
    else:
        count = CORNERS[shape]
        points = [(radius, TURN[shape] + n * 360 / count) for n in range(count)]
    return [
        (middle[0] + far * math.cos(math.radians(at)), middle[1] + far * math.sin(math.radians(at)))
        for far, at in points
    ]
