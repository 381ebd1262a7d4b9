"""People in Matrix: each with a program of their own (matrix-nio), which sees what a person sees.

Imported only by tests that talk to a homeserver.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import nio

from tests.matrix_servers.synapse import PASSWORD, Synapse

Json = dict[str, Any]
WAIT_SECONDS = 20.0
PAUSE_SECONDS = 0.01


@dataclass(slots=True)
class Shown:
    """A message as it looks now."""

    event_id: str
    room_id: str
    sender: str
    content: dict[str, Any]
    was_encrypted: bool
    source: dict[str, Any]
    earlier: list[dict[str, Any]] = field(default_factory=list)
    """What it looked like before its edits."""
    signs: dict[str, str] = field(default_factory=dict)
    """Reactions that are on it: by their event, the sign and who put it, "sign user"."""
    is_removed: bool = False

    @property
    def body(self) -> str:
        return str(self.content.get("body", ""))

    @property
    def html(self) -> str:
        return str(self.content.get("formatted_body", ""))

    @property
    def sort(self) -> str:
        return str(self.content.get("msgtype", ""))

    @property
    def edits(self) -> int:
        return len(self.earlier)

    @property
    def thread(self) -> str:
        relation = self.source.get("content", {}).get("m.relates_to", {})
        return str(relation["event_id"]) if relation.get("rel_type") == "m.thread" else ""

    def signs_of(self, user_id: str) -> list[str]:
        told = [sign.split(" ") for sign in self.signs.values()]
        return [sign for sign, who in told if who == user_id]


class Person:
    """Somebody with a program for Matrix."""

    def __init__(self, server: Synapse, user_id: str, folder: Path) -> None:
        self.server = server
        self.user_id = user_id
        folder.mkdir(parents=True, exist_ok=True)
        config = nio.AsyncClientConfig(encryption_enabled=True, request_timeout=20, max_timeouts=0)
        self.client: Any = nio.AsyncClient(
            server.url, user_id, store_path=str(folder), config=config
        )
        self.messages: dict[str, Shown] = {}
        self.seen: set[str] = set()
        """Ids of all events."""
        self._keys: dict[str, list[Json]] = {}
        self.keeps_keys = False
        """Sends no keys along, as happens when a program does not know of a new session yet."""

    @contextlib.asynccontextmanager
    async def online(self, device_name: str = "phone") -> AsyncIterator[Person]:
        """Be there inside the block."""
        told = await self.client.login(PASSWORD, device_name=device_name)
        assert isinstance(told, nio.LoginResponse), told
        await self.client.sync(0)
        await self._tidy_keys()
        try:
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._listen())
                try:
                    yield self
                finally:
                    listening.cancel()
        finally:
            await self.client.close()
            self.client.store.database.close()

    async def open_room(
        self, *others: str, is_encrypted: bool = False, is_direct: bool = True, **more: Any
    ) -> str:
        """Make a room and invite people; its id."""
        state = [_ENCRYPTION] if is_encrypted else []
        made = await self.client.room_create(
            visibility=nio.RoomVisibility.private,
            is_direct=is_direct,
            invite=list(others),
            initial_state=state,
            **{"preset": nio.RoomPreset.trusted_private_chat, **more},
        )
        assert isinstance(made, nio.RoomCreateResponse), made
        return str(made.room_id)

    async def say(self, room_id: str, text: str, **more: Any) -> str:
        return await self.send(room_id, {"msgtype": "m.text", "body": text, **more})

    async def send(
        self, room_id: str, content: dict[str, Any], sort: str = "m.room.message"
    ) -> str:
        if self.keeps_keys and sort == "m.room.message":
            await self._make_keys(room_id)
        sent = await self.client.room_send(room_id, sort, content, ignore_unverified_devices=True)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def hand_over_keys(self, room_id: str) -> None:
        """Send the key of what was said last, after all."""
        self.keeps_keys = False
        for keys in self._keys.pop(room_id):
            message = nio.ToDeviceMessage("m.room.encrypted", "", "", {})
            message.as_dict = lambda keys=keys: keys
            await self.client.to_device(message)

    async def _make_keys(self, room_id: str) -> None:
        """Make a key for a room, and keep what would bring it to the others."""
        client = self.client
        await client.joined_members(room_id)
        if client.should_query_keys:
            await client.keys_query()
        if missing := client.get_missing_sessions(room_id):
            await client.keys_claim(missing)
        client.olm.create_outbound_group_session(room_id)
        members = list(client.rooms[room_id].users)
        self._keys[room_id] = [
            keys
            for _, keys in client.olm.share_group_session_parallel(
                room_id, members, ignore_unverified_devices=True
            )
        ]
        client.olm.outbound_group_sessions[room_id].shared = True

    async def reply(self, shown: Shown, text: str) -> str:
        relation = {"m.in_reply_to": {"event_id": shown.event_id}}
        return await self.say(shown.room_id, text, **{"m.relates_to": relation})

    async def react(self, shown: Shown, sign: str) -> str:
        relation = {"rel_type": "m.annotation", "event_id": shown.event_id, "key": sign}
        return await self.send(shown.room_id, {"m.relates_to": relation}, "m.reaction")

    async def send_file(self, room_id: str, name: str, content: bytes) -> str:
        is_encrypted = bool(self.client.rooms[room_id].encrypted)
        told, keys = await self.client.upload(
            io.BytesIO(content), "text/plain", name, encrypt=is_encrypted, filesize=len(content)
        )
        where = {"url": told.content_uri}
        if keys:
            where = {"file": {**keys, "url": told.content_uri}}
        return await self.send(room_id, {"msgtype": "m.file", "body": name, **where})

    async def fetched(self, shown: Shown) -> bytes:
        """The content of a file that was sent, opened if it was encrypted."""
        file = shown.content.get("file")
        told = await self.client.download(file["url"] if file else shown.content["url"])
        assert isinstance(told, nio.MemoryDownloadResponse), told
        if not file:
            return bytes(told.body)
        return bytes(
            nio.crypto.decrypt_attachment(
                told.body, file["key"]["k"], file["hashes"]["sha256"], file["iv"]
            )
        )

    def of(self, sender: str, room_id: str = "") -> list[Shown]:
        """What somebody wrote, as it looks now, in the order it came."""
        return [
            shown
            for shown in self.messages.values()
            if shown.sender == sender and room_id in ("", shown.room_id)
        ]

    async def reads(self, is_it: Callable[[Shown], bool]) -> Shown:
        """Wait for a message that looks like this now."""
        await self.until(lambda: any(is_it(shown) for shown in self.messages.values()))
        return next(shown for shown in reversed(self.messages.values()) if is_it(shown))

    def is_read(self, room_id: str, reader: str, event_id: str) -> bool:
        """Whether somebody's program says that they have read an event."""
        receipt = self.client.rooms[room_id].read_receipts.get(reader)
        return receipt is not None and receipt.event_id == event_id

    def sees_member(self, room_id: str, user_id: str) -> bool:
        """Whether somebody has come into a room."""
        room = self.client.rooms.get(room_id)
        return room is not None and user_id in room.users and not room.users[user_id].invited

    async def catch_up(self, room_id: str) -> None:
        """Wait until all is here that is in a room now."""
        told = await self.client.room_messages(room_id, limit=1)
        newest = told.chunk[0].event_id
        await self.until(lambda: newest in self.seen)

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_so():  # noqa: ASYNC110 - many sorts of conditions, none of which rings
                await asyncio.sleep(PAUSE_SECONDS)

    # Inside.

    async def _listen(self) -> None:
        while True:
            try:
                answer = await self.client.sync(5000)
            except (nio.LocalProtocolError, aiohttp.ClientError, OSError, TimeoutError):
                await asyncio.sleep(0.1)
                continue
            if not isinstance(answer, nio.SyncResponse):
                await asyncio.sleep(0.1)
                continue
            for room_id, info in answer.rooms.join.items():
                for event in info.timeline.events:
                    self._note(room_id, event)
            await self._tidy_keys()

    async def _tidy_keys(self) -> None:
        with contextlib.suppress(OSError, aiohttp.ClientError, TimeoutError):
            if self.client.should_upload_keys:
                await self.client.keys_upload()
            if self.client.should_query_keys:
                await self.client.keys_query()
            if self.client.should_claim_keys:
                await self.client.keys_claim(self.client.get_users_for_key_claiming())
            await self.client.send_to_device_messages()

    def _note(self, room_id: str, event: Any) -> None:
        source = event.source
        self.seen.add(source.get("event_id", ""))
        content = source.get("content", {})
        relation = content.get("m.relates_to", {})
        match source.get("type"):
            case "m.room.message" if relation.get("rel_type") == "m.replace":
                shown = self.messages.get(relation["event_id"])
                if shown is not None and shown.sender == source["sender"]:
                    shown.earlier.append(shown.content)
                    shown.content = content["m.new_content"]
            case "m.room.message":
                self.messages[source["event_id"]] = Shown(
                    source["event_id"],
                    room_id,
                    source["sender"],
                    content,
                    bool(event.decrypted),
                    source,
                )
            case "m.reaction":
                shown = self.messages.get(relation.get("event_id", ""))
                if shown is not None:
                    shown.signs[source["event_id"]] = f"{relation['key']} {source['sender']}"
            case "m.room.redaction":
                gone = source.get("redacts") or content.get("redacts")
                if gone in self.messages:
                    self.messages[gone].is_removed = True
                for shown in self.messages.values():
                    shown.signs.pop(gone, None)
            case _:
                pass


_ENCRYPTION = {
    "type": "m.room.encryption",
    "state_key": "",
    "content": {"algorithm": "m.megolm.v1.aes-sha2"},
}


def transcript(person: Person, room_id: str) -> str:
    """A room as its person reads it, for looking at."""
    lines = []
    for shown in person.messages.values():
        if shown.room_id != room_id:
            continue
        name = "I" if shown.sender == person.user_id else shown.sender
        kind = f"{shown.sort}{' thread' if shown.thread else ''}{' edited' if shown.edits else ''}"
        lines += [f"── {name} ({kind})", shown.body]
        if shown.html:
            lines.append(f"   html: {shown.html}")
        if signs := list(shown.signs.values()):
            lines.append("   signs: " + json.dumps(signs, ensure_ascii=False))
    return "\n".join(lines)
