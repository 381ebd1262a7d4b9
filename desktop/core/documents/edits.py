"""Exact replacements in a text: each old part stands there once, or nothing is changed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BadInput
from shared.plain_text import plain_line

SHOWN_CHARS_MAX = 80
CLOSE_LINES_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Replacement:
    old: str
    new: str


def edited(text: str, edits: Sequence[Replacement], *, name: str) -> str:
    r"""Return the text with all replacements made, each found in the text as it was.

    Line ends of an edit count as those of the text: people and models write "\n".

    Raises:
        BadInput: `edit_not_found`, `edit_ambiguous`, `edits_overlap`.
    """
    crlf = _is_crlf(text)
    places: list[tuple[int, int, str]] = []
    for number, edit in enumerate(edits, start=1):
        old, new = (_with_ends(part, crlf=crlf) for part in (edit.old, edit.new))
        places.append((*_place(text, old, number, name), new))
    places.sort()
    for (_, end, _), (start, _, _) in itertools.pairwise(places):
        if start < end:
            raise BadInput(
                "edits_overlap",
                f"Two edits of {name} change the same part.",
                "Make one edit of them.",
            )
    return "".join(_pieces(text, places))


def with_ends_of(text: str, model: str) -> str:
    """Give a whole new text the line ends of the one whose place it takes."""
    return _with_ends(text, crlf=_is_crlf(model))


def _is_crlf(text: str) -> bool:
    return "\r\n" in text and text.count("\r\n") * 2 > text.count("\n")


def _with_ends(text: str, *, crlf: bool) -> str:
    plain = text.replace("\r\n", "\n")
    return plain.replace("\n", "\r\n") if crlf else plain


def _place(text: str, old: str, number: int, name: str) -> tuple[int, int]:
    start = text.find(old)
    shown = plain_line(old.strip())[:SHOWN_CHARS_MAX]
    if start < 0:
        raise BadInput(
            "edit_not_found",
            f"Edit {number}: '{shown}' does not stand in {name}.",
            "It has to be copied exactly, blanks and line ends too. Read the file first.",
        )
    count = text.count(old)
    if count > 1 or text.find(old, start + 1) >= 0:
        raise BadInput(
            "edit_ambiguous",
            f"Edit {number}: '{shown}' stands {max(2, count)} times in {name}.",
            "Take more of the lines around it into `old`.",
        )
    return start, start + len(old)


def _pieces(text: str, places: Sequence[tuple[int, int, str]]) -> list[str]:
    pieces, at = [], 0
    for start, end, new in places:
        pieces += [text[at:start], new]
        at = end
    return [*pieces, text[at:]]
