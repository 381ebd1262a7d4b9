"""What each method of the Bot API does in the fake, with Telegram's own refusals.

Only what a bot like ours needs; another method is refused with 404 and a sentence that says so.
"""

from __future__ import annotations

import json
import re
import struct
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiogram.methods.base import TelegramMethod
from aiogram.types import BufferedInputFile

from tests.fakes.bot_api_schema import Refused, bad
from tests.fakes.bot_api_state import BOT, Chat, File, Json, Shown, State, What
from tests.fakes.bot_api_text import (
    CAPTION_UNITS_MAX,
    TEXT_UNITS_MAX,
    CannotParse,
    Entity,
    parsed,
    units,
)

UPLOAD_BYTES_MAX = 50 * 1000 * 1000
PHOTO_BYTES_MAX = 10 * 1000 * 1000
DOWNLOAD_BYTES_MAX = 20 * 1000 * 1000
OWN_SERVER_BYTES_MAX = 2000 * 1000 * 1000
BUTTONS_MAX = 100
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"

Request = Any  # One of aiogram's 185 method models.


class Methods:
    """The methods by name; `pace` is asked before anything is shown to people."""

    def __init__(self, state: State, pace: Callable[[int], int], *, own_server: bool) -> None:
        self._state = state
        self._pace = pace
        self._own_server = own_server
        self._known: dict[str, Callable[[Request], Any]] = {
            "getMe": self._get_me,
            "getChat": self._get_chat,
            "sendMessage": self._send_message,
            "sendDocument": lambda request: self._send_file(request, "document"),
            "sendPhoto": lambda request: self._send_file(request, "photo"),
            "editMessageText": self._edit_text,
            "editMessageCaption": self._edit_caption,
            "editMessageReplyMarkup": self._edit_markup,
            "deleteMessage": self._delete,
            "answerCallbackQuery": self._answer_tap,
            "sendChatAction": self._act,
            "getFile": self._get_file,
            "setMyCommands": self._set_commands,
            "getMyCommands": self._get_commands,
            "deleteMyCommands": self._delete_commands,
            "setMyDescription": lambda request: self._set("description", request.description, 512),
            "setMyShortDescription": lambda request: self._set(
                "short_description", request.short_description, 120
            ),
            "setChatMenuButton": lambda request: True,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "leaveChat": self._leave,
        }

    def __call__(self, name: str, request: TelegramMethod[Any]) -> Any:
        """Carry a method out.

        Raises:
            Refused: as Telegram would.
        """
        known = self._known.get(name)
        if known is None:
            raise Refused(404, f"Not Found: this fake does not know {name}")
        return known(request)

    # Messages.

    def _send_message(self, request: Request) -> Json:
        chat = self._writable(request)
        body = self._text(request.text, request.parse_mode, request.entities, TEXT_UNITS_MAX)
        body |= self._frame(chat, request)
        self._keep_pace(chat)
        shown = self._state.store(chat, BOT, body)
        shown.is_silent = bool(request.disable_notification)
        return shown.raw

    def _send_file(self, request: Request, sort: str) -> Json:
        chat = self._writable(request)
        file = self._file(getattr(request, sort), sort)
        body = self._caption(request) | self._frame(chat, request)
        body[sort] = _photo_sizes(file) if sort == "photo" else _document(file)
        self._keep_pace(chat)
        shown = self._state.store(chat, BOT, body, file)
        shown.is_silent = bool(request.disable_notification)
        return shown.raw

    def _edit_text(self, request: Request) -> Json:
        shown = self._editable(request)
        if request.text is None:
            raise bad("message text is empty")
        body = self._text(request.text, request.parse_mode, request.entities, TEXT_UNITS_MAX)
        if "text" not in shown.raw:
            raise bad("there is no text in the message to edit")
        return self._edit(shown, request, body, ("text", "entities"))

    def _edit_caption(self, request: Request) -> Json:
        shown = self._editable(request)
        if shown.file is None:
            raise bad("there is no caption in the message to edit")
        return self._edit(shown, request, self._caption(request), ("caption", "caption_entities"))

    def _edit_markup(self, request: Request) -> Json:
        return self._edit(self._editable(request), request, {}, ())

    def _edit(self, shown: Shown, request: Request, body: Json, replaced: tuple[str, ...]) -> Json:
        """Change a message; buttons that are not named again go away, as at Telegram's."""
        self._keep_pace(self._state.chats[shown.chat_id])
        kept = {k: v for k, v in shown.raw.items() if k not in (*replaced, "reply_markup")}
        raw = kept | body | _markup(request)
        if {**raw, "edit_date": 0} == {**shown.raw, "edit_date": 0}:
            raise bad(_NOT_MODIFIED)
        shown.earlier_rows.append(shown.rows)
        shown.raw = raw | {"edit_date": int(time.time())}
        shown.edits += 1
        self._state.note(What.EDITED, shown)
        return shown.raw

    def _delete(self, request: Request) -> bool:
        chat = self._writable(request)
        shown = self._state.messages.pop((chat.chat_id, request.message_id), None)
        if shown is None:
            raise bad("message to delete not found")
        if not shown.is_from_bot() and chat.chat_id < 0:
            raise bad("message can't be deleted")
        chat.message_ids.remove(shown.message_id)
        shown.is_deleted = True
        return True

    def _answer_tap(self, request: Request) -> bool:
        tap = self._state.taps.get(request.callback_query_id)
        if tap is None or tap.is_answered:
            raise bad(_TOO_OLD)
        if units(request.text or "") > 200:
            raise bad("MESSAGE_TOO_LONG")
        tap.is_answered = True
        tap.toast, tap.is_alert = request.text or "", bool(request.show_alert)
        return True

    def _act(self, request: Request) -> bool:
        chat = self._writable(request)
        self._state.actions.append((chat.chat_id, str(request.action)))
        return True

    def _frame(self, chat: Chat, request: Request) -> Json:
        """What goes around a message: its buttons, and the message it replies to."""
        frame = _markup(request)
        reply = request.reply_parameters
        target = reply.message_id if reply else request.reply_to_message_id
        if target:
            known = self._state.messages.get((chat.chat_id, target))
            if known is not None:
                frame["reply_to_message"] = _without_reply(known.raw)
            elif not (reply and reply.allow_sending_without_reply is True):
                raise bad("message to be replied not found")
        return frame

    def _text(self, text: str, parse_mode: Any, given: list[Any] | None, units_max: int) -> Json:
        plain, entities = _plain(text, parse_mode, given)
        if not plain:
            raise bad("message text is empty")
        if units(plain) > units_max:
            raise bad("message is too long")
        return {"text": plain} | ({"entities": entities} if entities else {})

    def _caption(self, request: Request) -> Json:
        if not request.caption:
            return {}
        plain, entities = _plain(request.caption, request.parse_mode, request.caption_entities)
        if units(plain) > CAPTION_UNITS_MAX:
            raise bad("message caption is too long")
        return {"caption": plain} | ({"caption_entities": entities} if entities else {})

    def _file(self, given: Any, sort: str) -> File:
        if not isinstance(given, BufferedInputFile):
            known = self._state.files.get(str(given))
            if known is None:
                raise bad("wrong file identifier/HTTP URL specified")
            return known
        content = given.data
        if len(content) > (OWN_SERVER_BYTES_MAX if self._own_server else UPLOAD_BYTES_MAX):
            raise Refused(413, "Request Entity Too Large")
        if not content:
            raise bad("file must be non-empty")
        media_type = "application/octet-stream"
        if sort == "photo":
            if len(content) > PHOTO_BYTES_MAX:
                raise bad(
                    f"file of size {len(content)} bytes is too big for a photo; "
                    f"the maximum size is {PHOTO_BYTES_MAX} bytes"
                )
            media_type = "image/png"
            width, height = _picture_size(content)
            if width + height > 10_000 or max(width, height) > 20 * min(width, height):
                raise bad("PHOTO_INVALID_DIMENSIONS")
        return File(f"F{uuid.uuid4().hex}", given.filename or "file", content, media_type)

    # Who may be written to.

    def _writable(self, request: Request) -> Chat:
        """The chat of a request, which takes a message from the bot."""
        if not re.fullmatch(r"-?\d+", str(request.chat_id)):
            raise bad("chat not found")
        chat = self._state.chats.get(int(request.chat_id))
        if chat is None:
            if int(request.chat_id) in self._state.users:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
            raise bad("chat not found")
        if chat.chat_id > 0:
            if chat.is_blocked:
                raise Refused(403, "Forbidden: bot was blocked by the user")
            if not chat.is_started:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
        elif not chat.is_started:
            raise Refused(403, "Forbidden: bot was kicked from the group chat")
        return chat

    def _editable(self, request: Request) -> Shown:
        chat = self._writable(request)
        shown = self._state.messages.get((chat.chat_id, int(request.message_id or 0)))
        if shown is None:
            raise bad("message to edit not found")
        if not shown.is_from_bot():
            raise bad("message can't be edited")
        return shown

    def _keep_pace(self, chat: Chat) -> None:
        wait = self._pace(chat.chat_id)
        if wait:
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    # The bot itself.

    def _get_me(self, request: Request) -> Json:
        del request
        return {
            **BOT,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def _get_chat(self, request: Request) -> Json:
        chat = self._writable(request)
        return {
            **chat.raw,
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": True,
                "limited_gifts": True,
                "unique_gifts": True,
                "premium_subscription": True,
                "gifts_from_channels": True,
            },
        }

    def _get_file(self, request: Request) -> Json:
        file = self._state.files.get(request.file_id)
        if file is None:
            raise bad("invalid file_id")
        if len(file.content) > DOWNLOAD_BYTES_MAX and not self._own_server:
            raise bad("file is too big")
        return {
            "file_id": file.file_id,
            "file_unique_id": file.file_id[:12],
            "file_size": len(file.content),
            "file_path": f"files/{file.file_id}",
        }

    def _set_commands(self, request: Request) -> bool:
        if len(request.commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        commands = []
        for command in request.commands:
            if not _COMMAND.fullmatch(command.command.removeprefix("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= units(command.description) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
            commands.append(
                {
                    "command": command.command.removeprefix("/"),
                    "description": command.description,
                }
            )
        self._state.commands[_scope(request)] = commands
        return True

    def _get_commands(self, request: Request) -> list[Json]:
        return self._state.commands.get(_scope(request), [])

    def _delete_commands(self, request: Request) -> bool:
        self._state.commands.pop(_scope(request), None)
        return True

    def _set(self, name: str, value: str | None, units_max: int) -> bool:
        if units(value or "") > units_max:
            raise bad(f"{name} is too long")
        self._state.profile[name] = value or ""
        return True

    def _leave(self, request: Request) -> bool:
        self._writable(request).is_started = False
        return True

    # Webhook.

    def _set_webhook(self, request: Request) -> bool:
        if not request.url:
            return self._delete_webhook(request)
        parts = urlsplit(request.url)
        if parts.scheme != "https" and not self._own_server:
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if not self._own_server and (parts.port or 443) not in (80, 88, 443, 8443):
            raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
        secret = request.secret_token or ""
        if secret and not _SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        if request.allowed_updates is not None:
            self._state.allowed_updates = frozenset(request.allowed_updates)
        if request.drop_pending_updates:
            self._state.updates.clear()
        self._state.webhook = {"url": request.url, "secret": secret, "error": ""}
        return True

    def _delete_webhook(self, request: Request) -> bool:
        if request.drop_pending_updates:
            self._state.updates.clear()
        self._state.webhook = None
        return True

    def _webhook_info(self, request: Request) -> Json:
        del request
        webhook = self._state.webhook or {"url": "", "error": ""}
        info = {
            "url": webhook["url"],
            "has_custom_certificate": False,
            "pending_update_count": len(self._state.updates),
        }
        if webhook["error"]:
            info |= {"last_error_date": int(time.time()), "last_error_message": webhook["error"]}
        return info


def _plain(text: str, parse_mode: Any, given: list[Any] | None) -> tuple[str, list[Entity]]:
    mode = parse_mode if isinstance(parse_mode, str) else ""
    try:
        plain, entities = parsed(text, mode)
    except CannotParse as problem:
        raise bad(f"can't parse entities: {problem}") from None
    if given and not mode:
        entities = [e.model_dump(exclude_none=True) for e in given]
    return plain, entities


def _markup(request: Request) -> Json:
    """The buttons of a request, as they will be shown."""
    markup = request.reply_markup
    if markup is None:
        return {}
    if not hasattr(markup, "inline_keyboard"):
        return {}
    rows = [[_button(button) for button in row] for row in markup.inline_keyboard]
    rows = [row for row in rows if row]
    if sum(map(len, rows)) > BUTTONS_MAX:
        raise bad("reply markup is too long")
    return {"reply_markup": {"inline_keyboard": rows}} if rows else {}


def _button(button: Any) -> Json:
    raw: Json = button.model_dump(exclude_none=True)
    actions = raw.keys() - {"text", "style", "icon_custom_emoji_id"}
    if not raw["text"].strip():
        raise bad("inline keyboard button text can't be empty")
    if len(actions) != 1:
        raise bad(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "callback_data" in raw and not 1 <= len(raw["callback_data"].encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if "url" in raw:
        _check_url(raw["url"])
    if "copy_text" in raw and not 1 <= units(raw["copy_text"]["text"]) <= 256:
        raise bad("BUTTON_COPY_TEXT_INVALID")
    return raw


def _check_url(url: str) -> None:
    """What Telegram opens from a button: web pages and its own links, nothing else."""
    parts = urlsplit(url)
    problem = ""
    if parts.scheme not in ("http", "https", "tg", "ton"):
        problem = "Unsupported URL protocol"
    elif parts.scheme in ("http", "https") and "." not in (parts.hostname or ""):
        problem = "Wrong HTTP URL"
    if problem:
        raise bad(f"inline keyboard button URL '{url}' is invalid: {problem}")


def _without_reply(raw: Json) -> Json:
    return {key: value for key, value in raw.items() if key != "reply_to_message"}


def _scope(request: Request) -> str:
    scope = request.scope.model_dump(exclude_none=True) if request.scope else {"type": "default"}
    return json.dumps([scope, request.language_code or ""], sort_keys=True)


def _document(file: File) -> Json:
    return {
        "file_id": file.file_id,
        "file_unique_id": file.file_id[:12],
        "file_name": file.name,
        "mime_type": file.media_type,
        "file_size": len(file.content),
    }


def _photo_sizes(file: File) -> list[Json]:
    width, height = _picture_size(file.content)
    return [
        {
            "file_id": file.file_id,
            "file_unique_id": file.file_id[:12],
            "width": width,
            "height": height,
            "file_size": len(file.content),
        }
    ]


def _picture_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, in pixels; the fake takes no other picture."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR":
        raise bad("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", content[16:24])
    return int(width), int(height)
