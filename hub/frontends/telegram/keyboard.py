"""Buttons as Telegram can show them: labels that fit, rows that read well, links it opens."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width
from urllib.parse import urlsplit

from hub.core.view import Button
from hub.frontends.telegram.html import units
from shared.loopback import is_loopback
from shared.plain_text import plain_line

LABEL_UNITS_MAX = 64
COPY_UNITS_MAX = 256
HALF_CELLS_MAX = 16
"""What half the width of a phone shows without cutting it."""
DETAIL = " · "
"""Stands between a choice and what is said about it."""
HEAD_UNITS_MIN = 16


def fits(button: Button) -> bool:
    """Whether Telegram takes such a button; else its address, if any, belongs into the text."""
    if button.url:
        return _is_web_page(button.url)
    if button.copies:
        return units(button.copies) <= COPY_UNITS_MAX
    return bool(button.says)


def _is_web_page(url: str) -> bool:
    """Telegram refuses a whole message over a link to a name without a dot, such as localhost."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "." not in host or units(url) > 2000:
        return False
    return not is_loopback(host)


def label_of(button: Button) -> str:
    """A label of at most `LABEL_UNITS_MAX`: names lose their middle, what is said of them stays."""
    label = plain_line(button.label).strip() or "…"
    if units(label) <= LABEL_UNITS_MAX:
        return label
    head, dot, detail = label.partition(DETAIL)
    room = LABEL_UNITS_MAX - units(dot + detail)
    if not dot or room < HEAD_UNITS_MIN:
        return _without_middle(label, LABEL_UNITS_MAX)
    return _without_middle(head, room) + dot + detail


def _without_middle(text: str, units_max: int) -> str:
    """Keep both ends: the end of a file's name says what it is."""
    if units(text) <= units_max:
        return text
    tail_room = units_max // 3
    head = _taken(text, units_max - 1 - tail_room)
    tail = _taken(text[::-1], tail_room)[::-1]
    return f"{head.rstrip()}…{tail.lstrip()}"


def _taken(text: str, units_max: int) -> str:
    taken = ""
    for character in text:
        units_max -= units(character)
        if units_max < 0:
            break
        taken += character
    return taken


def rows_of(labels: Sequence[str]) -> list[list[int]]:
    """Lay labels out, as indexes: two short neighbours share a row."""
    rows: list[list[int]] = []
    for index, label in enumerate(labels):
        is_short = _cells(label) <= HALF_CELLS_MAX
        if is_short and rows and len(rows[-1]) == 1 and _cells(labels[index - 1]) <= HALF_CELLS_MAX:
            rows[-1].append(index)
        else:
            rows.append([index])
    return rows


def _cells(label: str) -> int:
    """How wide a label is; signs of East Asia take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in label)
