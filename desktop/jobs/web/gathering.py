"""Gathers the pages for a question: searches, chooses, reads until there are enough.

What is searched for and found stands in the job's folder: whoever goes on after a crash searches
for the same, and finds most pages in the task's cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.core.web.choosing import Found, candidates, key_of
from desktop.jobs.context import SharedContext
from desktop.jobs.web.page import Page
from desktop.jobs.web.pages import Pages
from desktop.jobs.web.searches.engine import Engine
from shared.errors import AppError
from shared.kinds.web import URL_CHARS_MAX, Unread
from shared.plain_text import plain_line

AT_ONCE_MAX = 4
RESULTS_PER_QUERY = 10
WHY_CHARS_MAX = 300
FILE_NAME = "gathered.json"


class Gathered(BaseModel):
    """What was searched for, and what may be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: tuple[str, ...] = ()
    search: str = ""
    candidates: tuple[str, ...] = ()
    """Addresses, the best first."""
    failure: str = ""
    """Why a search brought nothing, in words; empty when all did."""


def kept(workdir: Path) -> Gathered | None:
    """Return what an earlier try of this job has gathered."""
    try:
        return Gathered.model_validate_json((workdir / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def keep(workdir: Path, gathered: Gathered) -> None:
    made = workdir / f"{FILE_NAME}.new"
    made.write_text(gathered.model_dump_json(), encoding="utf-8")
    made.replace(workdir / FILE_NAME)


async def search_all(
    engine: Engine | None, queries: Sequence[str], named: Sequence[str], count: int
) -> Gathered:
    """Search for all queries at once.

    Raises:
        AppError: the first failure, when no search brought anything and no page was named.
    """
    if engine is None or not queries:
        return Gathered(candidates=tuple(named))
    told = await asyncio.gather(
        *(engine.search(query, RESULTS_PER_QUERY) for query in queries), return_exceptions=True
    )
    results: list[tuple[Found, ...]] = []
    failures: list[AppError] = []
    for one in told:
        if isinstance(one, AppError):
            failures.append(one)
        elif isinstance(one, BaseException):
            raise one
        else:
            results.append(one)
    if failures and not any(results) and not named:
        raise failures[0]
    chosen = candidates(results, named, count)
    return Gathered(
        queries=tuple(queries),
        search=engine.name,
        candidates=tuple(found.url for found in chosen),
        failure=failures[0].message if failures else "",
    )


class Reading:
    """Reads candidates in their order, a few at a time, until there are enough."""

    def __init__(self, context: SharedContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages
        self.read: list[Page] = []
        self.unread: list[Unread] = []

    async def read_on(self, urls: Sequence[str], count: int) -> None:
        """Read up to `count` pages; one that cannot be read gives its place to the next."""
        waiting = list(urls)
        self._context.progress("reading", 0, count)
        while waiting and len(self.read) < count:
            size = min(AT_ONCE_MAX, count - len(self.read))
            wave, waiting = waiting[:size], waiting[size:]
            for url, told in zip(wave, await self._wave(wave), strict=True):
                self._take(url, told)
            self._context.progress("reading", len(self.read), count)

    async def _wave(self, urls: Sequence[str]) -> list[Page | AppError]:
        async def one(url: str) -> Page | AppError:
            try:
                return await self._pages.page(url)
            except AppError as error:
                return error

        async with asyncio.TaskGroup() as tasks:
            made = [tasks.create_task(one(url)) for url in urls]
        return [task.result() for task in made]

    def _take(self, url: str, told: Page | AppError) -> None:
        match told:
            case Page():
                known = {key_of(page.url) for page in self.read} | {p.text for p in self.read}
                if key_of(told.url) in known or told.text in known:
                    return
                self.read.append(told)
                self._context.log(f"Read: {plain_line(told.url)}")
            case AppError():
                self._context.log(f"Not read: {plain_line(url)[:200]} – {told.message}")
                self.unread.append(unread(url, told))


def unread(url: str, error: AppError) -> Unread:
    """Tell a page that was not read, and why."""
    return Unread(
        url=plain_line(url)[:URL_CHARS_MAX],
        code=error.code,
        why=plain_line(error.message)[:WHY_CHARS_MAX],
    )
