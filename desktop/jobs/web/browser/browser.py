"""One Chromium for all pages of a process: started when it is wanted, gone when it is not.

A visit has a context of its own (cookies, storage), thrown away with it; a task's session keeps one
for a while (`sessions.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from playwright.async_api import (
    Browser,
    BrowserContext,
    Error,
    Playwright,
    Route,
    WebSocketRoute,
    async_playwright,
)

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import check_url
from desktop.jobs.web.browser.finding import find_browser
from desktop.jobs.web.browser.letting_go import let_go
from desktop.jobs.web.browser.proxy import USER, GuardingProxy
from desktop.jobs.web.outside import Outside
from shared.errors import AppError, Unavailable

log = structlog.get_logger(__name__)

IDLE_SECONDS = 60.0
"""Without a context, the browser ends."""
START_SECONDS = 30.0
CONTEXTS_MAX = 6
REQUESTS_MAX = 300
"""Of one page; what wants more gets no more."""
NOT_LOADED = frozenset({"image", "media", "font", "texttrack", "manifest", "eventsource", "ping"})
"""What no text comes from."""
ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--dns-prefetch-disable",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--no-pings",
    "--js-flags=--max-old-space-size=512",
)
VIEW = {"width": 1280, "height": 1600}


class WebBrowser:
    """The browser by one owner's rules."""

    def __init__(
        self,
        rules: WebRules,
        outside: Outside,
        proxy_for: Callable[[str], str | None],
        program: Path | None = None,
    ) -> None:
        """Start nothing yet. `program`: the one of this machine when None."""
        self._rules = rules
        self._program = program
        self.proxy = GuardingProxy(rules, outside, proxy_for)
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(CONTEXTS_MAX)
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._home: Path | None = None
        self._users = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def context(self) -> AsyncIterator[BrowserContext]:
        """Give a fresh context whose every request is checked; it goes with the block.

        Raises:
            NotAllowed: `browser_off`.
            Unavailable: `browser_missing`, `browser_unusable`.
        """
        async with self._places:
            self._users += 1
            try:
                browser = await self._started()
                context = await browser.new_context(
                    accept_downloads=False,
                    permissions=[],
                    service_workers="block",
                    user_agent=self._rules.user_agent,
                    viewport=VIEW,  # type: ignore[arg-type]
                    locale="en",
                )
                try:
                    await _guard(context, self._rules)
                    yield context
                finally:
                    if not await let_go(context.close()):
                        await self._give_up(browser)
            finally:
                self._users -= 1
                self._rest()

    async def aclose(self) -> None:
        """End the browser, and leave nothing of it."""
        if self._timer is not None:
            self._timer.cancel()
        async with self._starting:
            await self._end()
        await asyncio.gather(*self._ending)

    async def _started(self) -> Browser:
        async with self._starting:
            if self._timer is not None:
                self._timer.cancel()
            if self._browser is not None and self._browser.is_connected():
                return self._browser
            await self._end()
            program = self._checked_program()
            await self.proxy.start()
            self._home = Path(tempfile.mkdtemp(prefix="deskhand-browser-"))
            self._playwright = await async_playwright().start()
            self._browser = await self._launched(self._playwright, program, self._home)
            log.info("browser started", version=self._browser.version)
            return self._browser

    async def _launched(self, playwright: Playwright, program: Path, home: Path) -> Browser:
        try:
            return await playwright.chromium.launch(
                executable_path=program,
                chromium_sandbox=self._rules.browser_sandbox,
                proxy={
                    "server": f"http://127.0.0.1:{self.proxy.port}",
                    "username": USER,
                    "password": self.proxy.password,
                },
                args=list(ARGUMENTS),
                env=_environment(home),
                timeout=START_SECONDS * 1000,
            )
        except Error as error:
            await self._end()
            raise Unavailable(
                "browser_unusable",
                f"{program.name} does not start here ({_first_line(error)}).",
                "In some containers its sandbox cannot work: browser_sandbox = false under [web] "
                "in the policy goes without.",
            ) from error

    def _checked_program(self) -> Path:
        program = self._program or find_browser()
        if program is None:
            raise Unavailable(
                "browser_missing",
                "This machine has no Chromium, and the page shows nothing without its scripts.",
                "Install Chromium, Chrome or Edge as your system installs programs.",
            )
        is_root = sys.platform != "win32" and os.geteuid() == 0
        if is_root and self._rules.browser_sandbox:
            raise Unavailable(
                "browser_unusable",
                "The worker runs as root, and Chromium's sandbox does not work for root.",
                "Run it as a person; or go without: browser_sandbox = false under [web] in the "
                "policy.",
            )
        return program

    def _rest(self) -> None:
        """End the browser in a while, unless somebody wants it."""
        if self._users == 0 and self._browser is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(IDLE_SECONDS, self._end_soon)

    def _end_soon(self) -> None:
        # It belongs to no job: whoever closes the browser for good waits for it (`aclose`).
        task = asyncio.get_running_loop().create_task(self._end_if_idle())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end_if_idle(self) -> None:
        async with self._starting:
            if self._users == 0:
                await self._end()

    async def _give_up(self, browser: Browser) -> None:
        """End a browser that does not close what it was told to; others begin a new one."""
        async with self._starting:
            if self._browser is browser:
                await self._end()

    async def _end(self) -> None:
        browser, playwright, home = self._browser, self._playwright, self._home
        self._browser = self._playwright = self._home = None
        if browser is not None:
            await let_go(browser.close())
        if playwright is not None:
            # What the browser has not ended by then, the end of its driver does.
            await let_go(playwright.stop())
        await self.proxy.aclose()
        if home is not None:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


async def _guard(context: BrowserContext, rules: WebRules) -> None:
    """Let nothing be asked for that may not be; the proxy checks what comes past this.

    Dialogs are dismissed by Playwright as long as nobody listens to them.
    """
    count = 0

    async def judge(route: Route) -> None:
        nonlocal count
        count += 1
        request = route.request
        is_wanted = request.resource_type not in NOT_LOADED and count <= REQUESTS_MAX
        with contextlib.suppress(Error):
            if is_wanted and _may(request.url, rules):
                await route.continue_()
            else:
                await route.abort("blockedbyclient")

    async def no_socket(route: WebSocketRoute) -> None:
        with contextlib.suppress(Error):
            await route.close()

    await context.add_init_script("window.print = () => {}")  # it would wait for a click
    await context.route("**/*", judge)
    await context.route_web_socket("**/*", no_socket)


def _may(url: str, rules: WebRules) -> bool:
    if url.startswith(("data:", "blob:", "about:")):
        return True  # leads nowhere
    try:
        check_url(url, rules)
    except AppError:
        return False
    return True


def _environment(home: Path) -> dict[str, str | float | bool]:
    """Return what the browser is told of this machine; nothing of its person's is in it."""
    kept = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "WINDIR", "PROGRAMFILES", "TEMP", "TMP")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    return {**own, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_CACHE_HOME": str(home)}


def _first_line(error: Error) -> str:
    return error.message.strip().splitlines()[0][:200] if error.message.strip() else "no reason"
