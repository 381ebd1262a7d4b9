"""A person at a browser: Debian's Chromium, led by Playwright, and what a page must never do.

    surfer = await surf.someone(world)              signed in, as the owner of the hub
    await surfer.goes("/inbox")
    await expect(surfer.page.get_by_role("heading", name="Questions")).to_be_visible()
    await surfer.is_clean()                         axe, CSP and console have nothing to say
    await surfer.shots("inbox")                     desktop and phone, light and dark

Wait with `expect(...)`: `wait_for_function` needs eval, and the pages forbid it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    async_playwright,
    expect,
)

from hub.app import Hub
from shared.ids import PersonId

CHROMIUM = "chromium"
PATIENCE_MS = 20_000
"""How long something may take on a busy machine."""
ARRIVAL_MS = 30_000
"""The first page waits for the API and the dashboard to be built; machines of tests are busy."""
DESKTOP, PHONE = (1280, 800), (360, 740)
SHOTS = Path(os.environ.get("DESKHAND_SHOTS", ".screenshots/web"))
"""Where pictures are kept; they are taken when the variable is set."""
Scheme = Literal["light", "dark"]
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RUN_AXE = "axe.run(document, {resultTypes: ['violations']%s}).then(told => told.violations)"
COLOURS = ", runOnly: ['color-contrast']"
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Surfer:
    """One page in a browser of one person, and what went wrong in it."""

    page: Page
    hub_url: str
    faults: list[str] = field(default_factory=list)
    """What the console or a script complained of: broken rules for content are among it."""

    async def goes(self, path: str) -> None:
        await self.page.goto(self.hub_url + path)

    async def is_clean(self, *, shows: str = "", colours_only: bool = False) -> None:
        """Check the page as it stands: nothing in it is out of reach, and it breaks no rule."""
        if not await self.ask("'axe' in window"):
            await self.ask(f"{AXE};0")
        broken = await self.ask(RUN_AXE % (COLOURS if colours_only else ""))
        told = list(self.faults)
        told += [
            f"{rule['id']} ({rule['impact']}): {rule['help']}\n    "
            + "\n    ".join(node["html"][:200] for node in rule["nodes"][:4])
            for rule in broken
        ]
        assert not told, "\n".join([f"{self.page.url} {shows}", *told])

    async def ask(self, expression: str) -> Any:
        """Evaluate something in the page by the debugger, whom the page's rules do not bind."""
        session = await self.page.context.new_cdp_session(self.page)
        told = await session.send(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
        )
        await session.detach()
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def fits(self) -> None:
        """Check that nothing sticks out at the side."""
        wide = await self.ask("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"

    async def shots(self, name: str) -> None:
        """Look at the page in all sizes and colours, and check each; keep pictures if wanted."""
        for width, height in (DESKTOP, PHONE):
            await self.page.set_viewport_size({"width": width, "height": height})
            await self.fits()
            for scheme in ("light", "dark"):
                await self.page.emulate_media(color_scheme=scheme)
                # Nothing but colours is other in the dark.
                shows, is_dark = f"{width} px, {scheme}", scheme == "dark"
                await self.is_clean(shows=shows, colours_only=is_dark)
                if "DESKHAND_SHOTS" in os.environ:
                    await self.page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png")
        await self.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        await self.page.emulate_media(color_scheme="light")


@dataclass
class Surf:
    """The browser of a test; each person in it has a context, and so cookies, of their own."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    async def someone(
        self,
        hub: Hub,
        person_id: PersonId | None = None,
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        scripts: bool = True,
    ) -> Surfer:
        """Open a browser for a person, signed in; the hub's owner when nobody is named."""
        surfer = await self.stranger(hub, size=size, scheme=scheme, scripts=scripts)
        await sign_in(surfer, hub, person_id)
        return surfer

    async def stranger(
        self,
        hub: Hub,
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        scripts: bool = True,
    ) -> Surfer:
        """Open a browser for somebody who is not signed in."""
        return await self.at(hub.settings.local_url, size=size, scheme=scheme, scripts=scripts)

    async def at(
        self,
        hub_url: str,
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: Scheme = "light",
        scripts: bool = True,
    ) -> Surfer:
        """Open a browser for a hub that is another program; nobody is signed in."""
        width, height = size
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            # A colour that is half way to another has too little contrast for a moment.
            reduced_motion="reduce",
            has_touch=size == PHONE,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(ARRIVAL_MS)
        self.contexts.append(context)
        return watched(await context.new_page(), hub_url)

    async def close(self) -> None:
        for context in self.contexts:
            await context.close()


def watched(page: Page, hub_url: str) -> Surfer:
    surfer = Surfer(page, hub_url)

    def console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            surfer.faults.append(f"console {message.type}: {message.text}")

    def broke(error: Error) -> None:
        surfer.faults.append(f"script: {error}")

    page.on("console", console)
    page.on("pageerror", broke)
    return surfer


async def sign_in(surfer: Surfer, hub: Hub, person_id: PersonId | None) -> None:
    """Sign a browser in, with a link as people do; the owner's when nobody is named."""
    if person_id is None:
        person_id = (await hub.services.registry.people())[0].person_id
    link = await hub.services.sign_ins.link(person_id)
    await surfer.goes(f"/in/{link.secret}")
    await surfer.page.get_by_role("button", name="Sign in as").click()
    await surfer.page.wait_for_url(f"{surfer.hub_url}/")


async def launched(path: str) -> tuple[Any, Browser]:
    """Start the one browser of a test run."""
    playwright = await async_playwright().start()
    browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    return playwright, browser
