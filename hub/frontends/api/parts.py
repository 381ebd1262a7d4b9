"""What the routes share: who calls, and the hub's services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from hub.core import access as core
from hub.core.access import Access, Scope
from hub.frontends.door import Caller, admit, bearer_in
from hub.frontends.facts import PLACES
from hub.frontends.sse import Streams
from hub.frontends.webchat import WebFrontend
from hub.ports import FleetCalls, Health, Pulling
from hub.services import Services
from shared.errors import NotAllowed
from shared.ids import PersonId

bearer = HTTPBearer(auto_error=False, description="A key: dh_person_…, dh_read_…, …")


Statuses = Callable[[], Sequence[tuple[str, Health]]]
"""Each frontend's name and how it is doing now."""
ChatLinks = Callable[[], Mapping[str, str]]
"""By frontend, where a person opens its chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the API tells of its hub."""

    hub_name: str
    hub_epoch: str
    version: str
    hub_url: str
    frontends: Statuses
    chat_links: ChatLinks
    streams: Streams
    pulling: Pulling
    fleet: FleetCalls
    chat: WebFrontend


async def services_of(request: Request) -> Services:
    # Asynchronous although it waits for nothing: the framework runs others in a thread.
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def about_of(request: Request) -> About:
    about: About = request.app.state.about
    return about


async def caller_of(
    needed: SecurityScopes,
    services: Annotated[Services, Depends(services_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """Check the key of a request; the scopes of which it needs one stand in the schema, too."""
    scopes = [Scope(scope) for scope in needed.scopes]
    return await admit(services, credentials.credentials if credentials else "", *scopes)


async def caller_by_kind(
    needed: SecurityScopes,
    services: Annotated[Services, Depends(services_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Caller:
    """The same for routes that mind the kinds which a key is limited to."""
    scopes = [Scope(scope) for scope in needed.scopes]
    header = credentials.credentials if credentials else ""
    return await admit(services, header, *scopes, minds_kinds=True)


Known = Annotated[Caller, Security(caller_of, scopes=["person"])]
"""A person, with all they may do."""
Reads = Annotated[Caller, Security(caller_of, scopes=["read", "person"])]
"""Whoever may look at a person's things."""
ReadsWork = Annotated[Caller, Security(caller_by_kind, scopes=["read", "enqueue", "person"])]
"""Whoever may look at a person's tasks and jobs, of the key's kinds: also who asks for work."""
ReadsCounts = Annotated[Caller, Security(caller_of, scopes=["read", "enqueue", "person"])]
"""The same for what is told of all kinds together."""
Enqueues = Annotated[Caller, Security(caller_by_kind, scopes=["enqueue", "person"])]
"""Whoever may ask for work in a person's name, of the key's kinds."""
Enrols = Annotated[Caller, Security(caller_of, scopes=["enrol", "person"])]
"""Whoever may make codes that let machines in."""
Registers = Annotated[Caller, Security(caller_of, scopes=["worker", "person"])]
"""Whoever may register workers that fetch their work."""
ReadsOrIsIt = Annotated[Caller, Security(caller_of, scopes=["read", "worker", "person"])]
"""Whoever may look at a person's workers; one of them, at itself."""


async def puller_of(
    services: Annotated[Services, Depends(services_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Access:
    """Check the key of a worker that fetches its work."""
    access = await services.keys.check(bearer_in(credentials.credentials if credentials else ""))
    core.puller_of(access)
    return access


async def pulling_of(request: Request) -> Pulling:
    return about_of(request).pulling


Puller = Annotated[Access, Security(puller_of, scopes=["worker"])]
"""A worker that fetches its work, by its own key."""
Pulls = Annotated[Pulling, Depends(pulling_of)]
Hub = Annotated[Services, Depends(services_of)]


def whose(caller: Caller, person_id: str | None) -> PersonId:
    """The person a request is for: the caller, or anyone when the operator says so.

    Raises:
        NotAllowed: `operator_only`.
    """
    if person_id is None or person_id == caller.person.person_id:
        return caller.person.person_id
    require_operator(caller)
    return PersonId(person_id)


def require_operator(caller: Caller) -> None:
    """Let only the hub's own operator pass.

    Raises:
        NotAllowed: `operator_only`.
    """
    if caller.access.scope is not Scope.ADMIN:
        raise NotAllowed(
            "operator_only",
            "Only the hub's operator may do this.",
            "Use the key in the hub's data folder, admin.key.",
        )


async def operator_of(caller: Known) -> Caller:
    """Let only the hub's own operator pass."""
    require_operator(caller)
    return caller


Operator = Annotated[Caller, Depends(operator_of)]
"""The hub's operator."""


def by(caller: Caller) -> str:
    """Who did something, in words that are kept: "anna on the API"."""
    return f"{caller.person.name} on {PLACES['api']}"
