"""The Matrix frontend: logs in once, listens, shows; an outage is waited out.

start ─▶ STARTING ──session, first news──▶ OK ⇄ TROUBLED (tried again, ever more calmly)
stop ─▶ STOPPED            a fault of ours ─▶ FAILED: whoever runs us makes us anew
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from hub.core.view import FrontendCapabilities, Pace, View
from hub.frontends.condition import Condition
from hub.frontends.matrix.account import Account
from hub.frontends.matrix.client import Client
from hub.frontends.matrix.conversations import NAME
from hub.frontends.matrix.invitations import Invitations
from hub.frontends.matrix.kept import Shelf
from hub.frontends.matrix.listening import Listening
from hub.frontends.matrix.messages import BUTTONS_MAX, TEXT_CHARS_MAX
from hub.frontends.matrix.options import Options
from hub.frontends.matrix.private_files import private_folder
from hub.frontends.matrix.reactions import Reactions
from hub.frontends.matrix.reception import Reception
from hub.frontends.matrix.refusals import BLOCKED, LOGIN_REFUSED, TOKEN_WRONG
from hub.frontends.matrix.sealed import SealedEvents
from hub.frontends.matrix.sending import Sender
from hub.ports import FrontendSetup, Health, HealthState, Inbox, MessageRef
from shared.backoff import Backoff
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

FIRST_SECONDS = 8.0
"""How long `start` waits to be able to say more than STARTING."""
STOP_SECONDS = 3.0
AGAIN = Backoff(first_seconds=0.5, max_seconds=10.0)
LOGIN_AGAIN = Backoff(first_seconds=30.0, max_seconds=1800.0)
"""Homeservers lock accounts whose password is wrong too often."""
UNREACHED_MAX = 1000


class MatrixFrontend:
    """A bot's account. Made without a loop; `start` and `stop` may alternate."""

    name = NAME
    capabilities = FrontendCapabilities(
        buttons_max=BUTTONS_MAX,
        edit=True,
        files=True,
        links=True,
        text_chars_max=TEXT_CHARS_MAX,
        min_edit_interval_seconds=2.0,
        # Homeservers differ; Synapse's own setting bears ten at once and then one in five seconds
        # (rc_message), unless its admin lifts that. What it refuses is sent when it says so.
        chat_pace=Pace(burst=5, per_second=1.0),
        group_pace=Pace(burst=5, per_second=0.5),
        total_pace=Pace(burst=10, per_second=10.0),
    )

    def __init__(self, setup: FrontendSetup, options: Options) -> None:
        self._setup = setup
        self._options = options
        self._client = Client(options, setup.folder)
        self._condition = Condition(setup.environment)
        self._settled = asyncio.Event()
        """Set when the first news has come out one way or the other."""
        self._home: asyncio.Task[None] | None = None
        self._sender: Sender | None = None
        """While there is a session."""
        self._unreached: set[ConversationId] = set()
        """Conversations that an outage kept from being written to."""

    @property
    def chat_link(self) -> str:
        """Where a program for Matrix opens a talk with the bot; empty before the first login."""
        user_id = self._client.user_id
        return f"https://matrix.to/#/{user_id}" if user_id else ""

    async def start(self, inbox: Inbox) -> None:
        """Begin to listen; an outage does not keep it from starting, `status` tells."""
        assert self._home is None
        self._settled.clear()
        self._condition.be(HealthState.STARTING)
        # Between `start` and `stop` there is no block that a TaskGroup could be: one task stands
        # for it, and `status` tells should it end.
        self._home = asyncio.get_running_loop().create_task(self._run(inbox), name=NAME)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_SECONDS):
                await self._settled.wait()

    async def stop(self) -> None:
        """Stop listening; the session and its keys are kept. Idempotent, bounded."""
        home, self._home = self._home, None
        self._sender = None
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
        """Show a view; the same `View.key` is shown once, however often it is sent.

        Raises:
            Unavailable: `matrix_busy`, `matrix_slow`, `matrix_unreachable`, `matrix_not_ready`,
                `matrix_token_wrong`, `matrix_not_encrypted`, `chat_blocked`; all retryable.
            NotFound: `room_gone`.
            BadInput: `matrix_refused`.
        """
        if self._sender is None:
            self._note_unreached(conversation)
            raise Unavailable("matrix_not_ready", "The bot is not logged in yet.", retryable=True)
        try:
            return await self._sender.show(conversation, view, replace)
        except Unavailable as error:
            if error.code != BLOCKED and error.retry_after_seconds is None:
                self._note_unreached(conversation)
            raise

    def _note_unreached(self, conversation: ConversationId) -> None:
        if len(self._unreached) < UNREACHED_MAX:
            self._unreached.add(conversation)

    # Inside.

    async def _run(self, inbox: Inbox) -> None:
        try:
            await self._keep_listening(inbox)
        except Exception:
            logger.exception("The Matrix frontend broke.")
            self._condition.be(
                HealthState.FAILED, "It broke by a fault of its own.", "The hub's log has more."
            )
        finally:
            self._settled.set()

    async def _keep_listening(self, inbox: Inbox) -> None:
        """Be logged in and listen; a session that ended is begun anew."""
        await asyncio.to_thread(private_folder, self._setup.folder)
        account = Account(self._client, self._options, self._setup.folder)
        failures = 0
        while True:
            try:
                await account.enter()
                failures = 0
                await self._listen(inbox)
            except AppError as error:
                failures += 1
                await self._wait_out(error, failures)
                if error.code == TOKEN_WRONG:
                    await account.leave()

    async def _listen(self, inbox: Inbox) -> None:
        """Listen with one session until it ends.

        Raises:
            AppError: `matrix_token_wrong`, `matrix_login_refused`.
        """
        shelf = Shelf(self._setup.folder)
        kept = await asyncio.to_thread(shelf.load, self._client.user_id)
        reactions = Reactions(self._client, kept, shelf)
        environment = self._setup.environment
        invitations = Invitations(self._client, self._setup.knows, kept, shelf, environment)
        sealed = SealedEvents(self._client, kept, environment, self.render)
        self._sender = Sender(
            client=self._client,
            taps=self._setup.taps,
            files=self._setup.files,
            reactions=reactions,
            kept=kept,
            shelf=shelf,
        )
        reception = Reception(
            client=self._client,
            inbox=inbox,
            taps=self._setup.taps,
            kept=kept,
            invitations=invitations,
            sealed=sealed,
            render=self.render,
        )
        listening = Listening(
            client=self._client,
            kept=kept,
            shelf=shelf,
            reception=reception,
            invitations=invitations,
            sealed=sealed,
            arrived=self._setup.arrived,
            render=self.render,
        )
        ended: list[AppError] = []
        try:
            async with asyncio.TaskGroup() as tasks:
                beside = [tasks.create_task(invitations.run()), tasks.create_task(reactions.run())]
                ended.append(await self._until_ended(listening))
                for task in beside:
                    task.cancel()
        finally:
            self._sender = None
        raise ended[0]

    async def _until_ended(self, listening: Listening) -> AppError:
        """Listen through outages; return why this session is over."""
        failures = 0
        while True:
            try:
                # After an outage a short question tells soonest that it is over.
                await (listening.run_once() if self._condition.is_well else listening.run_once(0))
                self._well()
                failures = 0
            except AppError as error:
                if error.code in (TOKEN_WRONG, LOGIN_REFUSED):
                    return error
                failures += 1
                await self._wait_out(error, failures)

    async def _wait_out(self, error: AppError, failures: int) -> None:
        self._condition.be_troubled(error)
        self._settled.set()
        if error.retry_after_seconds is not None:
            wait = error.retry_after_seconds
        else:
            again = LOGIN_AGAIN if error.code == LOGIN_REFUSED else AGAIN
            wait = again.wait_seconds(failures, self._setup.environment.random())
        await asyncio.sleep(wait)

    def _well(self) -> None:
        self._settled.set()
        if self._condition.be(HealthState.OK):
            unreached, self._unreached = self._unreached, set()
            for conversation in unreached:
                self._setup.arrived(conversation)
