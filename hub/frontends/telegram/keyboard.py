"""Buttons as Telegram can show them: labels that fit, rows that read well, links it opens."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.view import Button
from hub.frontends.labels import cells, is_web_page
from hub.frontends.layout import units

LABEL_UNITS_MAX = 64
COPY_UNITS_MAX = 256
HALF_CELLS_MAX = 16
"""What half the width of a phone shows without cutting it."""


def fits(button: Button) -> bool:
    """Whether Telegram takes such a button; else its address, if any, belongs into the text."""
    if button.url:
        return is_web_page(button.url)
    if button.copies:
        return units(button.copies) <= COPY_UNITS_MAX
    return bool(button.says)


def rows_of(labels: Sequence[str]) -> list[list[int]]:
    """Lay labels out, as indexes: two short neighbours share a row."""
    rows: list[list[int]] = []
    for index, label in enumerate(labels):
        is_short = cells(label) <= HALF_CELLS_MAX
        if is_short and rows and len(rows[-1]) == 1 and cells(labels[index - 1]) <= HALF_CELLS_MAX:
            rows[-1].append(index)
        else:
            rows.append([index])
    return rows
