"""What a site's robots.txt lets a reader fetch (RFC 9309).

The group of our own name counts, else that of "*"; of the rules that fit a path the longest counts,
and of two that are as long the one that allows. Matching never goes back more than one star: time
grows with the pattern and the path, not with what a hostile file thinks up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

ROBOTS_PATH = "/robots.txt"
BYTES_MAX = 512_000
"""RFC 9309, 2.5: 500 kibibytes have to be read, and no more are."""
RULES_MAX = 5_000
PATTERN_CHARS_MAX = 2_000
DELAY_SECONDS_MAX = 10.0
"""A longer Crawl-delay is taken for this much; it is no part of the RFC, and a wish."""
_KEPT_WHEN_QUOTED = "/%:@!$&'()*+,;=~-._?*"


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: str
    is_allowing: bool


@dataclass(frozen=True, slots=True)
class Robots:
    """What counts for us of a site's robots.txt."""

    rules: tuple[Rule, ...] = ()
    delay_seconds: float = 0.0
    """What the site wants between two requests."""

    def allows(self, url: str) -> bool:
        """Say whether an address of this site may be fetched."""
        path = _path_of(url)
        if path == ROBOTS_PATH:
            return True
        fitting = (rule for rule in self.rules if _matches(rule.pattern, path))
        best = max(fitting, key=lambda rule: (len(rule.pattern), rule.is_allowing), default=None)
        return best is None or best.is_allowing


ALL_ALLOWED = Robots()
NONE_ALLOWED = Robots((Rule("/", is_allowing=False),))


def for_status(status: int | None) -> Robots | None:
    """Return what counts when there is no file to read; None when there is one.

    RFC 9309, 2.3.1: no file (4xx) allows everything; a server that has a problem (5xx), or is not
    reached at all (None), allows nothing.
    """
    if status is None or status >= 500:
        return NONE_ALLOWED
    return None if 200 <= status < 300 else ALL_ALLOWED


def parse_robots(text: str, name: str) -> Robots:
    """Read a robots.txt for the reader of this name."""
    groups: dict[str, _Group] = {}
    current: list[_Group] = []
    is_naming = False
    count = 0
    for field, value in _lines(text):
        if field == "user-agent":
            if not is_naming:
                current = []
            agent = _product_of(value)
            current.append(groups.setdefault(agent, _Group()))
            is_naming = True
            continue
        is_naming = is_naming and field not in ("allow", "disallow", "crawl-delay")
        count += len(current)
        if count > RULES_MAX:
            break
        for group in current:
            group.take(field, value)
    chosen = groups.get(name.lower()) or groups.get("*")
    return ALL_ALLOWED if chosen is None else Robots(tuple(chosen.rules), chosen.delay_seconds)


class _Group:
    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.delay_seconds = 0.0

    def take(self, field: str, value: str) -> None:
        match field:
            case "allow" | "disallow" if value:
                pattern = _normal(value[:PATTERN_CHARS_MAX])
                self.rules.append(Rule(pattern, is_allowing=field == "allow"))
            case "crawl-delay" if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value):
                self.delay_seconds = min(float(value), DELAY_SECONDS_MAX)
            case _:
                pass


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")):
        told = line.partition("#")[0]
        field, colon, value = told.partition(":")
        if colon:
            yield field.strip().lower(), value.strip()


def _product_of(value: str) -> str:
    """Return the name that a user-agent line speaks to: "Deskhand/1.0 (x)" is deskhand."""
    if value.startswith("*"):
        return "*"
    found = re.match(r"[A-Za-z_-]+", value)
    return found[0].lower() if found else ""


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path or "/"
    return _normal(f"{path}?{parts.query}" if parts.query else path)


def _normal(text: str) -> str:
    """Write what may be written in two ways ("%7e", "~") in one; slashes in names stay coded."""
    ending = "$" if text.endswith("$") else ""
    body = text[: len(text) - len(ending)]
    coded_slashes = re.sub("%2f", "%252F", body, flags=re.IGNORECASE)
    return quote(unquote_to_bytes(coded_slashes), safe=f"%{_KEPT_WHEN_QUOTED}") + ending


def _matches(pattern: str, path: str) -> bool:
    """Match from the path's beginning; "*" is any text, "$" at the end is the path's end."""
    is_whole = pattern.endswith("$")
    pieces = (pattern[:-1] if is_whole else pattern).split("*")
    if not path.startswith(pieces[0]):
        return False
    place = len(pieces[0])
    if len(pieces) == 1:
        return not is_whole or place == len(path)
    for piece in pieces[1:-1]:
        found = path.find(piece, place)
        if found < 0:
            return False
        place = found + len(piece)
    last = pieces[-1]
    if is_whole:
        return path.endswith(last) and len(path) - len(last) >= place
    return path.find(last, place) >= 0
