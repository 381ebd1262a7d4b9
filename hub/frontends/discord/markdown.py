r"""Words as Discord's Markdown: escaped, with a little emphasis, fitted to what a message holds.

A View is plain text; what is emphasized follows from what it is. All else that Discord would read
as markup is escaped; links stand in <>, which shows them without fetching a preview of them.
Discord counts what is written, escapes included (discord.com/developers/docs, Create Message).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hub.core.view import View
from hub.frontends.layout import fitted, headline, laid_out, units
from shared.plain_text import plain

TEXT_UNITS_MAX = 2000
EMBED_UNITS_MAX = 4096

_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(https?://[^\s<>`]*[^\s<>`.,:;\"'\])])")
_SIGNS = re.compile(r"([\\*_~|`<\[\]])|(?m:(?<=^)([ \t]*)([-#>]))|(?m:(?<=^)([ \t]*\d+)([.)]))")
_EVERYBODY = re.compile(r"@(?=everyone|here)")
_PAIRING_CODE = re.compile(r"(?<!\S)([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})(?![\w-])")
_WORDS = re.compile(r"(?i)(\bcheck words: )([a-z]+ [a-z]+)")
"""What a person has to compare."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message's words, in one of two places."""

    content: str = ""
    embed: str = ""
    """Where `content` is too small for them."""
    is_cut: bool = False
    brief: str = ""
    """As much of an embed's words as stand without one."""


def told_of(view: View) -> Told:
    """Write a view's text so that Discord takes it; never empty."""
    text = laid_out(view)
    content = marked(text, view)
    if units(content) <= TEXT_UNITS_MAX:
        return Told(content)
    shown, embed = _fitting(text, view, EMBED_UNITS_MAX)
    return Told(embed=embed, is_cut=shown != text, brief=short_of(view))


def short_of(view: View) -> str:
    """Write as much of a view's text as fits without an embed."""
    return _fitting(laid_out(view), view, TEXT_UNITS_MAX)[1]


def _fitting(text: str, view: View, units_max: int) -> tuple[str, str]:
    """The longest beginning whose markup fits, plain and marked."""
    room = units_max
    while True:
        shown = fitted(text, room)
        told = marked(shown, view)
        over = units(told) - units_max
        if over <= 0:
            return shown, told
        room -= over


def marked(text: str, view: View) -> str:
    """Escape a text, and emphasize what its reader looks for first."""
    start, end = headline(text, view)
    head = text[start:end]
    bold = f"**{escaped(head)}**" if head.strip() == head != "" and "://" not in head else ""
    middle = bold or _inline(head)
    return _inline(text[:start]) + middle + _inline(text[end:], goes_on=end > 0)


def block(text: str, language: str = "") -> str:
    """Write a text that keeps its columns, as it is."""
    told = plain(text).strip("\n").replace("```", "`\u200b``")
    name = re.sub(r"[^a-z0-9+-]", "", language)
    return f"```{name}\n{told}\n```"


def escaped(text: str, *, goes_on: bool = False) -> str:
    """Escape what Discord would read as markup.

    Args:
        text: as it is to be seen.
        goes_on: it does not begin a line.
    """
    guard = "\u0001" if goes_on else ""
    told = _SIGNS.sub(_with_backslash, guard + text)
    return _EVERYBODY.sub(r"\\@", told).removeprefix(guard)


def _with_backslash(found: re.Match[str]) -> str:
    sign, indent, leader, number, dot = found.groups()
    if sign:
        return f"\\{sign}"
    return f"{indent}\\{leader}" if leader else f"{number}\\{dot}"


def _inline(text: str, *, goes_on: bool = False) -> str:
    pieces = _CODE.split(text)
    told = ""
    for index, piece in enumerate(pieces):
        # Every second piece stood between backticks.
        told += f"`{piece}`" if index % 2 else _linked(piece, goes_on=goes_on or index > 0)
    return told


def _linked(text: str, *, goes_on: bool) -> str:
    told = ""
    for index, piece in enumerate(_LINK.split(text)):
        told += f"<{piece}>" if index % 2 else _emphasized(piece, goes_on=goes_on or index > 0)
    return told


def _emphasized(text: str, *, goes_on: bool) -> str:
    told = _PAIRING_CODE.sub(r"`\1`", escaped(text, goes_on=goes_on))
    return _WORDS.sub(r"\1**\2**", told)
