"""A search engine, as research sees it."""

from __future__ import annotations

from typing import Protocol

from desktop.core.web.choosing import Found


class Engine(Protocol):
    """Finds pages for a query."""

    @property
    def name(self) -> str:
        """The word of the policy: "brave"."""

    async def search(self, query: str, count: int) -> tuple[Found, ...]:
        """Return results, the best first; none is no error.

        Raises:
            Unavailable: `search_failed`, `search_limited`.
            NotFound: `search_key_missing`.
        """
