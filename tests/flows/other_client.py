"""A worker written from docs/protocol.md alone: nothing of ours is imported here, on purpose."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"
Json = dict[str, Any]


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(event: Json) -> bytes:
    """Spell an event as it is signed."""
    told = {"sealed_with": "", **event, "signature": ""}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lists_of_words() -> tuple[list[str], list[str]]:
    """Read both lists off the page."""
    lists = re.compile(r"(?:Adjectives|Nouns):\n\n```\n(.*?)```", re.DOTALL)
    adjectives, nouns = lists.findall(PAGE.read_text())
    return adjectives.split(), nouns.split()


class OtherWorker:
    """A key, and then a worker."""

    def __init__(self, hub: str) -> None:
        self.hub = hub
        self.key = Ed25519PrivateKey.generate()
        self.pairing: Json = {}
        self.joined: Json = {}
        self.seq = 0
        self.hlc = 0

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def salt(self) -> bytes:
        return base64.urlsafe_b64decode(self.pairing["salt"] + "==")

    @property
    def words(self) -> str:
        told = b"deskhand check words 1" + b"\x00" + self.public_key + self.salt
        digest = hashlib.sha256(told).digest()
        adjectives, nouns = lists_of_words()
        return f"{adjectives[digest[0]]} {nouns[digest[1]]}"

    async def ask(self, code: str = "") -> Json:
        """Ask to be let in; with a code, or for one to show."""
        body: Json = {
            "public_key": b64(self.public_key),
            "name": "other",
            "platform": "Something else 1",
            "capabilities": [{"kind": "data.describe"}],
        }
        if code:
            body["code"] = code
        async with httpx.AsyncClient(base_url=self.hub) as http:
            answer = await http.post("/api/v1/pairings", json=body)
        if answer.status_code == 202:
            self.pairing = answer.json()
        return dict(answer.json())

    async def fetch_token(self) -> Json:
        """Ask for the token until somebody has decided; return the last answer."""
        told = b"deskhand pairing token 1" + b"\x00" + self.salt
        signature = self.key.sign(told + self.pairing["pairing_id"].encode())
        path = f"/api/v1/pairings/{self.pairing['pairing_id']}/token"
        async with httpx.AsyncClient(base_url=self.hub, timeout=30) as http:
            while True:
                answer = await http.post(path, json={"signature": b64(signature)})
                if answer.status_code != 409 or answer.json()["code"] != "pairing_waiting":
                    break
        if answer.status_code == 200:
            self.joined = answer.json()
        return dict(answer.json())

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator[ClientConnection]:
        """Open the worker socket, say hello, be welcomed."""
        url = "ws" + self.hub.removeprefix("http") + "/api/v1/worker"
        token = {"Authorization": f"Bearer {self.joined['token']}"}
        async with connect(url, additional_headers=token, proxy=None) as socket:
            await self._say(
                socket,
                type="hello",
                protocol_min=1,
                protocol_max=1,
                device=self.joined["worker_id"],
                epoch=0,
                name="other",
                capabilities=[{"kind": "data.describe"}],
                slots=1,
                outbox_seq=self.seq,
                hub_epoch="",
                hub_seq=0,
                held=[],
            )
            await self._until(socket, "welcome")
            yield socket

    async def serve_one(self, socket: ClientConnection, headline: str) -> Json:
        """Take the next job through its whole life; return what was offered."""
        offer = await self._until(socket, "offer")
        job_id, attempt = offer["job"]["job_id"], offer["attempt"]
        await self._say(socket, type="accept", job_id=job_id, attempt=attempt)
        grant = await self._until(socket, "grant")
        about: Json = {"job_id": job_id, "attempt": attempt, "fence": grant["fence"]}
        await self._push(socket, "job_started", about)
        result = {"headline": headline, "notes": [], "files": [], "rows": 3, "columns": []}
        await self._push(
            socket, "job_succeeded", {**about, "result": result, "running_seconds": 0.5}
        )
        while (await self._until(socket, "ack"))["seq"] < self.seq:
            pass
        return dict(offer["job"])

    async def goodbye(self, socket: ClientConnection) -> Json:
        """Wait until the hub ends the line; return its reason."""
        return dict((await self._until(socket, "bye"))["error"])

    async def _push(self, socket: ClientConnection, type_: str, body: Json) -> None:
        self.seq += 1
        event = {
            "device": self.joined["worker_id"],
            "epoch": 0,
            "seq": self.seq,
            "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "type": type_,
            "version": 1,
            "entity": body["job_id"],
            "body": {"type": type_, **body},
            "hlc": self._stamp(),
        }
        event["signature"] = b64(self.key.sign(b"deskhand event v1\x00" + canonical(event)))
        await self._say(socket, type="push", events=[event])

    def _stamp(self) -> int:
        self.hlc = max(self.hlc + 1, int(time.time() * 1000) * 32)
        return self.hlc

    async def _until(self, socket: ClientConnection, wanted: str) -> Json:
        while True:
            told: Json = json.loads(await socket.recv())
            # A line that the hub has ended may still hold its reason: nothing more can be said,
            # and all that came is read.
            with contextlib.suppress(ConnectionClosed):
                if told["type"] == "events":
                    await self._say(socket, type="seen", hub_seq=told["upto"])
                elif told["type"] == "beat":
                    await self._say(socket, type="beat")
            if told["type"] == wanted:
                return told

    async def _say(self, socket: ClientConnection, **message: Any) -> None:
        await socket.send(json.dumps(message))
