"""What the routes share: who calls, and the hub's services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Request, Security, params
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

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

T = TypeVar("T")
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


def bearer_of(request: Request) -> str:
    """Return the key that a request shows; empty when it shows none."""
    scheme, key = get_authorization_scheme_param(request.headers.get("authorization"))
    return key if scheme.lower() == "bearer" else ""


class Door(SecurityBase, Generic[T]):
    """Checks the key of a request.

    It needs nothing but the request: for every dependency of a dependency the framework takes as
    long as the check itself.
    """

    model = HTTPBearer()
    scheme_name = "HTTPBearer"

    def __init__(self, check: Callable[[Services, str], Awaitable[T]]) -> None:
        self._check = check

    async def __call__(self, request: Request) -> T:
        services: Services = request.app.state.services
        return await self._check(services, bearer_of(request))


async def enqueuer_of(services: Services, bearer: str) -> Caller:
    """Check the key of whoever asks for work."""
    return await admit(services, bearer, Scope.ENQUEUE, Scope.PERSON, minds_kinds=True)


def whoever_has(*scopes: Scope, minds_kinds: bool = False) -> params.Security:
    """Ask for a key with one of some scopes; they stand in the schema, too."""

    async def check(services: Services, bearer: str) -> Caller:
        return await admit(services, bearer, *scopes, minds_kinds=minds_kinds)

    asked: params.Security = Security(Door(check), scopes=[str(scope) for scope in scopes])
    return asked


Known = Annotated[Caller, whoever_has(Scope.PERSON)]
"""A person, with all they may do."""
Reads = Annotated[Caller, whoever_has(Scope.READ, Scope.PERSON)]
"""Whoever may look at a person's things."""
ReadsWork = Annotated[
    Caller, whoever_has(Scope.READ, Scope.ENQUEUE, Scope.PERSON, minds_kinds=True)
]
"""Whoever may look at a person's tasks and jobs, of the key's kinds: also who asks for work."""
ReadsCounts = Annotated[Caller, whoever_has(Scope.READ, Scope.ENQUEUE, Scope.PERSON)]
"""The same for what is told of all kinds together."""
Enqueues = Annotated[Caller, Security(Door(enqueuer_of), scopes=["enqueue", "person"])]
"""Whoever may ask for work in a person's name, of the key's kinds."""
Enrols = Annotated[Caller, whoever_has(Scope.ENROL, Scope.PERSON)]
"""Whoever may make codes that let machines in."""
Registers = Annotated[Caller, whoever_has(Scope.WORKER, Scope.PERSON)]
"""Whoever may register workers that fetch their work."""
ReadsOrIsIt = Annotated[Caller, whoever_has(Scope.READ, Scope.WORKER, Scope.PERSON)]
"""Whoever may look at a person's workers; one of them, at itself."""


async def puller_of(services: Services, bearer: str) -> Access:
    """Check the key of a worker that fetches its work."""
    access = await services.keys.check(bearer_in(bearer))
    core.puller_of(access)
    return access


async def pulling_of(request: Request) -> Pulling:
    return about_of(request).pulling


Puller = Annotated[Access, Security(Door(puller_of), scopes=["worker"])]
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
