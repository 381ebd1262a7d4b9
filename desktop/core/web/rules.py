"""The table `[web]` of the policy file: how the web is searched and read, and where one may go.

    [web]
    search = "searxng"
    searxng_url = "http://127.0.0.1:8888"
    deny_hosts = ["*.example.com"]
    private_hosts = ["wiki.lan", "10.1.0.0/16"]

Only the machine's owner writes it; neither a task nor a page adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import ip_network
from types import MappingProxyType
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from desktop.core.web.host_pattern import fault_of_pattern
from shared.public_address import Network

HOSTS_MAX = 200
USER_AGENT = "Deskhand/1 (reads pages for a person; honours robots.txt)"
ROBOTS_NAME = "Deskhand"
"""The name that robots.txt may speak to."""


class Search(StrEnum):
    """Who is asked for pages."""

    DDGS = "ddgs"
    """Search engines, through the library ddgs; needs no key."""
    SEARXNG = "searxng"
    BRAVE = "brave"
    TAVILY = "tavily"
    NONE = "none"
    """Nobody: only pages that are named are read."""


SEARCH_KEYS: Mapping[Search, str] = MappingProxyType(
    {Search.BRAVE: "BRAVE_API_KEY", Search.TAVILY: "TAVILY_API_KEY"}
)
"""Names of keys in the safe."""


class WebRules(BaseModel):
    """What the owner says about the web."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: Search = Search.DDGS
    searxng_url: str = Field(default="", max_length=500)
    """Of an instance that answers in JSON."""
    allow_hosts: tuple[str, ...] = Field(default=(), max_length=HOSTS_MAX)
    """Only these, "*.example.org" allowed; all when empty."""
    deny_hosts: tuple[str, ...] = Field(default=(), max_length=HOSTS_MAX)
    """Never these; goes before everything else."""
    private_hosts: tuple[str, ...] = Field(default=(), max_length=HOSTS_MAX)
    """Hosts, addresses and networks that are not of the internet and may be read all the same, at
    any port: an intranet's. Nothing else inside is ever called."""
    robots: bool = True
    """Whether robots.txt is honoured."""
    browser: bool = True
    """Whether pages that need scripts are opened in the system's Chromium."""
    browser_sandbox: bool = True
    """Chromium's own; false where it cannot work, as for root or in some containers."""
    page_bytes_max: int = Field(default=8_000_000, ge=10_000, le=100_000_000)
    """Of one page or document, unpacked; pages are cut there, documents refused."""
    page_seconds_max: float = Field(default=20.0, gt=0, le=300)
    """For one page with all its redirects."""
    pause_seconds: float = Field(default=1.0, ge=0, le=60)
    """Between two requests to one host."""
    session_minutes_max: float = Field(default=30.0, gt=0, le=240)
    """How long a task's browser stays open."""
    user_agent: str = Field(default=USER_AGENT, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _are_fit(self) -> WebRules:
        if fault := fault_of(self):
            raise ValueError(fault)
        return self

    @property
    def private_networks(self) -> tuple[Network, ...]:
        return tuple(ip_network(one) for one in self.private_hosts if _is_network(one))

    @property
    def private_names(self) -> frozenset[str]:
        names = (one for one in self.private_hosts if not _is_network(one))
        return frozenset(name.lower().rstrip(".") for name in names)


def fault_of(rules: WebRules) -> str:
    """Return what is wrong with the rules together, in words; empty when nothing is."""
    if rules.search is Search.SEARXNG and not rules.searxng_url:
        return 'search = "searxng" needs searxng_url'
    if rules.searxng_url and not _is_base(rules.searxng_url):
        return 'write searxng_url as "https://search.example.org"'
    for pattern in (*rules.allow_hosts, *rules.deny_hosts):
        if fault := fault_of_pattern(pattern):
            return fault
    for host in rules.private_hosts:
        if not _is_network(host) and (fault := fault_of_pattern(host, is_exact=True)):
            return fault
    if not rules.user_agent.isascii() or not rules.user_agent.isprintable():
        return "user_agent has to be plain characters"
    return ""


def search_keys(rules: WebRules) -> Iterable[str]:
    """Return the names of the keys that searching needs by these rules."""
    name = SEARCH_KEYS.get(rules.search)
    return () if name is None else (name,)


def _is_network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        return False
    is_plain = re.fullmatch(r"[!-~]+", url) is not None and "@" not in parts.netloc
    return parts.scheme in ("http", "https") and bool(parts.hostname) and has_port and is_plain
