"""Shows Views in Telegram: sends, edits, and goes on where a broken sending stopped.

Telegram has no key by which it would know a message again. When the answer to a sending is lost
on the way, nobody can tell whether the message arrived; it is sent again, so that a person may
see one twice and misses none. Edits do not suffer from that: the second one changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from telegram import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    Message,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, TelegramError

from hub.core.view import Button, View
from hub.frontends.carried import qr_png
from hub.frontends.labels import label_of
from hub.frontends.telegram.client import MEDIA_READ_SECONDS, Client
from hub.frontends.telegram.conversations import chat_of
from hub.frontends.telegram.html import CAPTION_UNITS_MAX, html_of
from hub.frontends.telegram.keyboard import LABEL_UNITS_MAX, fits, rows_of
from hub.frontends.telegram.parts import BUTTONS_MAX, Part, Sort, parts_of, spelled_out
from hub.frontends.telegram.refusals import CANNOT_EDIT, NO_TEXT, NOT_MODIFIED, said_in
from hub.ports import Files, MessageRef, Taps
from shared.errors import NotFound
from shared.ids import ConversationId

logger = logging.getLogger(__name__)

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
BROKEN_OFF_MAX = 200
"""Views of several messages that are remembered as half sent."""


class Sender:
    """Shows Views in chats."""

    def __init__(self, client: Client, taps: Taps, files: Files) -> None:
        self._client = client
        self._taps = taps
        self._files = files
        self._half_sent: OrderedDict[tuple[ConversationId, str], list[int]] = OrderedDict()
        """The messages that got through, of views whose sending broke off."""

    async def show(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Send a view, or edit the message that `replace` names.

        A message that is gone, or that Telegram no longer lets us edit, is sent anew.

        Raises:
            AppError: as `refusals.app_error`; retryable when trying again may help.
        """
        chat_id = chat_of(conversation)
        if replace is not None and not view.files:
            edited = await self._edited(conversation, chat_id, view, replace)
            if edited:
                return replace
        return await self._sent(conversation, chat_id, view)

    # New messages.

    async def _sent(self, conversation: ConversationId, chat_id: int, view: View) -> MessageRef:
        paths = await self._paths(view)
        parts = parts_of(view, paths)
        key = (conversation, view.key)
        sent = self._half_sent.pop(key, []) if view.key else []
        try:
            for part in parts[len(sent) :]:
                keyboard = await self._keyboard(conversation, part.buttons)
                sent.append(await self._send(chat_id, part, keyboard))
        finally:
            if view.key and 0 < len(sent) < len(parts):
                self._remember(key, sent)
        return MessageRef(str(sent[0]))

    def _remember(self, key: tuple[ConversationId, str], sent: list[int]) -> None:
        self._half_sent[key] = sent
        while len(self._half_sent) > BROKEN_OFF_MAX:
            self._half_sent.popitem(last=False)

    async def _paths(self, view: View) -> dict[str, Path | None]:
        """Where the files lie; a file that is not here yet stops the message before it begins."""
        paths: dict[str, Path | None] = {}
        for file in view.files:
            try:
                paths[file.sha256] = await self._files.path(file.sha256)
            except NotFound:
                paths[file.sha256] = None
        return paths

    async def _send(self, chat_id: int, part: Part, keyboard: InlineKeyboardMarkup | None) -> int:
        try:
            return await self._send_as(part.sort, chat_id, part, keyboard)
        except TelegramError as error:
            if part.sort is not Sort.PHOTO or not isinstance(error, BadRequest):
                raise self._client.told(f"send {part.sort}", error, chat_id) from None
        # Too long and thin for a photo, say; as a document it is what it is.
        try:
            return await self._send_as(Sort.DOCUMENT, chat_id, part, keyboard)
        except TelegramError as error:
            raise self._client.told("send document", error, chat_id) from None

    async def _send_as(
        self, sort: Sort, chat_id: int, part: Part, keyboard: InlineKeyboardMarkup | None
    ) -> int:
        if sort is Sort.TEXT:
            message = await self._client.tried(
                lambda bot: bot.send_message(
                    chat_id,
                    part.html,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                    disable_notification=part.is_quiet,
                    link_preview_options=NO_PREVIEW,
                )
            )
        elif sort is Sort.QR:
            picture = InputFile(qr_png(part.qr), filename="code.png")
            message = await self._send_file(Sort.PHOTO, chat_id, part, keyboard, picture)
        elif part.content:
            whole = InputFile(part.content, filename=part.name)
            message = await self._send_file(sort, chat_id, part, keyboard, whole)
        else:
            assert part.path is not None
            # Read piece by piece while it is sent, never whole.
            with await asyncio.to_thread(part.path.open, "rb") as content:
                file = InputFile(content, filename=part.name, read_file_handle=False)
                message = await self._send_file(sort, chat_id, part, keyboard, file)
        return message.message_id

    async def _send_file(
        self,
        sort: Sort,
        chat_id: int,
        part: Part,
        keyboard: InlineKeyboardMarkup | None,
        file: InputFile,
    ) -> Message:
        caption = part.html or None
        if sort is Sort.PHOTO:
            return await self._client.tried(
                lambda bot: bot.send_photo(
                    chat_id,
                    file,
                    caption=caption,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                    disable_notification=part.is_quiet,
                    read_timeout=MEDIA_READ_SECONDS,
                )
            )
        return await self._client.tried(
            lambda bot: bot.send_document(
                chat_id,
                file,
                caption=caption,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard,
                disable_notification=part.is_quiet,
                disable_content_type_detection=True,
                read_timeout=MEDIA_READ_SECONDS,
            )
        )

    # Earlier messages.

    async def _edited(
        self, conversation: ConversationId, chat_id: int, view: View, replace: MessageRef
    ) -> bool:
        """Edit a message; False when it can only be sent anew."""
        if not replace.value.isdecimal():
            return False
        message_id = int(replace.value)
        view = spelled_out(view, {})
        keyboard = await self._keyboard(conversation, view.buttons)
        try:
            await self._client.tried(
                lambda bot: bot.edit_message_text(
                    html_of(view),
                    chat_id,
                    message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                    link_preview_options=NO_PREVIEW,
                )
            )
        except TelegramError as error:
            if NO_TEXT in said_in(error):
                return await self._caption_edited(chat_id, message_id, view, keyboard)
            return self._is_edited(error, chat_id)
        return True

    async def _caption_edited(
        self,
        chat_id: int,
        message_id: int,
        view: View,
        keyboard: InlineKeyboardMarkup | None,
    ) -> bool:
        """The message is a picture or a file: its words are its caption."""
        try:
            await self._client.tried(
                lambda bot: bot.edit_message_caption(
                    chat_id,
                    message_id,
                    caption=html_of(view, CAPTION_UNITS_MAX),
                    parse_mode=ParseMode.HTML,
                    reply_markup=keyboard,
                )
            )
        except TelegramError as error:
            return self._is_edited(error, chat_id)
        return True

    def _is_edited(self, error: TelegramError, chat_id: int) -> bool:
        """Whether an edit that was refused is as good as done.

        Raises:
            AppError: when sending anew would not help.
        """
        told = said_in(error)
        if NOT_MODIFIED in told:
            return True
        if isinstance(error, BadRequest) and any(words in told for words in CANNOT_EDIT):
            return False
        raise self._client.told("edit", error, chat_id) from None

    # Buttons.

    async def _keyboard(
        self, conversation: ConversationId, buttons: Sequence[Button]
    ) -> InlineKeyboardMarkup | None:
        shown = [button for button in buttons if fits(button)][:BUTTONS_MAX]
        if not shown:
            return None
        says = [button.says for button in shown if button.says]
        named = iter(await self._taps.names(conversation, says))
        keys = [_key(button, next(named) if button.says else "") for button in shown]
        rows = rows_of([key.text for key in keys])
        return InlineKeyboardMarkup([[keys[index] for index in row] for row in rows])


def _key(button: Button, name: str) -> InlineKeyboardButton:
    label = label_of(button.label, LABEL_UNITS_MAX)
    if button.url:
        return InlineKeyboardButton(label, url=button.url)
    if button.copies:
        return InlineKeyboardButton(label, copy_text=CopyTextButton(button.copies))
    return InlineKeyboardButton(label, callback_data=name)
