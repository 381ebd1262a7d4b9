"""Makes the engine that the owner's policy names."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from desktop.core.web.rules import SEARCH_KEYS, Search, WebRules
from desktop.jobs.web.lines import Lines
from desktop.jobs.web.searches.engine import Engine
from desktop.jobs.web.searches.keyed import BRAVE, TAVILY, BraveEngine, SearxngEngine, TavilyEngine
from desktop.jobs.web.searches.keyless import KeylessEngine


def engine_of(
    rules: WebRules, lines: Lines, keys: Mapping[str, str], proxy: str | None
) -> Engine | None:
    """Return who is asked; None when nobody is to be.

    Args:
        rules: the owner's.
        lines: made with `rules_for_search`.
        keys: by name, as they are now.
        proxy: the way out of this network; None for none.
    """
    match rules.search:
        case Search.DDGS:
            return KeylessEngine(proxy)
        case Search.SEARXNG:
            return SearxngEngine(lines, rules_for_search(rules))
        case Search.BRAVE:
            key = keys.get(SEARCH_KEYS[Search.BRAVE], "")
            return BraveEngine(lines, rules_for_search(rules), key)
        case Search.TAVILY:
            key = keys.get(SEARCH_KEYS[Search.TAVILY], "")
            return TavilyEngine(lines, rules_for_search(rules), key)
        case Search.NONE:
            return None


def rules_for_search(rules: WebRules) -> WebRules:
    """Return the rules for calling the engine alone: its own host, wherever that is."""
    match rules.search:
        case Search.SEARXNG:
            base = rules.searxng_url
        case Search.TAVILY:
            base = TAVILY
        case _:
            base = BRAVE
    host = (urlsplit(base).hostname or "").lower()
    own = (host,) if rules.search is Search.SEARXNG else ()
    return rules.model_copy(
        update={"allow_hosts": (), "deny_hosts": (), "private_hosts": own or rules.private_hosts}
    )
