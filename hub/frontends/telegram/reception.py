"""Deals with one update: what was said goes to the inbox, a tap gets its toast.

An update is dealt with when `take` returns; what it could not write down it raises, and whoever
brought the update brings it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from telegram import Update
from telegram.error import TelegramError

from hub.core.view import View
from hub.frontends.layout import fitted, units
from hub.frontends.telegram.client import Client
from hub.frontends.telegram.hearing import ForeignGroup, Hearing, Moved, Press, Reachable, Words
from hub.ports import Inbox, MessageRef, Taps
from shared.errors import AppError
from shared.ids import ConversationId
from shared.plain_text import plain

logger = logging.getLogger(__name__)

TOAST_UNITS_MAX = 200
TOAST_SECONDS = 3.0
"""What was tapped is not held up longer by telling Telegram so."""
TOO_OLD = "That button is too old. /jobs shows what is going on."
FAULTS_MAX = 3
"""How often one update may break us before it is left out."""
REMEMBERED_MAX = 500
"""Groups told of, albums and broken updates that are remembered."""

Key = TypeVar("Key")
Value = TypeVar("Value")
Render = Callable[[ConversationId, View, MessageRef | None], Awaitable[MessageRef]]


class Reception:
    """Takes updates in the order they come."""

    def __init__(
        self,
        *,
        hearing: Hearing,
        inbox: Inbox,
        taps: Taps,
        client: Client,
        render: Render,
        arrived: Callable[[ConversationId], None],
    ) -> None:
        self._hearing = hearing
        self._inbox = inbox
        self._taps = taps
        self._client = client
        self._render = render
        self._arrived = arrived
        self._foreign: OrderedDict[int, None] = OrderedDict()
        self._albums: OrderedDict[str, None] = OrderedDict()
        self._faults: OrderedDict[int, int] = OrderedDict()

    async def take(self, update: Update) -> None:
        """Deal with an update.

        A fault of ours must not stop all that comes after: the third time, the update is left out.

        Raises:
            AppError: when it could not be written down.
            Exception: a fault of ours; bring the update again.
        """
        try:
            await self._take(update)
        except AppError:
            raise
        except Exception:
            faults = self._faults.pop(update.update_id, 0) + 1
            if faults < FAULTS_MAX:
                _remember(self._faults, update.update_id, faults)
                raise
            logger.exception("Update %s broke us and is left out.", update.update_id)

    async def _take(self, update: Update) -> None:
        match self._hearing.heard(update):
            case Words() as words:
                await self._words(words)
            case Press() as press:
                await self._press(press)
            case Reachable() as reachable:
                self._arrived(reachable.conversation)
            case ForeignGroup() as group:
                self._tell_of(group)
            case Moved() as moved:
                logger.warning(
                    "Group %s is a supergroup now; put %s into HUB_TELEGRAM_GROUPS.",
                    moved.chat_id,
                    moved.new_chat_id,
                )
            case None:
                pass

    async def _words(self, words: Words) -> None:
        inbound = words.inbound
        if inbound.has_file and words.album:
            if words.album in self._albums and not inbound.text:
                return
            _remember(self._albums, words.album, None)
        await self._show(inbound.conversation, await self._inbox(inbound))

    async def _press(self, press: Press) -> None:
        """A tap; Telegram shows that it waits until it is answered, so that comes first.

        In a group the answer waits for the inbox, since what a tap brings there may be for who
        tapped alone: a short answer is shown to them as a toast, and nobody else is bothered.
        """
        inbound = press.inbound
        says = await self._taps.said(inbound.conversation, press.name)
        if says is None:
            await self._toast(press, TOO_OLD)
            return
        if not inbound.in_group:
            await self._toast(press, "")
            await self._show(inbound.conversation, await self._inbox(replace(inbound, text=says)))
            return
        views = await self._inbox(replace(inbound, text=says, answer_waits=False))
        told = views[0] if len(views) == 1 else None
        if told and not told.buttons and units(told.text) <= TOAST_UNITS_MAX:
            await self._toast(press, told.text)
            return
        await self._toast(press, "")
        await self._show(inbound.conversation, views)

    async def _toast(self, press: Press, text: str) -> None:
        """Answer a tap. That it was answered before, or too late, changes nothing."""
        told = fitted(plain(text), TOAST_UNITS_MAX) if text else None
        with contextlib.suppress(TelegramError, TimeoutError):
            async with asyncio.timeout(TOAST_SECONDS):
                await self._client.tried(
                    lambda bot: bot.answer_callback_query(
                        press.query_id, text=told, show_alert=bool(told)
                    )
                )

    async def _show(self, conversation: ConversationId, views: tuple[View, ...]) -> None:
        """Show what did not go through the outbox; it is noted as heard, so it is tried once."""
        try:
            for view in views:
                await self._render(conversation, view, None)
        except AppError as error:
            logger.warning("An answer was not shown in %s: %s", conversation, error.code)

    def _tell_of(self, group: ForeignGroup) -> None:
        """Once for each group: its owner may want to let the bot answer there."""
        if group.chat_id in self._foreign:
            return
        _remember(self._foreign, group.chat_id, None)
        logger.info(
            "A group is not answered: '%s'. To let the bot answer there, put %s into "
            "HUB_TELEGRAM_GROUPS.",
            group.title,
            group.chat_id,
        )


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    while len(kept) > REMEMBERED_MAX:
        kept.popitem(last=False)
