"""What search engines answer, in the shapes of their APIs: results, whatever else is in there.

SearXNG: docs.searxng.org, search API, format=json. Brave: api-dashboard.search.brave.com, web
search. Tavily: docs.tavily.com, search.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping

from desktop.core.web.choosing import Found
from shared.kinds.web import EXCERPT_CHARS_MAX, TITLE_CHARS_MAX, URL_CHARS_MAX
from shared.plain_text import plain_line

RESULTS_MAX = 50
_TAG = re.compile(r"<[^<>]{0,1000}>")


def results_in(body: bytes, path: Iterable[str], snippet: str) -> tuple[Found, ...] | None:
    """Read an engine's answer; None when it is none.

    Args:
        body: JSON.
        path: the fields that lead to the list of results.
        snippet: the field with a result's words.
    """
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in path:
        told = told.get(name) if isinstance(told, dict) else None
    if not isinstance(told, list):
        return None
    return found_in(told, url="url", title="title", snippet=snippet)


def found_in(listed: list[object], *, url: str, title: str, snippet: str) -> tuple[Found, ...]:
    """Read a list of results by the names of their fields; what has no address is left out."""
    made = (
        Found(
            url=_text(one, url, URL_CHARS_MAX + 1),
            title=_text(one, title, TITLE_CHARS_MAX),
            snippet=_text(one, snippet, EXCERPT_CHARS_MAX),
        )
        for one in listed[:RESULTS_MAX]
        if isinstance(one, Mapping)
    )
    return tuple(
        found
        for found in made
        if found.url.startswith(("http://", "https://")) and len(found.url) <= URL_CHARS_MAX
    )


def _text(told: Mapping[str, object], name: str, chars_max: int) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        return ""
    return " ".join(plain_line(html.unescape(_TAG.sub("", value[:10_000]))).split())[:chars_max]
