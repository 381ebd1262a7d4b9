"""Words as HTML for chats: escaped, with a little emphasis; for every platform that speaks HTML.

A View is plain text; what is emphasized follows from what it is. Only <b>, <code> and <pre> are
used, and all that comes from a View is escaped.
"""

from __future__ import annotations

import html
import re

from hub.core.view import View
from hub.frontends.layout import headline
from shared.plain_text import plain

_CODE = re.compile(r"`([^`\n]+)`")
_PAIRING_CODE = re.compile(r"(?<!\S)([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})(?![\w-])")
"""A tap on code copies it."""
_WORDS = re.compile(r"(?i)(\bcheck words: )([a-z]+ [a-z]+)")
"""What a person has to compare."""


def block(text: str, language: str = "") -> str:
    """Write a text that keeps its columns, as it is."""
    told = escaped(plain(text).strip("\n"))
    name = re.sub(r"[^a-z0-9+-]", "", language)
    inner = f'<code class="language-{name}">{told}</code>' if name else told
    return f"<pre>{inner}</pre>"


def marked(text: str, view: View) -> str:
    """Escape a text, and emphasize what its reader looks for first."""
    start, end = headline(text, view)
    head = text[start:end]
    return _inline(text[:start]) + (f"<b>{escaped(head)}</b>" if head else "") + _inline(text[end:])


def _inline(text: str) -> str:
    pieces = _CODE.split(escaped(text))
    # Every second piece stood between backticks.
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    pieces[::2] = [_plain_marked(piece) for piece in pieces[::2]]
    return "".join(pieces)


def _plain_marked(told: str) -> str:
    told = _PAIRING_CODE.sub(r"<code>\1</code>", told)
    return _WORDS.sub(r"\1<b>\2</b>", told)


def escaped(text: str) -> str:
    """Write a text so that none of it is markup."""
    return html.escape(text, quote=False)
