"""Fetches a page: guard, robots.txt, pace, redirects one by one, limits. What it says is not read.

check_url ─▶ robots ─▶ pace ─▶ one request ─▶ 3xx? from the beginning, with where it leads
                                          └─▶ sort, size ─▶ Fetched
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import Message as Header

from desktop.core.web.robots import ALL_ALLOWED, BYTES_MAX
from desktop.core.web.rules import WebRules
from desktop.core.web.sorts import Sort, sort_of, sort_told
from desktop.core.web.url_guard import Target, check_url, join
from desktop.jobs.web.lines import Answer, Ask, Lines
from desktop.jobs.web.outside import Outside
from desktop.jobs.web.pace import Pace
from desktop.jobs.web.robots_keeper import RobotsKeeper
from shared.errors import BadInput, LimitReached, Unavailable
from shared.plain_text import plain_line

REDIRECTS_MAX = 5
ROBOTS_SECONDS = 10.0
TYPE_CHARS_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A page or document as it came."""

    url: str
    """Where it was in the end."""
    sort: Sort
    media_type: str
    charset: str
    """As the server told it; empty when it did not."""
    body: bytes
    is_cut: bool
    at: datetime
    """When it had come; aware, UTC."""
    is_inside: bool = False
    """It came from a network that the owner allows beside the internet."""


class Fetcher:
    """Fetches by one owner's rules; many at a time."""

    def __init__(
        self, rules: WebRules, lines: Lines, outside: Outside, now: Callable[[], datetime]
    ) -> None:
        self.rules = rules
        self._outside = outside
        self._lines = lines
        self._now = now
        self._pace = Pace()
        self._robots = RobotsKeeper(self._ask_robots)

    async def fetch(self, url: str) -> Fetched:
        """Fetch what is at an address.

        Raises:
            BadInput: `url_invalid`, `page_sort`, `page_packed`.
            NotAllowed: `host_denied`, `page_private`, `robots_refused`.
            LimitReached: `redirects_too_many`, `page_too_large`.
            Unavailable: `page_unreachable`, `page_too_slow`, `page_status`, `proxy_unsupported`.
        """
        target, answer = await self._followed(url, is_robots=False)
        if answer.status != 200:
            raise Unavailable(
                "page_status",
                f"{target.host} answers {answer.status} for this page.",
                "Check the address; some sites turn programs away.",
                retryable=answer.status in (429, 500, 502, 503, 504),
            )
        media_type, charset = _type_of(answer)
        sort = _sort(target, answer, media_type)
        if answer.is_cut and sort.is_document:
            raise _too_large(target, self.rules.page_bytes_max)
        return Fetched(
            url=target.url,
            sort=sort,
            media_type=media_type,
            charset=charset,
            body=answer.body,
            is_cut=answer.is_cut,
            at=self._now(),
            is_inside=self._outside.is_inside(target.host),
        )

    async def check(self, url: str) -> Target:
        """Check an address that a browser is to open: guard, robots.txt, pace.

        Raises:
            BadInput: `url_invalid`.
            NotAllowed: `host_denied`, `page_private`, `robots_refused`.
        """
        target = check_url(url, self.rules)
        await self._wait(target)
        return target

    async def aclose(self) -> None:
        await self._lines.aclose()

    async def _followed(self, url: str, *, is_robots: bool) -> tuple[Target, Answer]:
        """Go where an address leads in the end; each address on the way is checked anew."""
        seconds = ROBOTS_SECONDS if is_robots else self.rules.page_seconds_max
        bytes_max = BYTES_MAX if is_robots else self.rules.page_bytes_max
        clock = asyncio.get_running_loop().time
        for _ in range(REDIRECTS_MAX + 1):
            target = check_url(url, self.rules)
            if not is_robots:
                await self._wait(target)
            before = clock()
            answer = await self._lines.ask(
                Ask(target=target, bytes_max=bytes_max, seconds_max=max(0.1, seconds))
            )
            seconds -= clock() - before
            where = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not where:
                return target, answer
            url = join(target.url, where)
        raise LimitReached(
            "redirects_too_many",
            f"The page leads on and on: {REDIRECTS_MAX} redirects were followed.",
            "Open it yourself and give the address that it has in the end.",
        )

    async def _wait(self, target: Target) -> None:
        robots = await self._robots.check(target) if self.rules.robots else ALL_ALLOWED
        pause = max(self.rules.pause_seconds, robots.delay_seconds)
        await self._pace.turn(target.origin, pause)

    async def _ask_robots(self, url: str) -> Answer:
        return (await self._followed(url, is_robots=True))[1]


def _sort(target: Target, answer: Answer, media_type: str) -> Sort:
    told = sort_told(media_type, target.url)
    sort = None if told is None else sort_of(told, answer.body)
    if sort is None:
        shown = plain_line(media_type)[:TYPE_CHARS_MAX] or "something else"
        raise BadInput(
            "page_sort",
            f"What {target.host} sends is no page and no document that can be read ({shown}).",
            "Pages, plain texts, PDF, DOCX, XLSX and PPTX are read.",
        )
    return sort


def _type_of(answer: Answer) -> tuple[str, str]:
    header = Header()
    header["content-type"] = answer.headers.get("content-type", "")[:1000]
    told = answer.headers.get("content-type", "")
    media_type = told.partition(";")[0].strip().lower()
    charset = header.get_content_charset() if media_type else None
    return media_type, charset or ""


def _too_large(target: Target, bytes_max: int) -> LimitReached:
    return LimitReached(
        "page_too_large",
        f"The document at {target.host} has more than {bytes_max / 1e6:,.0f} MB.",
        "Fetch it yourself; or raise page_bytes_max under [web] in the policy.",
    )
