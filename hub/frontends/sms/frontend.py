"""The SMS frontend: hears what is brought, sends what is to be said; an outage is waited out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.types import ASGIApp

from hub.core.view import FrontendCapabilities, Inbound, Pace, Sender, View
from hub.frontends.blockers import CODE as BLOCKED
from hub.frontends.blockers import Blockers
from hub.frontends.condition import Condition
from hub.frontends.sms.consent import Consent
from hub.frontends.sms.incoming import Incoming, Message
from hub.frontends.sms.options import INCOMING_PATH, Options
from hub.frontends.sms.provider import Provider, unreachable_number
from hub.frontends.sms.shortened import shortened
from hub.ports import FrontendSetup, Health, HealthState, Inbox, MessageRef
from shared.backoff import Backoff
from shared.errors import AppError, NotFound, Unavailable
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

NAME = "sms"
STOP_SECONDS = 3.0
WATCH_SECONDS = 300.0
"""How often the provider is asked whether the token still holds."""
AGAIN = Backoff(first_seconds=1.0, max_seconds=60.0)


class SmsFrontend:
    """A telephone number. Made without a loop; `start` and `stop` may alternate."""

    name = NAME
    capabilities = FrontendCapabilities(
        # Longer than a message: what is shortened says where the rest is.
        text_chars_max=4000,
        # A long number sends about one a second; people bear less.
        chat_pace=Pace(burst=4, per_second=0.2),
        total_pace=Pace(burst=5, per_second=1),
    )

    def __init__(self, setup: FrontendSetup, options: Options) -> None:
        self._setup = setup
        self._provider = Provider(options)
        self._incoming = Incoming(options)
        self.chat_link = f"sms:{options.number}"
        """What a telephone opens to write to the hub."""
        self._consent = Consent(setup.folder)
        self._condition = Condition(setup.environment)
        self._blockers = Blockers(setup.environment, unreachable_number)
        self._home: asyncio.Task[None] | None = None
        self._unreached: set[ConversationId] = set()
        self.asgi: Mapping[str, ASGIApp] = {INCOMING_PATH: self._incoming}

    async def start(self, inbox: Inbox) -> None:
        """Begin to listen; an outage does not keep it from starting, `status` tells."""
        assert self._home is None

        async def take(message: Message) -> None:
            await self._take(inbox, message)

        self._incoming.take = take
        self._condition.be(HealthState.STARTING)
        await self._look()
        # Between `start` and `stop` there is no block that a TaskGroup could be.
        self._home = asyncio.get_running_loop().create_task(self._watch(), name=NAME)

    async def stop(self) -> None:
        """Stop listening. Idempotent, bounded."""
        home, self._home = self._home, None
        self._incoming.take = None
        if home is not None:
            home.cancel()
            await asyncio.wait([home], timeout=STOP_SECONDS)
        await self._provider.close()
        self._condition.be(HealthState.STOPPED)

    def status(self) -> Health:
        """How it is doing."""
        return self._condition.health

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Send a view as one message; nothing can be changed that was sent.

        Raises:
            Unavailable: `sms_busy`, `sms_unreachable`, `sms_token_wrong`, `chat_blocked`.
            BadInput: `sms_refused`.
            NotFound: `chat_gone`.
        """
        del replace
        name, _, number = conversation.partition(":")
        if name != NAME:
            raise NotFound("chat_gone", f"'{conversation:.60}' is no telephone number.")
        if self._consent.stopped(number):
            raise unreachable_number()
        self._blockers.check(conversation)
        try:
            sent = await self._provider.send(number, shortened(view, self._setup.hub_url))
        except Unavailable as error:
            if error.code == BLOCKED:
                self._blockers.note(conversation)
            else:
                self._unreached.add(conversation)
            raise
        self._well()
        return MessageRef(sent)

    # Inside.

    async def _take(self, inbox: Inbox, message: Message) -> None:
        conversation = ConversationId(f"{NAME}:{message.number}")
        word = self._consent.heard(message.number, message.text)
        if word == "stop":
            # Its carrier, or the provider, confirms it; anything from us would be against it.
            return
        if self._blockers.forget(conversation) or word == "start":
            self._setup.arrived(conversation)
        if word == "start":
            return
        await inbox(
            Inbound(
                conversation=conversation,
                sender=Sender(frontend=NAME, external_id=message.number, name=message.number),
                text=message.text,
                dedupe=message.message_id,
                has_file=message.has_file,
                answer_waits=True,
            )
        )

    async def _watch(self) -> None:
        failures = 0
        while True:
            failures = 0 if self._condition.is_well else failures + 1
            again = AGAIN.wait_seconds(failures, self._setup.environment.random())
            await asyncio.sleep(WATCH_SECONDS if self._condition.is_well else again)
            await self._look()

    async def _look(self) -> None:
        try:
            await self._provider.check()
        except AppError as error:
            self._condition.be_troubled(error)
        else:
            self._well()

    def _well(self) -> None:
        self._condition.be(HealthState.OK)
        unreached, self._unreached = self._unreached, set()
        for conversation in unreached:
            self._setup.arrived(conversation)
