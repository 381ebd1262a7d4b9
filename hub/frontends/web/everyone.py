"""Keeps `?who=everyone` in the links of a page, so that an owner who looks at all stays there.

It is done once for all pages, on what was written: a link of a page's own begins with a slash, and
no text of a person's can look like one, because templates escape quotes.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders

WHO = "who=everyone"
_LINK = re.compile(r'\b(href|action|hx-get|hx-post|data-live)="(/(?!static/)[^"#]*)(#[^"]*)?"')
_GET_FORM = re.compile(r'<form\b(?=[^>]*\bmethod="get")[^>]*>')
_FIELD = '<input type="hidden" name="who" value="everyone">'


def keep_everyone(html: str) -> str:
    """Add the wish to every link of a page, and to its forms."""
    linked = _LINK.sub(lambda m: f'{m[1]}="{add(m[2], "&amp;")}{m[3] or ""}"', html)
    return _GET_FORM.sub(lambda m: m[0] + _FIELD, linked)


def add(address: str, ampersand: str = "&") -> str:
    """Add the wish to one address that does not say whose things it is about."""
    if re.search(r"[?&;]who=", address):
        return address
    return f"{address}{ampersand if '?' in address else '?'}{WHO}"


def keep_in_location(headers: MutableHeaders, query: bytes) -> None:
    """Lead back to everybody's things after a form that was sent from there."""
    to = headers.get("location", "")
    if WHO.encode() in query and to.startswith("/"):
        headers["location"] = add(to)
