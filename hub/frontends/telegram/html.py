"""Words as Telegram's HTML: laid out, cut to what fits, escaped, with a little emphasis.

A View is plain text; what is emphasized follows from what it is. Only <b> and <code> are used, and
all that comes from a View is escaped. Lengths are UTF-16 units of what people see, as Telegram
counts them (core.telegram.org/bots/api#sendmessage: "after entities parsing").
"""

from __future__ import annotations

import html
import re
import unicodedata

from hub.core.view import Tone, View
from shared.plain_text import plain

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024
CUT = " …"
LEAD_UNITS_MAX = 90
"""A longer beginning is no headline."""

_RUN = re.compile(
    r"(?m)^([^\n`]*: |[ \t]+)"
    r"((?:deskhand|deskhand-hub|docker|uv|curl|irm|powershell|sudo) [^\n`]+|& \([^\n`]+)$"
)
"""A line to be run on a computer: indented, or after words that say on which."""
_APP_LINK = re.compile(r"(?<![`\w])deskhand://[^\s`]+")
"""Telegram links web pages alone; this one can at least be copied."""
_INDENT = re.compile(r"(?m)^[ \t]{2,}(?=\S)")
_MENU = re.compile(r"(?m)^(/\w+) {2,}(?=\S)")
_BAR = re.compile(r" ([▓░]{3,}) ")
_CODE = re.compile(r"`([^`\n]+)`")
_PAIRING_CODE = re.compile(r"(?<!\S)([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})(?![\w-])")
"""A tap on code copies it."""
_WORDS = re.compile(r"(?i)(\bcheck words: )([a-z]+ [a-z]+)")
"""What a person has to compare."""
_QUESTION = re.compile(r"[^\s.?!:;][^.?!:;\n]*\?")
_LEAD = re.compile(r"[^\n]*?(?=[.:](?:\s|$)|\n|$)")
_JOINERS = frozenset("\u200d\ufe0e\ufe0f")


def html_of(view: View, units_max: int = TEXT_UNITS_MAX) -> str:
    """Write a view's text as HTML of at most `units_max` visible units; never empty."""
    return marked(fitted(laid_out(view), units_max), view)


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
    """How long Telegram holds a text to be."""
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


def marked(text: str, view: View) -> str:
    """Escape a text, and emphasize what its reader looks for first."""
    start, end = _headline(text, view)
    head = text[start:end]
    return (
        _inline(text[:start]) + (f"<b>{_escaped(head)}</b>" if head else "") + _inline(text[end:])
    )


def _headline(text: str, view: View) -> tuple[int, int]:
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


def _inline(text: str) -> str:
    pieces = _CODE.split(_escaped(text))
    # Every second piece stood between backticks.
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    pieces[::2] = [_plain_marked(piece) for piece in pieces[::2]]
    return "".join(pieces)


def _plain_marked(told: str) -> str:
    told = _PAIRING_CODE.sub(r"<code>\1</code>", told)
    return _WORDS.sub(r"\1<b>\2</b>", told)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
