"""Somebody who reads pages as they are written: cookies, forms and links, without scripts.

page = await reader.get("/")            a page; redirects are followed
assert "No computer" in page.text       what stands there, without tags
page = await reader.post("/jobs/…/cancel", reason="…")     a form, with what forms carry
assert page.toast == "Cancelled."
"""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from hub.app import Hub
from shared.ids import PersonId

PATIENCE_SECONDS = 30.0
"""The first page waits for the API and the dashboard to be built; machines of tests are busy."""
_TAG = re.compile(r"<[^>]*>")
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"')
_CSRF = re.compile(r'data-csrf="([^"]*)"')
_TOAST = re.compile(r'<div class="toast[^"]*"><p>(.*?)</p>', re.DOTALL)


@dataclass(frozen=True)
class Read:
    """A page that was read."""

    response: httpx.Response

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def path(self) -> str:
        """Where the reader was led, with the query."""
        return self.response.url.raw_path.decode()

    @property
    def html(self) -> str:
        return self.response.text

    @property
    def text(self) -> str:
        """The words of the page's main part, in one line."""
        main = self.html.partition("<main")[2].partition("</main>")[0] or self.html
        return " ".join(html.unescape(_TAG.sub(" ", "<main" + main)).split())

    @property
    def links(self) -> list[str]:
        return [html.unescape(link) for link in _LINK.findall(self.html)]

    @property
    def toast(self) -> str:
        """The word about what was done; empty when there is none."""
        found = _TOAST.search(self.html)
        return html.unescape(found[1]) if found else ""

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.html)
        return html.unescape(found[1]) if found else ""


@dataclass
class Reader:
    client: httpx.AsyncClient

    async def get(self, path: str, **query: str) -> Read:
        return Read(await self.client.get(path, params=query or None))

    async def post(self, path: str, **fields: str) -> Read:
        """Send a form as this site's pages do."""
        if "csrf" not in fields:
            fields["csrf"] = (await self.get("/me")).csrf
        origin = str(self.client.base_url).rstrip("/")
        return Read(await self.client.post(path, data=fields, headers={"Origin": origin}))


@contextlib.asynccontextmanager
async def a_reader(hub: Hub, person_id: PersonId | None = None) -> AsyncIterator[Reader]:
    """Sign a person in; the hub's owner when nobody is named."""
    async with a_stranger(hub) as stranger:
        await sign_in(stranger, hub, person_id)
        yield stranger


@contextlib.asynccontextmanager
async def a_stranger(hub: Hub) -> AsyncIterator[Reader]:
    """Somebody who is not signed in."""
    async with httpx.AsyncClient(
        base_url=hub.settings.local_url,
        follow_redirects=True,
        trust_env=False,
        verify=False,
        timeout=PATIENCE_SECONDS,
    ) as client:
        yield Reader(client)


async def sign_in(reader: Reader, hub: Hub, person_id: PersonId | None) -> None:
    """Use a link, as people do."""
    if person_id is None:
        person_id = (await hub.services.registry.people())[0].person_id
    link = await hub.services.sign_ins.link(person_id)
    page = await reader.post(f"/in/{link.secret}", csrf="")
    assert page.status == httpx.codes.OK, page.text
