"""Gets pages as text: from the task's cache, else fetched and read, in a browser if need be."""

from __future__ import annotations

import asyncio

from desktop.core.web.sorts import Sort
from desktop.core.web.url_guard import check_url
from desktop.jobs.context import SharedContext
from desktop.jobs.web.cache import PageCache
from desktop.jobs.web.fetcher import Fetched
from desktop.jobs.web.page import Page
from desktop.jobs.web.reader.told import Told
from desktop.jobs.web.room import Gear, WebRoom, gear_of, now_utc, room_of
from shared.errors import AppError, BadInput
from shared.kinds.web import Render


class Pages:
    """Pages for one job."""

    def __init__(self, context: SharedContext) -> None:
        self._context = context
        self._room: WebRoom = room_of(context)
        self._gear: Gear = gear_of(context)
        self._cache = PageCache(context.workspace)

    async def page(self, url: str, render: Render = "auto") -> Page:
        """Read a page.

        Raises:
            AppError: as `Fetcher.fetch`, `Reader.read`, `WebBrowser.context`; `page_empty`.
        """
        checked = check_url(url, self._gear.rules)
        known = await asyncio.to_thread(self._cache.get, checked.url, render, now_utc())
        if known is not None:
            return known
        page = await self._read(checked.url, render)
        if not page.text.strip():
            raise BadInput(
                "page_empty",
                f"{checked.host} shows no text at this address.",
                "It may be made of pictures, or want a visitor to sign in.",
            )
        await asyncio.to_thread(self._cache.put, checked.url, render, page)
        return page

    async def _read(self, url: str, render: Render) -> Page:
        if render == "always":
            return await self._rendered(url)
        fetched = await self._gear.fetcher.fetch(url)
        read = await self._room.reader.read(fetched)
        if render == "never" or not read.needs_scripts or not self._gear.rules.browser:
            return _page(fetched, read)
        try:
            return await self._rendered(fetched.url)
        except AppError as error:
            self._context.log(f"{error.message} What shows without scripts is taken.")
            return _page(fetched, read)

    async def _rendered(self, url: str) -> Page:
        from desktop.jobs.web.browser.visiting import visit

        target = await self._gear.fetcher.check(url)
        async with self._gear.web_browser().context() as context:
            visited = await visit(context, target, self._gear.rules)
        fetched = Fetched(
            url=visited.url,
            sort=Sort.HTML,
            media_type="text/html",
            charset="utf-8",
            body=visited.html,
            is_cut=visited.is_cut,
            at=now_utc(),
            is_inside=self._gear.outside.is_inside(target.host),
        )
        page = _page(fetched, await self._room.reader.read(fetched))
        return page.model_copy(update={"is_rendered": True})


def _page(fetched: Fetched, read: Told) -> Page:
    return Page(
        url=fetched.url,
        title=read.title,
        text=read.text,
        media_type=fetched.media_type[:100],
        published=read.published,
        at=fetched.at,
        is_inside=fetched.is_inside,
        is_cut=fetched.is_cut or read.is_cut,
    )
