"""The Telegram frontend: says who it is, listens, shows; an outage is waited out.

start ─▶ STARTING ──getMe, commands, webhook──▶ OK ⇄ TROUBLED (tried again, ever more calmly)
stop ─▶ STOPPED            a fault of ours ─▶ FAILED: whoever runs us makes us anew
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp

from hub.core.view import FrontendCapabilities, Pace, View
from hub.frontends.blockers import CODE as BLOCKED
from hub.frontends.blockers import Blockers
from hub.frontends.condition import Condition
from hub.frontends.telegram.client import POLL_SECONDS, Client
from hub.frontends.telegram.conversations import NAME
from hub.frontends.telegram.introduction import introduced
from hub.frontends.telegram.options import WEBHOOK_PATH, Options
from hub.frontends.telegram.parts import BUTTONS_MAX
from hub.frontends.telegram.polling import Polling, Take
from hub.frontends.telegram.reception import Reception
from hub.frontends.telegram.refusals import blocked
from hub.frontends.telegram.sending import Sender
from hub.frontends.telegram.webhook import Webhook
from hub.ports import FrontendSetup, Health, HealthState, Inbox, MessageRef
from shared.backoff import Backoff
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

FIRST_SECONDS = 5.0
"""How long `start` waits to be able to say more than STARTING."""
STOP_SECONDS = 3.0
AGAIN = Backoff(first_seconds=1.0, max_seconds=60.0)
WATCH_SECONDS = 60.0
"""How often Telegram is asked whether its calls get through."""
UNREACHED_MAX = 1000
DOUBTS = ("telegram_conflict", "webhook_changed")


class TelegramFrontend:
    """A bot. Made without a loop; `start` and `stop` may alternate."""

    name = NAME
    capabilities = FrontendCapabilities(
        buttons_max=BUTTONS_MAX,
        edit=True,
        files=True,
        links=True,
        text_chars_max=4096,
        min_edit_interval_seconds=1.5,
        # core.telegram.org/bots/faq: one a second in a chat, twenty a minute in a group, thirty a
        # second in all. Less, since their clock is not ours, and messages bunch up on their way.
        chat_pace=Pace(burst=3, per_second=0.9),
        group_pace=Pace(burst=5, per_second=0.25),
        total_pace=Pace(burst=5, per_second=20),
    )

    def __init__(self, setup: FrontendSetup, options: Options) -> None:
        self._setup = setup
        self._options = options
        self._client = Client(options)
        self._sender = Sender(self._client, setup.taps, setup.files)
        self._condition = Condition(setup.environment)
        self._webhook = Webhook(setup.environment, options.webhook_url)
        self._settled = asyncio.Event()
        """Set when the first introduction has come out one way or the other."""
        self._home: asyncio.Task[None] | None = None
        self._is_doubted = False
        """Another program seems to use our token: only what lasts shows that it does not."""
        self._unreached: set[ConversationId] = set()
        """Conversations that an outage kept from being written to."""
        self._blockers = Blockers(setup.environment, blocked)
        self._username = ""
        self.asgi: Mapping[str, ASGIApp] = (
            {WEBHOOK_PATH: self._webhook} if options.webhook_url else {}
        )

    @property
    def chat_link(self) -> str:
        """Where a phone opens the chat, with "{code}" for what it says first; empty if unknown."""
        return f"https://t.me/{self._username}?start={{code}}" if self._username else ""

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
        """Stop listening; what Telegram holds, it keeps. Idempotent, bounded."""
        home, self._home = self._home, None
        self._webhook.take = None
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

        A sending whose answer was lost may have arrived, and is sent again; see `sending`.

        Raises:
            Unavailable: `telegram_busy`, `telegram_slow`, `telegram_unreachable`,
                `telegram_token_wrong`, `chat_blocked`; all retryable.
            NotFound: `chat_gone`, `chat_moved`.
            BadInput: `telegram_refused`.
        """
        self._blockers.check(conversation)
        try:
            return await self._sender.show(conversation, view, replace)
        except Unavailable as error:
            if error.code == BLOCKED:
                self._blockers.note(conversation)
            elif error.retry_after_seconds is None and len(self._unreached) < UNREACHED_MAX:
                self._unreached.add(conversation)
            raise

    # Inside.

    async def _run(self, inbox: Inbox) -> None:
        try:
            await self._keep_listening(inbox)
        except Exception:
            logger.exception("The Telegram frontend broke.")
            self._condition.be(
                HealthState.FAILED, "It broke by a fault of its own.", "The hub's log has more."
            )
        finally:
            self._settled.set()

    async def _keep_listening(self, inbox: Inbox) -> None:
        listen_once: Callable[[], Awaitable[None]] | None = None
        failures = 0
        while True:
            try:
                if listen_once is None:
                    take = (await self._reception(inbox)).take
                    self._webhook.take = take
                    listen_once = self._watch if self._options.webhook_url else self._polls(take)
                    if not self._is_doubted:
                        self._well()
                await listen_once()
                self._well()
                failures = 0
            except AppError as error:
                failures += 1
                self._condition.be_troubled(error)
                self._settled.set()
                self._is_doubted = error.code in DOUBTS
                if self._is_doubted:
                    # Somebody else may have set a webhook, or taken ours away.
                    listen_once = None
                await asyncio.sleep(self._wait(error, failures))

    async def _reception(self, inbox: Inbox) -> Reception:
        await self._client.open()
        hearing = await introduced(self._client, self._options, self._webhook.secret)
        self._username = hearing.username
        return Reception(
            hearing=hearing,
            inbox=inbox,
            taps=self._setup.taps,
            client=self._client,
            render=self.render,
            arrived=self._may_write,
        )

    def _polls(self, take: Take) -> Callable[[], Awaitable[None]]:
        polling = Polling(self._client, take)

        async def poll_once() -> None:
            # After an outage a short question tells soonest that it is over. Who fights with
            # another program for its updates wins each short question, and knows nothing by it.
            is_short = not (self._condition.is_well or self._is_doubted)
            await polling.run_once(0 if is_short else POLL_SECONDS)

        return poll_once

    def _wait(self, error: AppError, failures: int) -> float:
        if error.retry_after_seconds is not None:
            return error.retry_after_seconds
        return AGAIN.wait_seconds(failures, self._setup.environment.random())

    def _well(self) -> None:
        self._settled.set()
        self._is_doubted = False
        if self._condition.be(HealthState.OK):
            unreached, self._unreached = self._unreached, set()
            for conversation in unreached:
                self._setup.arrived(conversation)

    def _may_write(self, conversation: ConversationId) -> None:
        self._blockers.forget(conversation)
        self._setup.arrived(conversation)

    async def _watch(self) -> None:
        await asyncio.sleep(WATCH_SECONDS)
        await self._webhook.check(self._client)
