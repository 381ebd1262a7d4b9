"""Shows Views in Discord: keeps promises, sends, edits.

Each new message carries a name made of its view's key (`nonce`, enforced): Discord gives back the
message that has it already instead of storing another one. So a sending whose answer was lost on
the way is repeated without harm; Discord remembers the names for some minutes.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import hikari
from hikari.impl import MessageActionRowBuilder

from hub.core.view import Button, View
from hub.frontends.discord.client import Client
from hub.frontends.discord.conversations import Place, place_of
from hub.frontends.discord.hearing import NAME_SPLIT
from hub.frontends.discord.keyboard import Keyboard, keyboard_of
from hub.frontends.discord.markdown import told_of
from hub.frontends.discord.openings import Opening, Openings
from hub.frontends.discord.posts import (
    COLOURS,
    UPLOAD_BYTES_MAX,
    Post,
    Upload,
    posts_of,
    spelled_out,
)
from hub.frontends.discord.refusals import CANNOT_EDIT, CANNOT_EMBED, UNKNOWN_CHANNEL, code_of
from hub.frontends.discord.rooms import Rooms
from hub.ports import Files, MessageRef, Taps
from shared.errors import NotFound
from shared.ids import ConversationId

NONCE_CHARS = 25
MENU_NAME = "choose"
MENU_HINT = "Choose one"
CHANNELS_MAX = 1000
QUIET = hikari.MessageFlag.SUPPRESS_NOTIFICATIONS


class Sending:
    """Shows Views in channels and threads."""

    def __init__(
        self,
        *,
        client: Client,
        bot_id: int,
        taps: Taps,
        files: Files,
        openings: Openings,
        rooms: Rooms,
    ) -> None:
        self._client = client
        self._bot_id = bot_id
        self._taps = taps
        self._files = files
        self._openings = openings
        self._rooms = rooms
        self._titles: OrderedDict[ConversationId, str] = OrderedDict()

    async def show(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Send a view, or edit the message that `replace` names.

        A message that is gone, or that Discord no longer lets us edit, is sent anew.

        Raises:
            AppError: as `refusals.app_error`; retryable when trying again may help.
        """
        place = place_of(conversation)
        if replace is not None and not view.files:
            is_edited = await self._edited(conversation, place, view, replace)
            if is_edited:
                return replace
        return await self._sent(conversation, place, view)

    # New messages.

    async def _sent(self, conversation: ConversationId, place: Place, view: View) -> MessageRef:
        limit = self._rooms.limit(place.channel_id)
        first, *rest = posts_of(view, await self._paths(view), limit)
        rows = await self._rows(conversation, place, first.buttons)
        opening = self._openings.first(conversation)
        message = None
        if opening is not None:
            message = await self._opened(place, opening, first, rows, _nonce(conversation, view, 0))
            self._openings.done(conversation, opening)
            self._note_title(conversation, opening.title)
        if message is None:
            message = await self._posted(conversation, place, view, first, rows)
        for index, post in enumerate(rest, start=1):
            await self._post(
                int(message.channel_id), post, (), _nonce(conversation, view, index), 0
            )
        return MessageRef(f"{message.channel_id}:{message.id}")

    async def _opened(
        self,
        place: Place,
        opening: Opening,
        post: Post,
        rows: Sequence[MessageActionRowBuilder],
        nonce: str,
    ) -> hikari.Message | None:
        """Keep a promise; None when it is too late for that."""
        if opening.reply_to:
            return await self._post(place.channel_id, post, rows, nonce, opening.reply_to)
        try:
            return await self._client.tried(
                lambda rest: rest.edit_interaction_response(
                    self._bot_id,
                    opening.token,
                    post.told.content or None,
                    embeds=_embeds(post),
                    components=rows,
                    attachments=[_resource(upload) for upload in post.uploads],
                )
            )
        except (hikari.NotFoundError, hikari.UnauthorizedError):
            return None
        except hikari.HTTPError as error:
            raise self._client.told("answer", error, place.channel_id) from None

    async def _posted(
        self,
        conversation: ConversationId,
        place: Place,
        view: View,
        post: Post,
        rows: Sequence[MessageActionRowBuilder],
    ) -> hikari.Message:
        """Send a message of its own, into its thread if it can have one."""
        title = self._titles.get(conversation, "") or view.text.partition("\n")[0]
        nonce = _nonce(conversation, view, 0)
        room = await self._rooms.room(place, title)
        if room != place.channel_id:
            try:
                return await self._tried(room, post, rows, nonce, 0)
            except hikari.NotFoundError as error:
                if code_of(error) != UNKNOWN_CHANNEL:
                    raise self._client.told("send", error, room) from None
                self._rooms.lost(place)
            except hikari.HTTPError as error:
                raise self._client.told("send", error, room) from None
        return await self._post(place.channel_id, post, rows, nonce, place.anchor_id)

    async def _post(
        self,
        channel_id: int,
        post: Post,
        rows: Sequence[MessageActionRowBuilder],
        nonce: str,
        reply_to: int,
    ) -> hikari.Message:
        try:
            return await self._tried(channel_id, post, rows, nonce, reply_to)
        except hikari.HTTPError as error:
            raise self._client.told("send", error, channel_id) from None

    async def _tried(
        self,
        channel_id: int,
        post: Post,
        rows: Sequence[MessageActionRowBuilder],
        nonce: str,
        reply_to: int,
    ) -> hikari.Message:
        try:
            return await self._created(channel_id, post, rows, nonce, reply_to)
        except hikari.ClientHTTPResponseError as error:
            if not post.told.embed or error.code not in CANNOT_EMBED:
                raise
        return await self._created(channel_id, post.without_embed, rows, nonce, reply_to)

    async def _created(
        self,
        channel_id: int,
        post: Post,
        rows: Sequence[MessageActionRowBuilder],
        nonce: str,
        reply_to: int,
    ) -> hikari.Message:
        return await self._client.tried(
            lambda rest: rest.create_message(
                channel_id,
                post.told.content or hikari.UNDEFINED,
                embeds=_embeds(post) or hikari.UNDEFINED,
                components=rows or hikari.UNDEFINED,
                attachments=[_resource(u) for u in post.uploads] or hikari.UNDEFINED,
                nonce=nonce or hikari.UNDEFINED,
                reply=reply_to or hikari.UNDEFINED,
                reply_must_exist=False if reply_to else hikari.UNDEFINED,
                flags=QUIET if post.is_quiet else hikari.UNDEFINED,
            )
        )

    async def _paths(self, view: View) -> dict[str, Path | None]:
        """Where the files lie; a file that is not here yet stops the message before it begins."""
        paths: dict[str, Path | None] = {}
        for file in view.files:
            try:
                paths[file.sha256] = await self._files.path(file.sha256)
            except NotFound:
                paths[file.sha256] = None
        return paths

    def _note_title(self, conversation: ConversationId, title: str) -> None:
        self._titles[conversation] = title
        while len(self._titles) > CHANNELS_MAX:
            self._titles.popitem(last=False)

    # Earlier messages.

    async def _edited(
        self, conversation: ConversationId, place: Place, view: View, replace: MessageRef
    ) -> bool:
        """Edit a message; False when it can only be sent anew."""
        channel, _, message = replace.value.partition(":")
        if not (channel.isdecimal() and message.isdecimal()):
            return False
        view = spelled_out(view, {}, UPLOAD_BYTES_MAX)
        post = Post(told=told_of(view), colour=COLOURS[view.tone], buttons=view.buttons)
        rows = await self._rows(conversation, place, post.buttons)
        try:
            await self._client.tried(
                lambda rest: rest.edit_message(
                    int(channel),
                    int(message),
                    post.told.content or None,
                    embeds=_embeds(post),
                    components=rows,
                )
            )
        except hikari.HTTPError as error:
            if code_of(error) in CANNOT_EDIT:
                return False
            raise self._client.told("edit", error, int(channel)) from None
        return True

    # Buttons.

    async def _rows(
        self, conversation: ConversationId, place: Place, buttons: Sequence[Button]
    ) -> list[MessageActionRowBuilder]:
        says = [button.says for button in buttons if button.says]
        names = await self._taps.names(conversation, says) if says else ()
        anchored = [f"{name}{NAME_SPLIT}{place.anchor_id}" for name in names]
        return _built(keyboard_of(buttons, anchored))


def _built(keyboard: Keyboard) -> list[MessageActionRowBuilder]:
    rows = []
    if keyboard.options:
        menu = MessageActionRowBuilder()
        choices = menu.add_text_menu(MENU_NAME, placeholder=MENU_HINT, min_values=1)
        for option in keyboard.options:
            detail = option.detail or hikari.UNDEFINED
            choices.add_option(option.label, option.name, description=detail)
        rows.append(menu)
    for keys in keyboard.rows:
        row = MessageActionRowBuilder()
        for key in keys:
            if key.url:
                row.add_link_button(key.url, label=key.label)
                continue
            if key.is_yes:
                row.add_interactive_button(hikari.ButtonStyle.SUCCESS, key.name, label=key.label)
            else:
                row.add_interactive_button(hikari.ButtonStyle.SECONDARY, key.name, label=key.label)
        rows.append(row)
    return rows


def _embeds(post: Post) -> list[hikari.Embed]:
    if not post.told.embed:
        return []
    return [hikari.Embed(description=post.told.embed, color=post.colour)]


def _resource(upload: Upload) -> hikari.Resourceish:
    # A file on the disk is read piece by piece while it is sent, never whole.
    if upload.path is not None:
        return hikari.File(upload.path, upload.name)
    return hikari.Bytes(upload.content, upload.name)


def _nonce(conversation: ConversationId, view: View, index: int) -> str:
    """What Discord knows a message by again; empty for what is sent once."""
    if not view.key:
        return ""
    told = f"{conversation}\0{view.key}\0{index}".encode()
    return hashlib.sha256(told).hexdigest()[:NONCE_CHARS]
