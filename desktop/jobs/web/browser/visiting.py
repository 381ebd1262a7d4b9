"""Opens a page in a browser's context and takes out what it shows, as HTML of a bounded length.

What is taken is asked for from a world of our own beside the page's: its scripts cannot change what
"slice" means there.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from playwright.async_api import BrowserContext, CDPSession, Error, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import Target, check_url
from desktop.jobs.web.browser.letting_go import let_go
from shared.errors import AppError, BadInput, Unavailable

QUIET_SECONDS = 4.0
"""How long a page may go on loading once its document is there; most are quiet sooner."""
LINKS_MAX = 100
LABEL_CHARS_MAX = 200
_LINKS = f"""
Array.from(document.links).slice(0, 1000).map(a => [a.innerText.trim().slice(0, {LABEL_CHARS_MAX}),
a.href.slice(0, 2001)]).filter(told => told[0] && told[1].length <= 2000).slice(0, {LINKS_MAX})
"""


@dataclass(frozen=True, slots=True)
class Visited:
    """A page as it stands once its scripts have run."""

    url: str
    html: bytes
    is_cut: bool
    links: tuple[tuple[str, str], ...] = ()
    """(label, address), in the page's order."""


async def visit(context: BrowserContext, target: Target, rules: WebRules) -> Visited:
    """Open a page that was checked before; the page is closed again.

    Raises:
        NotAllowed, BadInput: it led to where nobody may go; `page_sort` for a download.
        Unavailable: `page_unreachable`, `page_too_slow`, `page_status`.
    """
    page = await context.new_page()
    try:
        async with asyncio.timeout(rules.page_seconds_max + QUIET_SECONDS):
            await _open(page, target, rules)
            return await _taken(context, page, rules)
    except (TimeoutError, PlaywrightTimeout):
        raise _too_slow(target, rules) from None
    except Error as error:
        raise _fault_of(error, target) from error
    finally:
        await let_go(page.close())


async def _open(page: Page, target: Target, rules: WebRules) -> None:
    milliseconds = rules.page_seconds_max * 1000
    try:
        answer = await page.goto(target.url, wait_until="domcontentloaded", timeout=milliseconds)
    except PlaywrightTimeout:
        if page.url in ("", "about:blank"):
            raise
        return  # it never comes to rest; what it shows by now is taken
    if answer is not None and answer.status >= 400:
        raise Unavailable(
            "page_status",
            f"{target.host} answers {answer.status} for this page.",
            "Check the address; some sites turn programs away.",
        )
    with contextlib.suppress(PlaywrightTimeout):
        await page.wait_for_load_state("networkidle", timeout=QUIET_SECONDS * 1000)


async def _taken(context: BrowserContext, page: Page, rules: WebRules) -> Visited:
    url = check_url(page.url, rules).url  # scripts may have gone elsewhere
    session = await context.new_cdp_session(page)
    try:
        world = await _own_world(session)
        chars_max = rules.page_bytes_max
        told = await _evaluated(
            session, world, f"document.documentElement.outerHTML.slice(0, {chars_max + 1})"
        )
        links = await _evaluated(session, world, _LINKS)
    finally:
        await let_go(session.detach())
    text = told if isinstance(told, str) else ""
    return Visited(
        url=url,
        html=text[:chars_max].encode("utf-8", "replace"),
        is_cut=len(text) > chars_max,
        links=_links(links),
    )


async def _own_world(session: CDPSession) -> int:
    tree = await session.send("Page.getFrameTree")
    frame = tree["frameTree"]["frame"]["id"]
    made = await session.send("Page.createIsolatedWorld", {"frameId": frame})
    return int(made["executionContextId"])


async def _evaluated(session: CDPSession, world: int, expression: str) -> object:
    told = await session.send(
        "Runtime.evaluate",
        {"expression": expression, "contextId": world, "returnByValue": True, "timeout": 5000},
    )
    value: object = told.get("result", {}).get("value")
    return value


def _links(told: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, list):
        return ()
    return tuple(
        (str(one[0])[:LABEL_CHARS_MAX], str(one[1]))
        for one in told[:LINKS_MAX]
        if isinstance(one, list) and len(one) == 2
    )


def _fault_of(error: Error, target: Target) -> AppError:
    words = error.message
    if "Download is starting" in words or "ERR_ABORTED" in words:
        return BadInput(
            "page_sort",
            f"What {target.host} sends is no page that a browser shows.",
            "Read it as a document: web.read.",
        )
    why = next((word for word in words.split() if word.startswith("net::")), "it broke")
    return Unavailable(
        "page_unreachable",
        f"{target.host} cannot be opened in the browser ({why.removeprefix('net::')}).",
        "Check the address, and this machine's network.",
        retryable=True,
    )


def _too_slow(target: Target, rules: WebRules) -> AppError:
    return Unavailable(
        "page_too_slow",
        f"{target.host} did not show its page within {rules.page_seconds_max:.0f} s.",
        "Try again later, or read another page.",
        retryable=True,
    )
