"""A text that is longer than a model takes at once, cut where people would cut it.

Nothing is lost and nothing is twice in it: the pieces put together are the text.
"""

from __future__ import annotations

PIECE_CHARS_MIN = 200
_BORDERS = ("\n\n", "\n", ". ", "? ", "! ", " ")
"""Where a piece may end, the best place first."""
_WORTH = 0.5
"""A better border counts only in the last half of a piece: else many are very short."""


def pieces(text: str, chars_max: int) -> list[str]:
    """Cut a text into pieces of at most `chars_max` characters, at least PIECE_CHARS_MIN."""
    size = max(chars_max, PIECE_CHARS_MIN)
    made: list[str] = []
    start = 0
    while len(text) - start > size:
        end = _end(text, start, start + size)
        made.append(text[start:end])
        start = end
    return [*made, text[start:]] if text[start:] or not made else made


def groups(texts: list[str], chars_max: int) -> list[list[str]]:
    """Put texts together, in their order, as many at a time as fit; each group has one at least."""
    made: list[list[str]] = []
    room = 0
    for text in texts:
        if made and len(text) <= room:
            made[-1].append(text)
        else:
            made.append([text])
            room = chars_max
        room -= len(text)
    return made


def _end(text: str, start: int, limit: int) -> int:
    worth = start + int((limit - start) * _WORTH)
    for border in _BORDERS:
        found = text.rfind(border, worth, limit)
        if found >= 0:
            return found + len(border)
    return limit
