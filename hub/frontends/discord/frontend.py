"""The Discord frontend: says who it is, listens, shows; an outage is waited out.

start ─▶ STARTING ──commands set, gateway or endpoint open──▶ OK ⇄ TROUBLED (tried again)
stop ─▶ STOPPED            a fault of ours ─▶ FAILED: whoever runs us makes us anew
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from starlette.types import ASGIApp

from hub.core.view import FrontendCapabilities, Pace, View
from hub.frontends.blockers import CODE as BLOCKED
from hub.frontends.blockers import Blockers
from hub.frontends.condition import Condition
from hub.frontends.discord.client import Client
from hub.frontends.discord.conversations import NAME
from hub.frontends.discord.endpoint import Endpoint
from hub.frontends.discord.gateway import Gateway
from hub.frontends.discord.hearing import Hearing
from hub.frontends.discord.introduction import check_invited, introduced
from hub.frontends.discord.keyboard import BUTTONS_MAX
from hub.frontends.discord.markdown import EMBED_UNITS_MAX
from hub.frontends.discord.openings import Openings
from hub.frontends.discord.options import ENDPOINT_PATH, Options
from hub.frontends.discord.reception import Reception
from hub.frontends.discord.refusals import OUTAGE_HINT, blocked
from hub.frontends.discord.rooms import Rooms
from hub.frontends.discord.sending import Sending
from hub.ports import FrontendSetup, Health, HealthState, Inbox, MessageRef
from shared.backoff import Backoff
from shared.errors import AppError, NotFound, Unavailable, first_of
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

FIRST_SECONDS = 5.0
"""How long `start` waits to be able to say more than STARTING."""
STOP_SECONDS = 4.0
AGAIN = Backoff(first_seconds=1.0, max_seconds=60.0)
WATCH_SECONDS = 60.0
"""How often Discord is asked whether the token and the invitations still hold."""
TAKE_BACK_SECONDS = 2.0
UNREACHED_MAX = 1000


class DiscordFrontend:
    """A bot. Made without a loop; `start` and `stop` may alternate."""

    name = NAME
    capabilities = FrontendCapabilities(
        buttons_max=BUTTONS_MAX,
        edit=True,
        files=True,
        links=True,
        text_chars_max=EMBED_UNITS_MAX,
        min_edit_interval_seconds=1.5,
        # Five messages in five seconds for a channel, fifty calls a second in all; the headers
        # that hikari follows say so. Less, since their clock is not ours.
        chat_pace=Pace(burst=4, per_second=0.9),
        group_pace=Pace(burst=4, per_second=0.9),
        total_pace=Pace(burst=10, per_second=30),
    )

    def __init__(self, setup: FrontendSetup, options: Options) -> None:
        self._setup = setup
        self._options = options
        self._client = Client(options)
        self._openings = Openings(setup.environment)
        self._rooms = Rooms(self._client)
        self._sending = Sending(
            client=self._client,
            bot_id=options.bot_id,
            taps=setup.taps,
            files=setup.files,
            openings=self._openings,
            rooms=self._rooms,
        )
        self._condition = Condition(setup.environment)
        self._blockers = Blockers(setup.environment, blocked)
        self._endpoint = (
            Endpoint(setup.environment, options.public_key) if options.public_key else None
        )
        self._settled = asyncio.Event()
        """Set when the first introduction has come out one way or the other."""
        self._home: asyncio.Task[None] | None = None
        self._is_listening = False
        self._missing: NotFound | None = None
        """Of the servers that the owner named, one that the bot was not invited to."""
        self._unreached: set[ConversationId] = set()
        """Conversations that an outage kept from being written to."""
        self.asgi: Mapping[str, ASGIApp] = {ENDPOINT_PATH: self._endpoint} if self._endpoint else {}

    @property
    def chat_link(self) -> str:
        """Where a person finds the bot, to write to it."""
        return f"https://discord.com/users/{self._options.bot_id}"

    async def start(self, inbox: Inbox) -> None:
        """Begin to listen; an outage does not keep it from starting, `status` tells."""
        assert self._home is None
        self._settled.clear()
        self._condition.be(HealthState.STARTING)
        # Between `start` and `stop` there is no block that a TaskGroup could be: one task stands
        # for it, and `status` tells should it end.
        self._home = asyncio.get_running_loop().create_task(self._run(inbox), name=NAME)
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self._settled.wait()
        except TimeoutError:
            if self._condition.health.state is HealthState.STARTING:
                self._condition.be(
                    HealthState.TROUBLED, "Discord does not answer yet.", OUTAGE_HINT
                )

    async def stop(self) -> None:
        """Stop listening. Idempotent, bounded."""
        home, self._home = self._home, None
        if self._endpoint is not None:
            self._endpoint.close()
        if home is not None:
            home.cancel()
            await asyncio.wait([home], timeout=STOP_SECONDS)
        await self._client.close()
        self._condition.be(HealthState.STOPPED)

    def status(self) -> Health:
        """How it is doing."""
        return self._condition.health

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Show a view.

        Raises:
            Unavailable: `discord_busy`, `discord_unreachable`, `discord_token_wrong`,
                `chat_blocked`; all retryable.
            NotFound: `chat_gone`.
            BadInput: `discord_refused`.
        """
        self._blockers.check(conversation)
        try:
            return await self._sending.show(conversation, view, replace)
        except Unavailable as error:
            if error.code == BLOCKED:
                self._blockers.note(conversation)
            elif error.retry_after_seconds is None and len(self._unreached) < UNREACHED_MAX:
                self._unreached.add(conversation)
            raise

    # Inside.

    async def _run(self, inbox: Inbox) -> None:
        reception = Reception(
            client=self._client,
            bot_id=self._options.bot_id,
            inbox=inbox,
            taps=self._setup.taps,
            openings=self._openings,
            rooms=self._rooms,
            environment=self._setup.environment,
            arrived=self._spoke,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(reception.run())
                tasks.create_task(self._take_back(reception))
                tasks.create_task(self._keep_listening(reception))
        except* Exception:
            logger.exception("The Discord frontend broke.")
            self._condition.be(
                HealthState.FAILED, "It broke by a fault of its own.", "The hub's log has more."
            )
        finally:
            self._settled.set()

    async def _keep_listening(self, reception: Reception) -> None:
        failures = 0
        while True:
            try:
                await self._client.open()
                hearing = await introduced(self._client, self._options)
                await self._listen(hearing, reception)
            except AppError as error:
                failures = 1 if self._is_listening else failures + 1
                self._is_listening = False
                self._condition.be_troubled(error)
                self._settled.set()
                await asyncio.sleep(self._wait(error, failures))

    async def _listen(self, hearing: Hearing, reception: Reception) -> None:
        """Listen until that ends by an error.

        Raises:
            AppError: as `Gateway.run_once`.
        """
        gateway = Gateway(
            options=self._options,
            client=self._client,
            hearing=hearing,
            put=reception.put,
            up=self._well,
            down=self._dropped,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                if self._endpoint is not None:
                    # Discord calls us; there is nothing to do but to watch that it can.
                    self._endpoint.open(self._client, hearing, reception)
                    self._well()
                else:
                    tasks.create_task(gateway.run_once())
        except* AppError as failures:
            raise first_of(failures) from None

    async def _watch(self) -> None:
        while True:
            try:
                await check_invited(self._client, self._options)
                self._missing = None
            except NotFound as error:
                self._missing = error
            except AppError as error:
                logger.debug("Discord was not asked for the bot's servers: %s", error.code)
            if self._is_listening:
                self._well()
            await asyncio.sleep(WATCH_SECONDS)

    async def _take_back(self, reception: Reception) -> None:
        while True:
            await asyncio.sleep(TAKE_BACK_SECONDS)
            await reception.take_back()

    def _wait(self, error: AppError, failures: int) -> float:
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        return AGAIN.wait_seconds(failures, self._setup.environment.random())

    def _well(self) -> None:
        self._settled.set()
        self._is_listening = True
        if self._missing is not None:
            # It works for whoever writes to it directly; the owner expects more.
            self._condition.be_troubled(self._missing)
        elif self._condition.be(HealthState.OK):
            unreached, self._unreached = self._unreached, set()
            for conversation in unreached:
                self._setup.arrived(conversation)

    def _dropped(self) -> None:
        self._is_listening = False
        self._condition.be(HealthState.TROUBLED, "The connection to Discord dropped.", OUTAGE_HINT)

    def _spoke(self, conversation: ConversationId) -> None:
        """Whoever speaks to the bot can be written to."""
        if self._blockers.forget(conversation):
            self._setup.arrived(conversation)
