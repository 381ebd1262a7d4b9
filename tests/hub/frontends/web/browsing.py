"""A person's browser, as far as a test over HTTP needs one: cookies, pages and forms."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from shared.ids import PersonId
from tests.hub.frontends.world import World

_CSRF = re.compile(r'data-csrf="([^"]*)"')


@dataclass(slots=True)
class Guest:
    """Somebody signed in."""

    http: httpx.AsyncClient
    csrf: str = ""

    async def look(self, path: str) -> str:
        """Look at a page."""
        seen = await self.http.get(path)
        assert seen.status_code == httpx.codes.OK, seen.text
        return self._seen(seen)

    async def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form; what came back, without following it."""
        return await self.http.post(path, data={"csrf": self.csrf, **fields})

    async def send(self, path: str, **fields: str) -> str:
        """Send a form, and look at where it leads."""
        sent = await self.post(path, **fields)
        assert sent.status_code == httpx.codes.SEE_OTHER, sent.text
        return await self.look(sent.headers["location"])

    def _seen(self, response: httpx.Response) -> str:
        found = _CSRF.search(response.text)
        self.csrf = found[1] if found else self.csrf
        return response.text


@contextlib.asynccontextmanager
async def open_guest(world: World, person_id: PersonId | None = None) -> AsyncIterator[Guest]:
    """Sit at a browser inside the block; as the hub's owner when nobody is named."""
    services = world.hub.services
    if person_id is None:
        person_id = (await services.registry.people())[0].person_id
    link = await services.sign_ins.link(person_id)
    async with httpx.AsyncClient(
        base_url=world.url, trust_env=False, verify=False, timeout=30
    ) as http:
        await http.post(f"/in/{link.secret}")
        guest = Guest(http)
        await guest.look("/")
        yield guest
