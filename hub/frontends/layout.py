"""What a View's text looks like in a chat, before any markup: laid out, cut, with a headline.

A View is plain text written for terminals and chats alike; chats have no columns. Each frontend
then escapes what it gets from here in its platform's own way. Lengths are UTF-16 units of what
people see, as chat platforms count them.
"""

from __future__ import annotations

import re
import unicodedata

from hub.core.view import Tone, View
from shared.plain_text import plain

CUT = " …"
LEAD_UNITS_MAX = 90
"""A longer beginning is no headline."""

_RUN = re.compile(
    r"(?m)^([^\n`]*: |[ \t]+)"
    r"((?:deskhand|deskhand-hub|docker|uv|curl|irm|powershell|sudo) [^\n`]+|& \([^\n`]+)$"
)
"""A line to be run on a computer: indented, or after words that say on which."""
_APP_LINK = re.compile(r"(?<![`\w])deskhand://[^\s`]+")
"""Chats link web pages alone; this one can at least be copied."""
_INDENT = re.compile(r"(?m)^[ \t]{2,}(?=\S)")
_MENU = re.compile(r"(?m)^(/\w+) {2,}(?=\S)")
_BAR = re.compile(r" ([▓░]{3,}) ")
_QUESTION = re.compile(r"[^\s.?!:;][^.?!:;\n]*\?")
_LEAD = re.compile(r"[^\n]*?(?=[.:](?:\s|$)|\n|$)")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def laid_out(view: View) -> str:
    """The text as it will be seen, without markup: columns of spaces do not line up in a chat."""
    text = plain(view.text).strip("\n")
    text = _MENU.sub(r"\1 – ", text)
    text = _RUN.sub(lambda found: f"{found[1].lstrip()}`{found[2]}`", text)
    text = _APP_LINK.sub(r"`\g<0>`", text)
    text = _INDENT.sub("· ", text)
    if view.progress is not None:
        text = _BAR.sub(r"\n\1 ", text, count=1)
    return text.strip() or "…"


def units(text: str) -> int:
    """How long chat platforms hold a text to be."""
    return len(text) + sum(character > "\uffff" for character in text)


def fitted(text: str, units_max: int) -> str:
    """Cut a text to a length; nothing that belongs to one character is torn."""
    if units(text) <= units_max:
        return text
    room, end = units_max - units(CUT), 0
    for character in text:
        room -= units(character)
        if room < 0:
            break
        end += 1
    while end and _clings(text, end):
        end -= 1
    return text[:end].rstrip() + CUT


def _clings(text: str, end: int) -> bool:
    """Whether a cut here would part a sign from what it stands on."""
    follows, before = text[end : end + 1], text[end - 1]
    return before == "\u200d" or bool(
        follows and (follows in _JOINERS or unicodedata.combining(follows))
    )


def headline(text: str, view: View) -> tuple[int, int]:
    """Where the words in bold stand; an empty span for none."""
    if view.tone is Tone.ASKING:
        found = _QUESTION.search(text.partition("\n\n")[0])
    elif view.final or view.progress is not None:
        found = _LEAD.match(text)
    else:
        return 0, 0
    if found is None or units(found[0]) > LEAD_UNITS_MAX or "`" in found[0]:
        return 0, 0
    return found.span()
