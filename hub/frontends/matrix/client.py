"""The way to the homeserver: one connection pool, every wait bounded, every error ours.

The library keeps rooms and keys; here its answers become plain values, and it retries nothing by
itself: what to do about a refusal is decided where it is known what it was about.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import nio

from hub.frontends.matrix.events import Batch, Event, Room, edit_of, object_of
from hub.frontends.matrix.options import Options
from hub.frontends.matrix.private_files import private_file, private_folder
from hub.frontends.matrix.reading import batch_of, event_of
from hub.frontends.matrix.refusals import refusal, slow, unreachable
from hub.frontends.matrix.session import Session
from shared.errors import AppError, Unavailable
from shared.kinds import JsonObject

logger = logging.getLogger(__name__)

SHUT = logging.CRITICAL + 1
"""The library's log tells of every event and every refusal, with names of rooms and people."""
CALL_SECONDS = 20.0
SYNC_SPARE_SECONDS = 20.0
"""How much longer than asked an answer to a question for news may take."""
FIRST_SYNC_SECONDS = 120.0
"""All rooms are told anew at the start."""
UPLOAD_SECONDS = 240.0
TIMELINE_MAX = 50
"""Events of a room in one answer; more are fetched page by page."""
PAGE_EVENTS = 100
BACKLOG_PAGES_MAX = 10
UPLOAD_BYTES_MAX = 50 * 1000 * 1000
CHUNK_BYTES = 64 * 1024
FILTER: dict[str, Any] = {
    "presence": {"not_types": ["*"]},
    "account_data": {"not_types": ["*"]},
    "room": {
        "timeline": {"limit": TIMELINE_MAX},
        "ephemeral": {"not_types": ["*"]},
        "account_data": {"not_types": ["*"]},
    },
}
"""What nobody here looks at is not sent (spec.matrix.org, client-server API, 6)."""
STORE_NAME = "keys.db"


class Client:
    """A bot's calls."""

    def __init__(self, options: Options, folder: Path) -> None:
        for name in ("nio", "peewee"):
            logging.getLogger(name).setLevel(SHUT)
        self._options = options
        self._folder = folder
        self._nio: Any = None
        self._is_first = True
        self.upload_bytes_max = UPLOAD_BYTES_MAX

    @property
    def user_id(self) -> str:
        return str(self._nio.user_id) if self._nio is not None else ""

    @property
    def is_ready(self) -> bool:
        """Whether the rooms are known: before, nothing may be sent into one."""
        return self._nio is not None and not self._is_first

    # Coming and going.

    async def log_in(self, device_id: str, pickle_key: str) -> Session:
        """Log in by password as a device (a new one when empty), or by the token of the settings.

        Raises:
            AppError: as `refusal`.
        """
        options = self._options
        client = nio.AsyncClient(options.homeserver, options.user, device_id, config=_config(""))
        try:
            if options.token:
                client.access_token = options.token
                told = await self._call(client.whoami)
                device_id = str(told.device_id or "")
            else:
                name = options.device_name
                told = await self._call(lambda: client.login(options.password, device_name=name))
                device_id = told.device_id
            return Session(
                homeserver=options.homeserver,
                user_id=told.user_id,
                device_id=device_id,
                token=options.token or client.access_token,
                pickle_key=pickle_key,
                is_given=bool(options.token),
            )
        finally:
            await client.close()

    async def open(self, session: Session) -> None:
        """Take up a session, with the keys of its device."""
        await self.close()
        folder = private_folder(self._folder / _safe(session.device_id))
        private_file(folder / STORE_NAME)
        client = nio.AsyncClient(
            session.homeserver,
            session.user_id,
            session.device_id,
            store_path=str(folder),
            config=_config(session.pickle_key),
        )
        client.restore_login(session.user_id, session.device_id, session.token)
        self._nio, self._is_first = client, True

    async def close(self) -> None:
        """Close all connections and the store. Idempotent."""
        client, self._nio = self._nio, None
        if client is None:
            return
        await client.close()
        if client.store is not None:
            client.store.database.close()

    async def learn_limits(self) -> None:
        """Ask how large a file may be."""
        told = await self._call(self._nio.content_repository_config)
        size = told.upload_size
        if isinstance(size, int) and size > 0:
            self.upload_bytes_max = min(size, UPLOAD_BYTES_MAX)

    # News.

    async def sync(self, place: str, wait_seconds: float) -> Batch:
        """Ask for news since a place; the first time, for the state of all rooms too.

        Args:
            place: where the last answer ended; empty for a new account.
            wait_seconds: how long the homeserver may hold the question open.

        Raises:
            AppError: as `refusal`.
        """
        client, is_first = self._nio, self._is_first
        # It passes over an answer that it knows; what is asked for again is to be read again.
        client.next_batch = ""
        wait_ms = 0 if is_first else round(wait_seconds * 1000)
        bound = FIRST_SYNC_SECONDS if is_first else wait_seconds + SYNC_SPARE_SECONDS
        answer = await self._call(
            lambda: client.sync(
                wait_ms, FILTER, since=place or None, full_state=(is_first and bool(place)) or None
            ),
            bound,
        )
        self._is_first = False
        for room_id in answer.rooms.leave:
            client.rooms.pop(room_id, None)
        await self._tidy_keys()
        gaps = (
            []
            if not place
            else [
                (room_id, info.timeline.prev_batch)
                for room_id, info in answer.rooms.join.items()
                if info.timeline.limited and info.timeline.prev_batch
            ]
        )
        missed = {}
        for room_id, upto in gaps:
            # Who came and went in between was not told: ask before the next message is encrypted.
            client.rooms[room_id].members_synced = False
            if not _is_new(answer.rooms.join[room_id], self.user_id):
                missed[room_id] = await self._missed(room_id, upto, place)
        return batch_of(answer, self.user_id, missed)

    async def _missed(self, room_id: str, upto: str, since: str) -> list[Event]:
        """What was said while nobody listened and does not fit into one answer; oldest first."""
        found: list[Event] = []
        start = upto
        for _ in range(BACKLOG_PAGES_MAX):
            page = await self._call(partial(self._page, room_id, start, since))
            found += [event_of(event, room_id) for event in page.chunk]
            if not page.chunk or not page.end or page.end == start:
                return found[::-1]
            start = page.end
        logger.warning("A room was too busy to be read whole: %s", room_id)
        return found[::-1]

    async def _page(self, room_id: str, start: str, since: str) -> Any:
        return await self._nio.room_messages(room_id, start, since, limit=PAGE_EVENTS)

    async def _tidy_keys(self) -> None:
        """Do what keeps encryption going; what fails is done after the next news."""
        client = self._nio
        try:
            if client.should_upload_keys:
                await self._call(client.keys_upload)
            if client.should_query_keys:
                await self._call(client.keys_query)
            if client.should_claim_keys:
                await self._call(lambda: client.keys_claim(client.get_users_for_key_claiming()))
            async with asyncio.timeout(CALL_SECONDS):
                await client.send_to_device_messages()
        except (AppError, TimeoutError, aiohttp.ClientError) as error:
            logger.info("Keys are exchanged later: %s", getattr(error, "code", "network"))

    def unsealed(self, room_id: str, source: JsonObject) -> Event | None:
        """Read an event whose key may have come; None when it has not."""
        sealed = nio.Event.parse_event(source)
        if not isinstance(sealed, nio.MegolmEvent):
            return None
        sealed.room_id = room_id
        try:
            opened = self._nio.decrypt_event(sealed)
        except nio.EncryptionError:
            return None
        return event_of(opened, room_id)

    async def ask_for_key(self, room_id: str, source: JsonObject) -> None:
        """Ask the bot's other devices, and the sender's, for the key of an event."""
        sealed = nio.Event.parse_event(source)
        if not isinstance(sealed, nio.MegolmEvent):
            return
        client = self._nio
        sealed.room_id = room_id
        if sealed.session_id not in client.outgoing_key_requests:
            await self._call(lambda: client.request_room_key(sealed))
        theirs = sealed.as_key_request(sealed.sender, client.device_id)
        await self._call(lambda: client.to_device(theirs))

    # Rooms.

    def room(self, room_id: str) -> Room | None:
        """A room that the bot is in, as far as it was told."""
        room = self._nio.rooms.get(room_id) if self._nio is not None else None
        if room is None:
            return None
        # All members are told, so none has to be guessed from a count: whose eyes are there
        # decides what may be shown.
        others = len(room.users.keys() - {self.user_id})
        is_open = room.join_rule == "public" or room.history_visibility == "world_readable"
        return Room(
            room_id=room_id,
            is_group=others > 1 or is_open,
            is_encrypted=room.encrypted,
            others=others,
            bot_name=room.user_name(self.user_id) or "",
            names={user_id: user.display_name for user_id, user in room.users.items()},
        )

    @property
    def rooms(self) -> tuple[str, ...]:
        return tuple(self._nio.rooms)

    async def join(self, room_id: str) -> None:
        await self._call(lambda: self._nio.join(room_id))

    async def leave(self, room_id: str) -> None:
        """Leave a room, or decline an invitation into it, and want to hear no more of it."""
        await self._call(lambda: self._nio.room_leave(room_id))
        await self._call(lambda: self._nio.room_forget(room_id))

    async def event(self, room_id: str, event_id: str) -> tuple[Event, JsonObject]:
        """Look an event up, read if it can be; and what it says since it was edited last."""
        told = await self._call(lambda: self._nio.room_get_event(room_id, event_id))
        event = event_of(told.event, room_id)
        edit = edit_of(event)
        if edit.get("type") == "m.room.encrypted":
            opened = self.unsealed(room_id, edit)
            edit = opened.source if opened is not None else {}
        newest = object_of(object_of(edit.get("content")).get("m.new_content"))
        if event.is_sealed:
            event = self.unsealed(room_id, event.source) or event
        return event, newest

    # Saying.

    async def send(self, room_id: str, sort: str, content: JsonObject, key: str) -> str:
        """Send an event; its id. The same key is one event, however often it is sent."""
        told = await self._call(
            lambda: self._nio.room_send(
                room_id, sort, content, tx_id=key, ignore_unverified_devices=True
            )
        )
        return str(told.event_id)

    async def redact(self, room_id: str, event_id: str, key: str) -> None:
        await self._call(lambda: self._nio.room_redact(room_id, event_id, tx_id=key))

    async def upload(
        self,
        content: Callable[[], AsyncIterator[bytes]],
        size_bytes: int,
        media_type: str,
        *,
        is_encrypted: bool,
    ) -> tuple[str, JsonObject | None]:
        """Upload a file, piece by piece; its address, and what opens it where it is encrypted."""
        told: list[Any] = []

        async def go() -> Any:
            answer, keys = await self._nio.upload(
                lambda *_: content(), media_type, encrypt=is_encrypted, filesize=size_bytes
            )
            told.append(keys)
            return answer

        answer = await self._call(go, UPLOAD_SECONDS)
        return str(answer.content_uri), told[0]

    async def typing(self, room_id: str, *, is_typing: bool) -> None:
        await self._call(lambda: self._nio.room_typing(room_id, is_typing, timeout=10_000))

    async def mark_read(self, room_id: str, event_id: str) -> None:
        await self._call(lambda: self._nio.room_read_markers(room_id, event_id, event_id))

    # Inside.

    async def _call(self, call: Callable[[], Awaitable[Any]], seconds: float = CALL_SECONDS) -> Any:
        """Do one call; the library's answer, if it is none of its errors.

        Raises:
            AppError: ours.
        """
        try:
            async with asyncio.timeout(seconds):
                answer = await call()
        except TimeoutError:
            raise slow() from None
        except (aiohttp.ClientError, ConnectionError, OSError):
            raise unreachable() from None
        except nio.LocalProtocolError as error:
            raise _not_now(error) from None
        except (nio.EncryptionError, nio.SendRetryError) as error:
            raise Unavailable(
                "matrix_not_encrypted",
                f"It could not be encrypted: {type(error).__name__}.",
                "It is tried again by itself.",
                retryable=True,
            ) from None
        if isinstance(answer, nio.ErrorResponse):
            raise refusal(answer.status_code or "", answer.message or "", answer.retry_after_ms)
        return answer


def _config(pickle_key: str) -> Any:
    return nio.AsyncClientConfig(
        # It retries nothing by itself.
        max_limit_exceeded=0,
        max_timeouts=0,
        request_timeout=CALL_SECONDS,
        encryption_enabled=bool(pickle_key),
        pickle_key=pickle_key,
        store_name=STORE_NAME,
        # How far was read is noted once it was dealt with, and not before.
        store_sync_tokens=False,
    )


def _not_now(error: Exception) -> Unavailable:
    """The library does not know a room, or is not logged in: news may change that."""
    del error
    return Unavailable(
        "matrix_not_ready",
        "The bot does not know that room yet.",
        "It is tried again by itself.",
        retryable=True,
    )


def _is_new(info: Any, user_id: str) -> bool:
    """Whether the bot has come into a room just now: what was said before is not for it."""
    return any(
        isinstance(event, nio.RoomMemberEvent)
        and event.state_key == user_id
        and event.membership == "join"
        and event.prev_membership != "join"
        for event in info.timeline.events
    )


def _safe(name: str) -> str:
    """A device's id as the name of a folder."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)[:80] or "_"
