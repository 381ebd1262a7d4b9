"""Deals with what Discord brings, in its order: what was said goes to the inbox, a press as well.

A command or a press has been promised an answer before it comes here (`Promised`). What could not
be written down is tried again until it can be, for Discord brings nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import hikari

from hub.core.view import Inbound, View
from hub.frontends.discord.client import Client
from hub.frontends.discord.conversations import Place, conversation_of
from hub.frontends.discord.hearing import Asked, Command, ForeignServer, Heard, Press, Words
from hub.frontends.discord.markdown import short_of
from hub.frontends.discord.openings import Openings
from hub.frontends.discord.rooms import Rooms
from hub.ports import Inbox, Taps
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

TOO_OLD = "That button is too old. /jobs shows what is going on."
WAITING_MAX = 1000
PROMISE_SECONDS = 3.0
"""What Discord gives for the first answer."""
AGAIN = Backoff(first_seconds=0.5, max_seconds=30.0)
TRIES_MAX = 20
SERVERS_MAX = 500
NOT_YET_SECONDS = 0.3
"""A promise given over the endpoint can be looked at a moment later."""
LOOKS_MAX = 4


@dataclass(frozen=True, slots=True)
class Promised:
    """Something that was heard."""

    heard: Heard
    is_promised: asyncio.Future[bool] | None = None
    """Whether Discord took our promise of an answer; None where it expects none."""


class Reception:
    """Takes what was heard, one after the other."""

    def __init__(
        self,
        *,
        client: Client,
        bot_id: int,
        inbox: Inbox,
        taps: Taps,
        openings: Openings,
        rooms: Rooms,
        environment: Environment,
        arrived: Callable[[ConversationId], None],
    ) -> None:
        self._client = client
        self._bot_id = bot_id
        self._inbox = inbox
        self._taps = taps
        self._openings = openings
        self._rooms = rooms
        self._environment = environment
        self._arrived = arrived
        self._waiting: asyncio.Queue[Promised] = asyncio.Queue(WAITING_MAX)
        self._foreign: OrderedDict[int, None] = OrderedDict()

    def put(self, promised: Promised) -> bool:
        """Take something in; False when too much waits."""
        try:
            self._waiting.put_nowait(promised)
        except asyncio.QueueFull:
            logger.warning("More comes from Discord than the hub can deal with; some is left out.")
            return False
        return True

    async def run(self) -> None:
        """Deal with what comes, until cancelled."""
        while True:
            await self.run_once()

    async def run_once(self) -> None:
        """Deal with the next that comes."""
        promised = await self._waiting.get()
        kept = promised.is_promised is None
        if promised.is_promised is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROMISE_SECONDS):
                    kept = await promised.is_promised
        for tries in range(1, TRIES_MAX + 1):
            try:
                await self._take(promised.heard, is_promised=kept)
            except AppError as error:
                logger.warning("What was said in Discord waits: %s", error.code)
                await asyncio.sleep(AGAIN.wait_seconds(tries, self._environment.random()))
            except Exception:
                logger.exception("Something from Discord broke us and is left out.")
                return
            else:
                return

    async def _take(self, heard: Heard, *, is_promised: bool) -> None:
        match heard:
            case Words() as words:
                await self._words(words)
            case Command() as command:
                await self._command(command, is_promised=is_promised)
            case Press() as press:
                await self._press(press)
            case ForeignServer() as server:
                self._tell_of(server)
            case None:
                pass

    async def _words(self, words: Words) -> None:
        place = Place(channel_id=words.channel_id)
        if words.in_server:
            place = await self._rooms.place(words.channel_id)
        reply_to = 0
        if words.in_server and not place.anchor_id:
            # In a channel, what is asked begins a conversation of its own, below these words.
            reply_to = 0 if words.anchor_id else words.event_id
            place = replace(place, anchor_id=words.anchor_id or words.event_id)
        conversation = conversation_of(place)
        if reply_to and self._openings.first(conversation) is None:
            self._openings.add(conversation, reply_to=reply_to, title=words.text)
        inbound = Inbound(
            conversation=conversation,
            sender=words.sender,
            text=words.text,
            dedupe=str(words.event_id),
            in_group=words.in_server,
            replies_to=words.replies_to,
            has_file=words.has_file,
            answer_waits=True,
        )
        await self._hear(inbound)

    async def _command(self, command: Command, *, is_promised: bool) -> None:
        asked = command.asked
        place = self._place(asked)
        if is_promised and asked.in_server and not place.anchor_id:
            place = replace(place, anchor_id=await self._promise_id(asked))
        conversation = conversation_of(place)
        if is_promised:
            title = command.text.removeprefix("/")
            self._openings.add(conversation, token=asked.token, title=title)
        await self._hear(_inbound(asked, conversation, command.text))

    async def _press(self, press: Press) -> None:
        """A press; what it brings in a server may be for who pressed alone, and is told so."""
        asked = press.asked
        place = self._place(asked)
        if asked.in_server and not place.anchor_id:
            place = replace(place, anchor_id=press.anchor_id)
        conversation = conversation_of(place)
        says = await self._taps.said(conversation, press.name)
        if says is None:
            await self.whisper(asked.token, View(text=TOO_OLD))
            return
        inbound = _inbound(asked, conversation, says)
        if not asked.in_server:
            await self._hear(inbound)
            return
        for view in await self._inbox(replace(inbound, answer_waits=False)):
            await self.whisper(asked.token, view)

    async def _hear(self, inbound: Inbound) -> None:
        if not inbound.in_group:
            self._arrived(inbound.conversation)
        await self._inbox(inbound)

    def _place(self, asked: Asked) -> Place:
        self._rooms.note_limit(asked.parent_id or asked.channel_id, asked.bytes_max)
        if not asked.in_server:
            return Place(channel_id=asked.channel_id)
        return self._rooms.note(asked.channel_id, asked.parent_id)

    async def _promise_id(self, asked: Asked) -> int:
        """The id of the message that holds our promise; 0 when it cannot be found."""
        for _ in range(LOOKS_MAX):
            try:
                promise = await self._client.tried(
                    lambda rest: rest.fetch_interaction_response(self._bot_id, asked.token)
                )
            except hikari.NotFoundError:
                await asyncio.sleep(NOT_YET_SECONDS)
            except hikari.HTTPError as error:
                raise self._client.told("look at the answer", error, asked.channel_id) from None
            else:
                return int(promise.id)
        return 0

    async def whisper(self, token: str, view: View) -> None:
        """Tell who pressed, and nobody else. That it came too late changes nothing."""
        with contextlib.suppress(hikari.HTTPError, TimeoutError):
            async with asyncio.timeout(PROMISE_SECONDS):
                await self._client.tried(
                    lambda rest: rest.execute_webhook(
                        self._bot_id, token, short_of(view), flags=hikari.MessageFlag.EPHEMERAL
                    )
                )

    async def take_back(self) -> None:
        """Take back the promises of commands that have nothing to say."""
        for _, opening in self._openings.silent():
            if opening.token:
                with contextlib.suppress(hikari.HTTPError):
                    await self._client.tried(
                        lambda rest, token=opening.token: rest.delete_interaction_response(  # type: ignore[misc]
                            self._bot_id, token
                        )
                    )

    def _tell_of(self, server: ForeignServer) -> None:
        """Once for each server: its owner may want to let the bot answer there."""
        if server.server_id in self._foreign:
            return
        self._foreign[server.server_id] = None
        while len(self._foreign) > SERVERS_MAX:
            self._foreign.popitem(last=False)
        logger.info(
            "A Discord server is not answered. To let the bot answer there, put %s into "
            "HUB_DISCORD_SERVERS.",
            server.server_id,
        )


def _inbound(asked: Asked, conversation: ConversationId, text: str) -> Inbound:
    return Inbound(
        conversation=conversation,
        sender=asked.sender,
        text=text,
        dedupe=str(asked.interaction_id),
        in_group=asked.in_server,
        answer_waits=True,
    )
