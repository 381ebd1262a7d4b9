"""Browsers of tasks: each lives as long as its task's session on this machine, and not too long.

A session is known by the folder that its task's jobs share (`context.workspace`). It is closed when
it is asked to, when nobody used it for a while, at its age limit, and when that folder has gone,
which is how a worker learns that a task's session is over. Cookies and storage go with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from playwright.async_api import BrowserContext

from desktop.jobs.web.browser.browser import WebBrowser
from desktop.jobs.web.browser.visiting import Visited
from shared.errors import LimitReached

IDLE_SECONDS = 10 * 60.0
LOOK_SECONDS = 15.0
SESSIONS_MAX = 4


@dataclass(eq=False)
class Session:
    """One task's browser."""

    context: BrowserContext
    opened_at: datetime
    """Aware, UTC."""
    closes_at: datetime
    """At the latest."""
    ends: float
    """The same, by the loop's clock."""
    stack: AsyncExitStack
    used: float
    """When, by the loop's clock."""
    last: Visited | None = None
    title: str = ""
    text: str = ""
    pages: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a page is opened: jobs of a task may run at the same time."""


class Sessions:
    """All of one browser."""

    def __init__(
        self,
        browser: WebBrowser,
        *,
        minutes_max: float,
        idle_seconds: float = IDLE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._browser = browser
        self._seconds_max = minutes_max * 60
        self._idle_seconds = idle_seconds
        self._look_seconds = look_seconds
        self._open: dict[Path, Session] = {}
        self._opening = asyncio.Lock()
        self._watch: asyncio.Task[None] | None = None

    def get(self, workspace: Path) -> Session | None:
        """Return a task's session, if one is open."""
        return self._open.get(workspace)

    async def opened(self, workspace: Path, now: datetime) -> Session:
        """Return a task's session; open one if there is none.

        Raises:
            LimitReached: `sessions_too_many`.
            NotAllowed, Unavailable: as `WebBrowser.context`.
        """
        async with self._opening:
            known = self._open.get(workspace)
            if known is not None:
                return known
            if len(self._open) >= SESSIONS_MAX:
                raise LimitReached(
                    "sessions_too_many",
                    f"{SESSIONS_MAX} tasks have a browser open on this machine.",
                    "Close one of them, or wait until one is closed by itself.",
                )
            session = await self._made(now)
            self._open[workspace] = session
            self._look_on()
            return session

    async def close(self, workspace: Path) -> bool:
        """Close a task's session; False when none is open."""
        session = self._open.pop(workspace, None)
        if session is None:
            return False
        async with session.busy:
            await session.stack.aclose()
        return True

    async def aclose(self) -> None:
        """Close all."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        for workspace in list(self._open):
            await self.close(workspace)

    async def look_once(self) -> None:
        """Close what is over."""
        now = asyncio.get_running_loop().time()
        for workspace, session in list(self._open.items()):
            is_idle = now - session.used > self._idle_seconds
            if is_idle or now >= session.ends or not workspace.is_dir():
                await self.close(workspace)

    async def _made(self, now: datetime) -> Session:
        clock = asyncio.get_running_loop().time()
        async with AsyncExitStack() as stack:
            context = await stack.enter_async_context(self._browser.context())
            return Session(
                context=context,
                opened_at=now,
                closes_at=now + timedelta(seconds=self._seconds_max),
                ends=clock + self._seconds_max,
                stack=stack.pop_all(),
                used=clock,
            )

    def _look_on(self) -> None:
        if self._watch is None or self._watch.done():
            # It outlives the job that opened the session; `aclose` ends it.
            self._watch = asyncio.get_running_loop().create_task(self._looking())

    async def _looking(self) -> None:
        while self._open:
            await asyncio.sleep(self._look_seconds)
            await self.look_once()
