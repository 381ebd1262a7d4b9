"""Keeps what sites' robots.txt say, for an hour each; a site is asked once at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from desktop.core.web.robots import ROBOTS_PATH, Robots, for_status, parse_robots
from desktop.core.web.rules import ROBOTS_NAME
from desktop.core.web.url_guard import Target
from desktop.jobs.web.lines import Answer
from shared.errors import AppError, NotAllowed

KEEP_SECONDS = 3600.0
KEEP_UNREACHED_SECONDS = 60.0
SITES_MAX = 500
Ask = Callable[[str], Awaitable[Answer]]
"""Fetch a robots.txt with its redirects; raises AppError when it is not reached."""


@dataclass(frozen=True, slots=True)
class _Kept:
    robots: Robots
    until: float


class RobotsKeeper:
    """All sites of one process."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}

    async def check(self, target: Target) -> Robots:
        """Return what a site wants, if it lets this address be read.

        Raises:
            NotAllowed: `robots_refused`; also those of the guard, when the file's address is none.
        """
        robots = await self._robots(target)
        if not robots.allows(target.url):
            raise NotAllowed(
                "robots_refused",
                f"{target.host} does not want this page to be read by programs (robots.txt).",
                "Open it yourself, or read another page.",
            )
        return robots

    async def _robots(self, target: Target) -> Robots:
        lock = self._asking.setdefault(target.origin, asyncio.Lock())
        try:
            async with lock:
                return await self._known_or_asked(target)
        finally:
            if not lock.locked():
                self._asking.pop(target.origin, None)

    async def _known_or_asked(self, target: Target) -> Robots:
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(target.origin)
        if kept is not None and kept.until > now:
            return kept.robots
        robots, seconds = await self._asked(target)
        self._kept[target.origin] = _Kept(robots, now + seconds)
        self._kept.move_to_end(target.origin)
        if len(self._kept) > SITES_MAX:
            self._kept.popitem(last=False)
        return robots

    async def _asked(self, target: Target) -> tuple[Robots, float]:
        try:
            answer = await self._ask(target.origin + ROBOTS_PATH)
        except NotAllowed:
            raise  # the site itself may not be gone to
        except AppError:
            robots = for_status(None)
            assert robots is not None
            return robots, KEEP_UNREACHED_SECONDS
        ruled = for_status(answer.status)
        if ruled is not None:
            return ruled, KEEP_UNREACHED_SECONDS if answer.status >= 500 else KEEP_SECONDS
        text = answer.body.decode("utf-8", errors="replace")
        return parse_robots(text, ROBOTS_NAME), KEEP_SECONDS
