"""What all web jobs of a child share: lines, robots, pace, reader, browser and its sessions.

Everything that follows from the owner's rules is made for them. When the rules change, new gear is
made; the last one's browser ends when nobody used it for a while, the rest with the child.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpcore

from desktop.core.network_rules import NetworkRules
from desktop.core.web.rules import WebRules
from desktop.jobs.context import SharedContext
from desktop.jobs.web.fetcher import Fetcher
from desktop.jobs.web.lines import Lines
from desktop.jobs.web.outside import Connect, Outside, Resolve, connected, look_up
from desktop.jobs.web.reading import Reader, Reads
from desktop.jobs.web.searches.choosing import engine_of, rules_for_search
from desktop.jobs.web.searches.engine import Engine
from desktop.system.way import Way
from shared.errors import NotAllowed

if TYPE_CHECKING:
    from desktop.jobs.web.browser.browser import WebBrowser
    from desktop.jobs.web.browser.sessions import Sessions


def now_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """Where the world comes in; tests put their own there."""

    resolve: Resolve = look_up
    connect: Connect = connected
    network: httpcore.AsyncNetworkBackend | None = None
    tls: ssl.SSLContext | None = None
    engine: Engine | None = None
    """Asked instead of the one that the policy names."""
    reader: Reads | None = None
    browser_program: Path | None = None


@dataclass(eq=False, slots=True)
class Gear:
    """What is made for one set of rules."""

    rules: WebRules
    way: Way
    fetcher: Fetcher
    search_lines: Lines
    outside: Outside
    browser: WebBrowser | None = None
    sessions: Sessions | None = None
    seams: Seams = field(default_factory=Seams)

    def web_browser(self) -> WebBrowser:
        """Return the browser; it starts when it is used.

        Raises:
            NotAllowed: `browser_off`.
        """
        if not self.rules.browser:
            raise NotAllowed(
                "browser_off",
                "No browser is to be used on this machine.",
                "Its owner decides that: browser under [web] in the policy.",
            )
        if self.browser is None:
            from desktop.jobs.web.browser.browser import WebBrowser

            program = self.seams.browser_program
            self.browser = WebBrowser(self.rules, self.outside, self.way.proxy_for, program)
        return self.browser

    def all_sessions(self) -> Sessions:
        """Return the browsers of tasks.

        Raises:
            NotAllowed: `browser_off`.
        """
        if self.sessions is None:
            from desktop.jobs.web.browser.sessions import Sessions

            minutes = self.rules.session_minutes_max
            self.sessions = Sessions(self.web_browser(), minutes_max=minutes)
        return self.sessions

    async def aclose(self) -> None:
        if self.sessions is not None:
            await self.sessions.aclose()
        if self.browser is not None:
            await self.browser.aclose()
        await self.fetcher.aclose()
        await self.search_lines.aclose()


class WebRoom:
    """One for all web jobs of a child."""

    def __init__(self, seams: Seams | None = None) -> None:
        self._seams = seams or Seams()
        self._gear: dict[tuple[WebRules, NetworkRules], Gear] = {}
        self.reader: Reads = self._seams.reader or Reader()

    def gear(self, rules: WebRules, network: NetworkRules) -> Gear:
        """Return what goes by these rules."""
        key = (rules, network)
        if key not in self._gear:
            self._gear[key] = self._made(rules, network)
        return self._gear[key]

    def engine(
        self, rules: WebRules, network: NetworkRules, keys: Mapping[str, str]
    ) -> Engine | None:
        """Return who is asked for pages; None when nobody is to be."""
        if self._seams.engine is not None:
            return self._seams.engine
        gear = self.gear(rules, network)
        return engine_of(rules, gear.search_lines, keys, gear.way.proxy_for("https://example.org"))

    async def aclose(self) -> None:
        for gear in self._gear.values():
            await gear.aclose()

    def _made(self, rules: WebRules, network: NetworkRules) -> Gear:
        way, seams = Way(network), self._seams
        tls = seams.tls or way.trust()
        outside = Outside(rules, seams.resolve, seams.connect)
        lines = Lines(rules, outside, proxy_for=way.proxy_for, tls=tls, network=seams.network)
        searching = rules_for_search(rules)
        search_lines = Lines(
            searching,
            Outside(searching, seams.resolve, seams.connect),
            proxy_for=way.proxy_for,
            tls=tls,
            network=seams.network,
        )
        fetcher = Fetcher(rules, lines, outside, now_utc)
        return Gear(rules, way, fetcher, search_lines, outside, seams=seams)


def room_of(context: SharedContext) -> WebRoom:
    """Return the room of this child."""
    return context.shared(WebRoom, WebRoom)


def gear_of(context: SharedContext) -> Gear:
    """Return what goes by the owner's rules as they are now."""
    return room_of(context).gear(context.web, context.network)
