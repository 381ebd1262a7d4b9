r"""Discord's Markdown as people see it: an own small reading of it, to hold ours against.

Code stands between backticks in what is returned, as elsewhere. Markup that nobody meant shows
itself: `seen` tells where text became bold, a link under other words, a list, a quote, a mention.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLOCK = re.compile(r"```(?:([a-z0-9+-]*)\n)?(.*?)\n?```", re.DOTALL)
_CODE = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_LINK = re.compile(r"<(https?://[^\s<>]+)>")
_BARE_LINK = re.compile(r"https?://[^\s<]+[^\s<.,:;\"')\]]")
_BOLD = re.compile(r"\*\*((?:\\.|[^\\*])+?)\*\*", re.DOTALL)
_OTHER = re.compile(
    r"\*(?=\S)|_(?=\S)|~~|\|\||\[[^\]]*\]\([^)]*\)|<(?:@|#|:|a:|t:|/)|@everyone|@here"
)
_LINE = re.compile(r"(?:#{1,3} |-# |> |>>> |[-*] |\d+\. )")


@dataclass
class Seen:
    """A message's words on a screen."""

    text: str = ""
    bold: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    unmeant: list[str] = field(default_factory=list)
    """Markup that this project never writes: something was not escaped."""


def seen(written: str) -> Seen:
    """Read what was written as Discord's apps do."""
    told = Seen()
    at = 0
    while at < len(written):
        at = _step(written, at, told)
    return told


def _step(written: str, at: int, told: Seen) -> int:
    if at == 0 or written[at - 1] == "\n":
        spaces = re.compile(r"[ \t]*").match(written, at)
        start = spaces.end() if spaces else at
        if line := _LINE.match(written, start):
            told.unmeant.append(line[0])
    for pattern, take in _TAKERS:
        if found := pattern.match(written, at):
            take(found, told)
            return found.end()
    told.text += written[at]
    return at + 1


def _take_block(found: re.Match[str], told: Seen) -> None:
    told.text += found[2]
    told.code.append(found[2])


def _take_code(found: re.Match[str], told: Seen) -> None:
    told.text += f"`{found[2]}`"
    told.code.append(found[2])


def _take_plain(found: re.Match[str], told: Seen) -> None:
    told.text += found[1]


def _take_bare(found: re.Match[str], told: Seen) -> None:
    told.text += found[0]
    told.unmeant.append(found[0])


def _take_bold(found: re.Match[str], told: Seen) -> None:
    inner = seen(found[1])
    told.text += inner.text
    told.bold.append(inner.text)
    told.unmeant += inner.unmeant


def _take_other(found: re.Match[str], told: Seen) -> None:
    told.text += found[0]
    told.unmeant.append(found[0])


_TAKERS = (
    (_BLOCK, _take_block),
    (_ESCAPE, _take_plain),
    (_CODE, _take_code),
    (_LINK, _take_plain),
    (_BARE_LINK, _take_bare),
    (_BOLD, _take_bold),
    (_OTHER, _take_other),
)
