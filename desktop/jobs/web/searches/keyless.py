"""Search without a key, by the library ddgs: it reads what engines show to people, so it breaks.

The library speaks to a fixed list of engines by itself; what they find goes through our own guard
like every address.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from desktop.core.web.choosing import Found
from desktop.core.web.search_replies import found_in
from desktop.jobs.web.searches.keyed import failed
from shared.plain_text import plain_line

log = structlog.get_logger(__name__)

SEARCH_SECONDS = 30.0
ENGINE_SECONDS = 10
Ask = Callable[[str, int], list[object]]
"""Search and block. Raises whatever it likes."""


class KeylessEngine:
    name = "ddgs"

    def __init__(self, proxy: str | None = None, ask: Ask | None = None) -> None:
        self._ask = ask or _asking(proxy)

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                listed = await asyncio.to_thread(self._ask, query, count)
        except TimeoutError:
            raise failed(self.name, "no answer in time") from None
        except Exception as error:  # a library that reads what changes without notice
            if "No results" in str(error):
                return ()
            log.info("search failed", error=type(error).__name__)
            raise failed(self.name, plain_line(str(error))[:200]) from error
        return found_in(listed, url="href", title="title", snippet="body")[:count]


def _asking(proxy: str | None) -> Ask:
    def ask(query: str, count: int) -> list[object]:
        from ddgs import DDGS

        return list(DDGS(proxy=proxy, timeout=ENGINE_SECONDS).text(query, max_results=count))

    return ask
