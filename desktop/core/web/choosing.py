"""Which results of searches are read: the best of each query in turn, not all from one site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

PER_HOST_MAX = 2
SPARES_MIN = 4
"""In reserve at least, and as many as are wanted: pages that cannot be read are replaced."""
_TRACKING = ("utm_", "fbclid", "gclid", "mc_cid", "mc_eid", "ref_src")


@dataclass(frozen=True, slots=True)
class Found:
    """A result of a search, as the engine tells it."""

    url: str
    title: str = ""
    snippet: str = ""


def candidates(results: Sequence[Sequence[Found]], named: Sequence[str], count: int) -> list[Found]:
    """Order what may be read: what was named first, then results of the queries in turn.

    Args:
        results: for each query, the best first.
        named: addresses that a person named; all of them are kept.
        count: how many pages are wanted; some more are returned as a reserve.
    """
    chosen: dict[str, Found] = {key_of(url): Found(url) for url in named}
    hosts: Counter[str] = Counter()
    later: list[Found] = []
    for found in _in_turn(results):
        if key_of(found.url) in chosen:
            continue
        host = _host_of(found.url)
        if hosts[host] >= PER_HOST_MAX:
            later.append(found)
            continue
        hosts[host] += 1
        chosen[key_of(found.url)] = found
    for found in later:
        chosen.setdefault(key_of(found.url), found)
    kept = max(len(named), count + max(count, SPARES_MIN))
    return list(chosen.values())[:kept]


def key_of(url: str) -> str:
    """Return what two addresses of one page have in common."""
    try:
        parts = urlsplit(url.strip())
        told = [
            (name, value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
            if not name.lower().startswith(_TRACKING)
        ]
    except ValueError:
        return url
    host = parts.netloc.lower().removeprefix("www.")
    return urlunsplit(("", host, parts.path.rstrip("/"), urlencode(sorted(told)), ""))


def _in_turn(results: Sequence[Sequence[Found]]) -> Iterator[Found]:
    for rank in zip_longest(*results):
        yield from (found for found in rank if found is not None)


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
