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
from telegram import BotCommand

from hub.core.view import FrontendCapabilities, Pace, View
from hub.frontends.commands import COMMANDS
from hub.frontends.telegram.client import POLL_SECONDS, Client
from hub.frontends.telegram.condition import Condition
from hub.frontends.telegram.ear import Ear
from hub.frontends.telegram.hearing import NAME, UPDATES, Ears
from hub.frontends.telegram.options import WEBHOOK_PATH, Options
from hub.frontends.telegram.parts import BUTTONS_MAX
from hub.frontends.telegram.polling import Polling
from hub.frontends.telegram.sending import Sender
from hub.frontends.telegram.webhook import Webhook
from hub.ports import FrontendSetup, Health, HealthState, Inbox, MessageRef
from shared.backoff import Backoff
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId
from shared.plain_text import plain_line

logger = logging.getLogger(__name__)

FIRST_SECONDS = 5.0
"""How long `start` waits to be able to say more than STARTING."""
STOP_SECONDS = 3.0
AGAIN = Backoff(first_seconds=1.0, max_seconds=60.0)
WATCH_SECONDS = 60.0
"""How often Telegram is asked whether its calls get through."""
UNREACHED_MAX = 1000
DOUBTS = ("telegram_conflict", "webhook_changed")
COMMANDS_MAX = 100
DESCRIPTION_UNITS_MAX = 256


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
        # second in all. A little less, since their clock is not ours.
        chat_pace=Pace(burst=3, per_second=0.9),
        group_pace=Pace(burst=5, per_second=0.25),
        total_pace=Pace(burst=5, per_second=24),
    )

    def __init__(self, setup: FrontendSetup, options: Options) -> None:
        self._setup = setup
        self._options = options
        self._client = Client(options)
        self._sender = Sender(self._client, setup.taps, setup.files)
        self._condition = Condition(setup.environment)
        self._webhook = Webhook(setup.environment)
        self._settled = asyncio.Event()
        """Set when the first introduction has come out one way or the other."""
        self._home: asyncio.Task[None] | None = None
        self._is_doubted = False
        """Another program seems to use our token: only what lasts shows that it does not."""
        self._unreached: set[ConversationId] = set()
        """Conversations that an outage kept from being written to."""
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
                `telegram_token_wrong`; all retryable.
            NotAllowed: `chat_blocked`.
            NotFound: `chat_gone`, `chat_moved`.
            BadInput: `telegram_refused`.
        """
        try:
            return await self._sender.show(conversation, view, replace)
        except Unavailable as error:
            if error.retry_after_seconds is None and len(self._unreached) < UNREACHED_MAX:
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
                    ear = await self._introduced(inbox)
                    self._webhook.take = ear.take
                    listen_once = self._watch if self._options.webhook_url else self._polls(ear)
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

    def _polls(self, ear: Ear) -> Callable[[], Awaitable[None]]:
        polling = Polling(self._client, ear.take)

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

    async def _introduced(self, inbox: Inbox) -> Ear:
        """Learn who we are, and tell Telegram what we understand and where we listen.

        Raises:
            AppError: as `refusals.app_error`.
        """
        await self._client.open()
        me = await self._client.call("getMe", lambda bot: bot.get_me())
        self._username = me.username or ""
        commands = menu()
        await self._client.call("setMyCommands", lambda bot: bot.set_my_commands(commands))
        if self._options.webhook_url:
            await self._client.call(
                "setWebhook",
                lambda bot: bot.set_webhook(
                    self._options.webhook_url,
                    allowed_updates=UPDATES,
                    secret_token=self._webhook.secret,
                    # One after the other, in their order.
                    max_connections=1,
                ),
            )
        else:
            await self._client.call("deleteWebhook", lambda bot: bot.delete_webhook())
        return Ear(
            ears=Ears(bot_id=me.id, username=self._username, groups=self._options.groups),
            inbox=inbox,
            taps=self._setup.taps,
            client=self._client,
            render=self.render,
            arrived=self._setup.arrived,
        )

    async def _watch(self) -> None:
        """Wait a while, then see whether Telegram's calls get through.

        Raises:
            Unavailable: `webhook_changed`, `webhook_failing`; as `refusals.app_error`.
        """
        await asyncio.sleep(WATCH_SECONDS)
        info = await self._client.call("getWebhookInfo", lambda bot: bot.get_webhook_info())
        if info.url != self._options.webhook_url:
            raise Unavailable(
                "webhook_changed",
                "Somebody else changed where Telegram brings this bot's updates.",
                "If this comes again, another program uses this bot's token.",
                retryable=True,
            )
        failed_at = info.last_error_date
        if info.pending_update_count and failed_at and failed_at > self._webhook.taken_at:
            why = plain_line(info.last_error_message or "")[:200]
            raise Unavailable(
                "webhook_failing",
                f"Telegram's calls do not get through: {why}.",
                f"Check that {self._options.webhook_url} can be reached from the internet, or "
                "leave HUB_TELEGRAM_WEBHOOK off.",
                retryable=True,
            )


def menu() -> list[BotCommand]:
    """The commands as phones list them."""
    listed = [command for command in COMMANDS if command.in_menu][:COMMANDS_MAX]
    return [BotCommand(c.name, c.summary[:DESCRIPTION_UNITS_MAX]) for c in listed]
