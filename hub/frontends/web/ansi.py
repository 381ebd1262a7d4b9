"""Lines of logs for a page: colours become classes, everything else that acts is taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.plain_text import plain_line

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STYLES = {1: "bold", 2: "dim", 4: "underline"}
_STYLES_OFF = {22: ("bold", "dim"), 24: ("underline",)}
_ESCAPE = re.compile(
    # ECMA-48: CSI with its end, OSC up to BEL or ST, and the short ones.
    r"\x1b\[(?P<codes>[0-9;]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
)


class Piece(NamedTuple):
    text: str
    classes: str
    """Of the dashboard's style: "ansi-bold ansi-red"; often none."""
    is_hit: bool = False
    """It is what was searched for."""


def pieces(line: str, words: str = "") -> list[Piece]:
    """Cut a line by its colours, and by what is searched for (any case) within each."""
    return [
        part
        for text, classes in _coloured(line)
        for part in _marked(plain_line(text), classes, words)
    ]


def bare(line: str) -> str:
    """A line without its escapes."""
    return plain_line(_ESCAPE.sub("", line))


def _coloured(line: str) -> Iterator[tuple[str, str]]:
    if "\x1b" not in line:
        yield line, ""
        return
    style: dict[str, str] = {}
    at = 0
    for found in _ESCAPE.finditer(line):
        if found.start() > at:
            yield line[at : found.start()], " ".join(style.values())
        at = found.end()
        if found["codes"] is not None:
            _turn(style, found["codes"])
    if at < len(line):
        yield line[at:], " ".join(style.values())


def _turn(style: dict[str, str], codes: str) -> None:
    """Take over what one escape sets (ECMA-48, SGR); colours beyond the eight are left out."""
    numbers = [int(code[:3] or 0) for code in codes.split(";")]
    for number in numbers:
        match number:
            case 0:
                style.clear()
            case 38 | 48:
                # What follows says which of many colours.
                return
            case 39:
                style.pop("colour", None)
            case _ if number in _STYLES:
                style[_STYLES[number]] = f"ansi-{_STYLES[number]}"
            case _ if number in _STYLES_OFF:
                for name in _STYLES_OFF[number]:
                    style.pop(name, None)
            case _ if 30 <= number <= 37 or 90 <= number <= 97:
                style["colour"] = f"ansi-{_COLOURS[number % 10]}"


def _marked(text: str, classes: str, words: str) -> Iterator[Piece]:
    if not words:
        yield Piece(text, classes)
        return
    at = 0
    for found in re.finditer(re.escape(words), text, re.IGNORECASE):
        if found.start() > at:
            yield Piece(text[at : found.start()], classes)
        yield Piece(found[0], classes, is_hit=True)
        at = found.end()
    if at < len(text):
        yield Piece(text[at:], classes)
