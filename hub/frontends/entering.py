"""What people say about who may come in: /connect, /pair, /approve, /reject, /unlink, /start CODE.

None of this is done in a group (`inbox.PRIVATE_COMMANDS`): codes and decisions are one person's.
"""

from __future__ import annotations

import contextlib

from hub.core.access import Person
from hub.core.view import Inbound, Tone, View
from hub.frontends import entrance, replies
from hub.frontends.account import locked_line
from hub.frontends.facts import Facts
from hub.frontends.parsing import parse
from hub.services import Services, arrivals
from hub.services.deliveries import Deliveries
from shared.environment import Environment
from shared.errors import AppError
from shared.pairing import JoinState

Views = tuple[View, ...]


class Entering:
    def __init__(
        self,
        services: Services,
        deliveries: Deliveries,
        environment: Environment,
        hub_url: str,
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment
        self._hub_url = hub_url

    async def connect(self, person: Person) -> Views:
        """Give out a code for a computer; the older one ends."""
        invitation = await self._services.pairing.invite(person.person_id)
        return (entrance.connect_view(invitation, self._hub_url, self._environment.now()),)

    async def web(self, person: Person) -> Views:
        """Give out a link that signs a browser in."""
        link = await self._services.sign_ins.link(person.person_id)
        return (entrance.web_view(self._hub_url, link, self._environment.now()),)

    async def pair(self, person: Person, inbound: Inbound, code: str) -> Views:
        """Take the code that a computer shows; the question about it comes through the outbox."""
        address = f"{inbound.sender.frontend}:{inbound.sender.external_id}"
        await self._services.pairing.adopt(person.person_id, code, address)
        return ()

    async def decide(
        self, person: Person, inbound: Inbound, name: str, by: str, *, is_approved: bool
    ) -> Views:
        """Let in or turn away; where the question is shown, it turns into the answer."""
        admissions = self._services.admissions
        request = await admissions.find(person.person_id, name)
        decided = await admissions.decide(
            person.person_id, request.join_id, is_approved=is_approved, by=by
        )
        subject = f"join:{request.join_id}"
        if inbound.conversation in await self._deliveries.conversations_showing(subject):
            return ()
        facts = Facts(now=self._environment.now(), reader=person.name)
        return (entrance.decided_view(decided, facts),)

    async def unlink(self, person: Person, frontend: str, account: str) -> Views:
        """Let an account speak for its person no more."""
        gone = await self._services.admissions.unlink(person.person_id, frontend, account)
        text = f"{gone.name} does not speak for you on {entrance.place(gone.frontend)} any more."
        return (View(text=text, tone=Tone.DONE),)

    async def start(self, person: Person, inbound: Inbound, code: str) -> Views:
        """Say what this is; with a code, let this account speak for the code's person."""
        if told := locked_line(person, self._environment):
            return (View(text=told, tone=Tone.WAITING),)
        if code and not inbound.in_group:
            await self._services.pairing.link(code, inbound.sender, inbound.conversation)
        workers = await self._services.views.workers(person.person_id)
        zone = await self._services.views.zone(person.person_id)
        greeting = replies.greeting(workers, self._environment.now(), zone)
        return (greeting, *(await self._still_asked(person, inbound)))

    async def _still_asked(self, person: Person, inbound: Inbound) -> Views:
        """Show what was asked before there was a chat to ask in."""
        if inbound.in_group:
            return ()
        shown = await self._deliveries.subjects_shown(inbound.conversation, "join:")
        requests = await self._services.admissions.requests(person.person_id)
        return tuple(
            entrance.requested_view(arrivals.requested(request))
            for request in requests
            if request.state is JoinState.WAITING and f"join:{request.join_id}" not in shown
        )

    async def stranger(self, inbound: Inbound) -> Views:
        """Answer somebody the hub does not know, in fixed words; a code makes them known."""
        if inbound.in_group:
            # Strangers in a group talk to each other; only a command is meant for us.
            is_to_us = inbound.text.lstrip().startswith("/")
            return (entrance.stranger(was_asked=False),) if is_to_us else ()
        if code := _code_of(inbound.text):
            person = await self._services.pairing.link(code, inbound.sender, inbound.conversation)
            await self._deliveries.said(inbound.conversation, person.person_id)
            greeting = await self.start(person, inbound, "")
            return (entrance.linked_here_view(person.name), *greeting)
        was_asked = await self._services.admissions.knock(inbound.sender, inbound.conversation)
        return (entrance.stranger(was_asked=was_asked),)


def _code_of(text: str) -> str:
    """The code in "/start CODE"."""
    with contextlib.suppress(AppError):
        spoken = parse(text)
        if spoken is not None and spoken.command.name == "start":
            return spoken.values.get("code", "")
    return ""
