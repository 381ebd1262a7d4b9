"""Engines with an API: SearXNG, Brave, Tavily. A key goes to its engine and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from desktop.core.web.choosing import Found
from desktop.core.web.rules import SEARCH_KEYS, Search, WebRules
from desktop.core.web.search_replies import results_in
from desktop.core.web.url_guard import check_url
from desktop.jobs.web.lines import Answer, Ask, Lines
from shared.errors import AppError, NotFound, Unavailable

SEARCH_SECONDS = 20.0
REPLY_BYTES_MAX = 4_000_000
COUNT_MAX = 20
"""More than this none of them gives at once."""
BRAVE, TAVILY = "https://api.search.brave.com", "https://api.tavily.com"


class SearxngEngine:
    name = "searxng"

    def __init__(self, lines: Lines, rules: WebRules) -> None:
        self._lines = lines
        self._rules = rules

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        base = self._rules.searxng_url.rstrip("/")
        url = f"{base}/search?{urlencode({'q': query, 'format': 'json'})}"
        answer = await self._lines.ask(_request(url, self._rules))
        return _results(self.name, answer, ("results",), "content")[:count]


class BraveEngine:
    name = "brave"

    def __init__(self, lines: Lines, rules: WebRules, key: str, base: str = BRAVE) -> None:
        self._lines = lines
        self._rules = rules
        self._key = key
        self._base = base

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        key = _checked(Search.BRAVE, self._key)
        told = urlencode({"q": query, "count": min(count, COUNT_MAX)})
        request = _request(
            f"{self._base}/res/v1/web/search?{told}",
            self._rules,
            headers={"accept": "application/json", "x-subscription-token": key},
        )
        answer = await self._lines.ask(request)
        return _results(self.name, answer, ("web", "results"), "description")[:count]


class TavilyEngine:
    name = "tavily"

    def __init__(self, lines: Lines, rules: WebRules, key: str, base: str = TAVILY) -> None:
        self._lines = lines
        self._rules = rules
        self._key = key
        self._base = base

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        key = _checked(Search.TAVILY, self._key)
        wanted = {"query": query, "max_results": min(count, COUNT_MAX), "search_depth": "basic"}
        request = _request(
            f"{self._base}/search",
            self._rules,
            method="POST",
            headers={"content-type": "application/json", "authorization": f"Bearer {key}"},
            content=json.dumps(wanted).encode(),
        )
        answer = await self._lines.ask(request)
        return _results(self.name, answer, ("results",), "content")[:count]


def _request(
    url: str,
    rules: WebRules,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
) -> Ask:
    body = {"content-length": str(len(content))} if content else {}
    return Ask(
        target=check_url(url, rules),
        bytes_max=REPLY_BYTES_MAX,
        seconds_max=SEARCH_SECONDS,
        method=method,
        headers={**(headers or {}), **body},
        content=content,
    )


def _results(name: str, answer: Answer, path: tuple[str, ...], snippet: str) -> tuple[Found, ...]:
    if answer.status in (401, 403, 429):
        raise _limited(name, answer.status)
    found = results_in(answer.body, path, snippet) if answer.status == 200 else None
    if found is None:
        raise failed(name, f"it answers {answer.status}, and no list of results")
    return found


def _checked(search: Search, key: str) -> str:
    if not key:
        name = SEARCH_KEYS[search]
        raise NotFound(
            "search_key_missing",
            f"Searching with {search.value} needs a key ({name}), and none is kept here.",
            f"Keep it with: deskhand keys set {name}; or choose another search under [web].",
        )
    return key


def _limited(name: str, status: int) -> AppError:
    why = "its limit is used up for now" if status == 429 else "it does not accept the key"
    return Unavailable(
        "search_limited",
        f"{name} does not search for us ({why}, HTTP {status}).",
        "Look at your account there, or choose another search under [web] in the policy.",
        retryable=status == 429,
    )


def failed(name: str, why: str) -> AppError:
    """Say that an engine found nothing because something is wrong with it."""
    return Unavailable(
        "search_failed",
        f"Searching with {name} failed ({why}).",
        "Try again later, or choose another search under [web] in the policy.",
        retryable=True,
    )
