"""Who looks at the dashboard, and what it is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from hub.core.access import Person, Scope
from hub.frontends.door import admit
from hub.frontends.sse import Streams
from hub.services import Services
from shared.environment import Environment
from shared.ids import PersonId

COOKIE = "deskhand"
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What the hub gives its dashboard."""

    services: Services
    environment: Environment
    streams: Streams
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
    """Find out who asks for a page.

    Raises:
        NotAllowed: `key_missing`, `key_invalid`; nobody is signed in.
    """
    caller = await admit(setting_of(request).services, request.cookies.get(COOKIE, ""))
    is_owner = caller.access.scope is Scope.ADMIN
    sees_everyone = is_owner and request.query_params.get("who") == EVERYONE
    return Visitor(person=caller.person, is_owner=is_owner, sees_everyone=sees_everyone)


Guest = Annotated[Visitor, Depends(visitor_of)]
Place = Annotated[Setting, Depends(setting_of)]
