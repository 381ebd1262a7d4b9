"""Who looks at the dashboard, and what it is put together from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from hub.core.access import Person, Role
from hub.core.fleet_calls import FleetSeen
from hub.core.sign_in import csrf_of
from hub.frontends.sse import Streams
from hub.frontends.web import cookie
from hub.frontends.web.foreign import SAFE, check_form
from hub.frontends.web.toast import BELL
from hub.frontends.webchat import WebFrontend
from hub.ports import Health
from hub.services import Services
from hub.services.backups import Backups
from shared.environment import Environment
from shared.errors import NotFound
from shared.ids import PersonId

EVERYONE = "everyone"
LIVE = "/live"
"""Where the stream of news is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the hub gives its dashboard."""

    services: Services
    environment: Environment
    streams: Streams
    chat: WebFrontend
    frontends: Callable[[], Sequence[tuple[str, Health]]]
    """Each frontend's name and how it is doing now."""
    backups: Backups
    fleet: Callable[[], Awaitable[FleetSeen]]
    """The fleet at a glance, for whoever runs the hub."""
    hub_name: str
    hub_url: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A person who is signed in."""

    person: Person
    is_owner: bool
    """Runs this hub: may look at everybody's things, and bring people in."""
    sees_everyone: bool = False
    """An owner who asked to."""
    csrf: str = ""
    """Stands in every form of theirs."""
    sign_in_id: str = ""
    """Of this browser."""
    hub_seq: int = 0
    """Where the log ended before anything was read for them: news after it ring."""

    @property
    def sees(self) -> PersonId | None:
        """Whose things the pages show; None means everybody's."""
        return None if self.sees_everyone else self.person.person_id

    @property
    def by(self) -> str:
        """Who did something, in words that are kept: "anna on the web"."""
        return f"{self.person.name} on the web"


def setting_of(request: Request) -> Setting:
    setting: Setting = request.app.state.setting
    return setting


async def visitor_of(request: Request) -> Visitor:
    """Find out who asks for a page, or sends a form of one.

    Raises:
        NotAllowed: `sign_in_needed`; `form_foreign`, this is no form of a page of theirs.
    """
    visitor = await look(request, setting_of(request))
    if request.method not in SAFE:
        await check_form(request, cookie.secret_of(request))
    return visitor


async def look(request: Request, setting: Setting) -> Visitor:
    """Find out who is at a browser, whatever they send.

    Raises:
        NotAllowed: `sign_in_needed`.
    """
    secret, hub_seq = cookie.secret_of(request), setting.services.feed.position()
    # A page that is open fetches news by itself; that does not keep its person signed in.
    is_use = BELL not in request.headers and request.url.path != LIVE
    signed_in = await setting.services.sign_ins.check(secret, is_use=is_use)
    is_owner = signed_in.person.role is Role.OWNER
    return Visitor(
        person=signed_in.person,
        is_owner=is_owner,
        sees_everyone=is_owner and request.query_params.get("who") == EVERYONE,
        csrf=csrf_of(secret),
        sign_in_id=signed_in.sign_in.sign_in_id,
        hub_seq=hub_seq,
    )


async def owner_of(visitor: Guest) -> Visitor:
    """Let only those pass who run this hub; for others such pages do not exist.

    Raises:
        NotFound: `page_unknown`.
    """
    if not visitor.is_owner:
        raise NotFound("page_unknown", "There is no such page.", "The bar leads to all pages.")
    return visitor


Guest = Annotated[Visitor, Depends(visitor_of)]
Owner = Annotated[Visitor, Depends(owner_of)]
"""Somebody who runs this hub."""
Place = Annotated[Setting, Depends(setting_of)]
