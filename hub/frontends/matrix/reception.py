"""Deals with one event: what was said goes to the inbox, a tap is looked up first.

An event is dealt with when `take` returns; what it could not write down it raises, and whoever
brought the event brings it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from dataclasses import replace

from hub.core.view import Inbound, View
from hub.frontends.matrix.client import Client
from hub.frontends.matrix.conversations import conversation_of
from hub.frontends.matrix.events import Event, Room, relation_of, text_of
from hub.frontends.matrix.hearing import Bare, Closed, Tap, Words, heard
from hub.frontends.matrix.invitations import Invitations
from hub.frontends.matrix.kept import Kept
from hub.frontends.matrix.marks import read_tap
from hub.frontends.matrix.sealed import Render, SealedEvents
from hub.ports import Inbox, Taps
from shared.errors import AppError

logger = logging.getLogger(__name__)

FAULTS_MAX = 3
"""How often one event may break us before it is left out."""
REMEMBERED_MAX = 500
TYPING_SECONDS = 0.6
"""Who waits this long sees that somebody is at it."""
TOO_OLD = "That choice is too old. !jobs shows what is going on."
UNENCRYPTED = (
    "I left that message out: this room is encrypted, and the message was not, so anybody on its "
    "way could have written it. Say it from a program that encrypts."
)


class Reception:
    """Takes events in the order they come."""

    def __init__(
        self,
        *,
        client: Client,
        inbox: Inbox,
        taps: Taps,
        kept: Kept,
        invitations: Invitations,
        sealed: SealedEvents,
        render: Render,
    ) -> None:
        self._client = client
        self._inbox = inbox
        self._taps = taps
        self._kept = kept
        self._invitations = invitations
        self._sealed = sealed
        self._render = render
        self._faults: OrderedDict[str, int] = OrderedDict()

    async def take(self, event: Event) -> None:
        """Deal with an event.

        A fault of ours must not stop all that comes after: the third time, the event is left out.

        Raises:
            AppError: when it could not be written down, or looked up.
            Exception: a fault of ours; bring the event again.
        """
        try:
            await self._take(event)
        except AppError:
            raise
        except Exception:
            faults = self._faults.pop(event.event_id, 0) + 1
            if faults < FAULTS_MAX:
                self._faults[event.event_id] = faults
                while len(self._faults) > REMEMBERED_MAX:
                    self._faults.popitem(last=False)
                raise
            logger.exception("Event %s broke us and is left out.", event.event_id)

    async def _take(self, event: Event) -> None:
        room = self._client.room(event.room_id)
        if room is None:
            return
        if await self._invitations.is_unwanted(room):
            logger.info("Room %s has more people than one stranger, and is left.", room.room_id)
            await self._client.leave(room.room_id)
            return
        match heard(event, room, self._client.user_id, self._task_of(event, room)):
            case Words() as words:
                if words.is_to_us or await self._is_ours(room, words.inbound.replies_to):
                    await self._say(room, words.inbound)
            case Tap() as tap:
                await self._tap(room, tap)
            case Closed(event=closed):
                await self._sealed.hold(closed)
            case Bare(event=bare):
                await self._show(room, View(text=UNENCRYPTED, key=f"bare {bare.event_id}"))
            case None:
                pass

    def _task_of(self, event: Event, room: Room) -> str:
        relation = relation_of(event.content)
        if not room.is_group or relation.get("rel_type") != "m.thread":
            return ""
        return self._kept.task_of(room.room_id, text_of(relation.get("event_id")))

    async def _is_ours(self, room: Room, event_id: str) -> bool:
        """Whether a message that was replied to is the bot's."""
        try:
            event, _ = await self._client.event(room.room_id, event_id)
        except AppError as error:
            if error.retryable and error.code != "chat_blocked":
                raise
            return False
        return event.sender == self._client.user_id

    async def _tap(self, room: Room, tap: Tap) -> None:
        try:
            event, newest = await self._client.event(room.room_id, tap.target)
        except AppError as error:
            if error.retryable and error.code != "chat_blocked":
                raise
            return
        if event.sender != self._client.user_id:
            # Anybody can write names of ours into a message of their own.
            return
        name = read_tap(newest, tap.key) or read_tap(event.content, tap.key)
        if not name:
            return
        says = await self._taps.said(tap.inbound.conversation, name)
        if says is None:
            await self._show(room, View(text=TOO_OLD, key=f"old {tap.inbound.dedupe}"))
            return
        await self._say(room, replace(tap.inbound, text=says))

    async def _say(self, room: Room, inbound: Inbound) -> None:
        for view in await self._answered(room, inbound):
            await self._show(room, view)

    async def _answered(self, room: Room, inbound: Inbound) -> tuple[View, ...]:
        """Hand words in; whoever waits for long sees that somebody is at it."""
        views: tuple[View, ...] = ()
        fault: Exception | None = None
        async with asyncio.TaskGroup() as tasks:
            typing = tasks.create_task(self._type_later(room))
            try:
                views = await self._inbox(inbound)
            except Exception as error:
                # Told as what it is, not as one of a group.
                fault = error
            is_typing = typing.done()
            typing.cancel()
        if is_typing:
            await self._type(room, is_typing=False)
        if fault is not None:
            raise fault
        return views

    async def _type_later(self, room: Room) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        await self._type(room, is_typing=True)

    async def _type(self, room: Room, *, is_typing: bool) -> None:
        with contextlib.suppress(AppError):
            await self._client.typing(room.room_id, is_typing=is_typing)

    async def _show(self, room: Room, view: View) -> None:
        """Show what did not go through the outbox; it is tried once."""
        conversation = conversation_of(room.room_id, is_group=room.is_group)
        try:
            await self._render(conversation, view, None)
        except AppError as error:
            logger.warning("An answer was not shown in %s: %s", conversation, error.code)
