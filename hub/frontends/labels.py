"""Labels of buttons in chats: cut where it hurts least, measured as they are seen."""

from __future__ import annotations

from unicodedata import east_asian_width
from urllib.parse import urlsplit

from hub.frontends.layout import units
from shared.loopback import is_loopback
from shared.plain_text import plain_line

DETAIL = " · "
"""Stands between a choice and what is said about it."""
HEAD_UNITS_MIN = 16


def is_web_page(url: str) -> bool:
    """Whether a chat may link it: a whole message is refused over a link to localhost, say."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or "." not in host or units(url) > 2000:
        return False
    return not is_loopback(host)


def label_of(told: str, units_max: int) -> str:
    """A label of at most `units_max`: names lose their middle, what is said of them stays."""
    label = plain_line(told).strip() or "…"
    if units(label) <= units_max:
        return label
    head, dot, detail = label.partition(DETAIL)
    room = units_max - units(dot + detail)
    if not dot or room < HEAD_UNITS_MIN:
        return _without_middle(label, units_max)
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


def cells(label: str) -> int:
    """How wide a label is; signs of East Asia take two."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in label)
