"""The hub's real socket engine, services and store under a hostile worker, without a network.

The worker is Mallory's. Anna has a worker and jobs on the same hub; nothing of hers may change.
After each round an honest worker takes the hostile one's place, and its log must go on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
import tempfile
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from hub.core.access import Person
from hub.core.job import Job
from hub.ring import ring_of
from hub.services import Services
from hub.services.requests import Request
from hub.store.database import open_store
from hub.store.ledger import Ledger
from shared.events import Event, JobLogged, write_event
from shared.ids import JobId
from shared.messages import Events, Hello, Welcome
from shared.protocol import Phase, WorkerEnd
from tests.fuzz import samples
from tests.fuzz.mutation import mutate
from tests.fuzz.saying import Voice
from tests.fuzz.targets import PATIENCE_SECONDS, Round, Trouble, in_memory
from tests.makers import ABLE, KINDS, NOON, hand_environment
from tests.pairing import Computer

ALARMS = ("connection_failed", "push_failed", "grant_failed", "dispatch_failed")
"""What the hub's log says when something happened that nobody meant to."""


class Socket:
    """A worker's socket as an ASGI server would give it."""

    def __init__(self, token: str) -> None:
        self.scope = {
            "type": "websocket",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        self.heard: list[str] = []
        self.is_closed = False
        self._inbox: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._idle = asyncio.Event()
        self._inbox.put_nowait({"type": "websocket.connect"})

    async def receive(self) -> MutableMapping[str, Any]:
        if self._inbox.empty():
            self._idle.set()
        return await self._inbox.get()

    async def send(self, event: MutableMapping[str, Any]) -> None:
        if event["type"] == "websocket.send":
            self.heard.append(event["text"])
        elif event["type"] == "websocket.close":
            self.is_closed = True
            self._idle.set()

    def say(self, frame: str | bytes) -> None:
        self._idle.clear()
        text, raw = (frame, None) if isinstance(frame, str) else (None, frame)
        self._inbox.put_nowait({"type": "websocket.receive", "text": text, "bytes": raw})

    def leave(self) -> None:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def settled(self) -> None:
        """Wait until all that was said has been read."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            raise Trouble("stuck", "the hub reads no more") from None


class Besieged:
    """A hub, Anna on it, and Mallory's worker before it."""

    def __init__(self, folder: Path, played: Round) -> None:
        self.played = played
        self.environment, self.clock = hand_environment(played.seed)
        self.database = open_store(folder)
        self.ledger = Ledger(self.database, self.environment)
        self.services: Services
        self.services, self.engine = ring_of(self.ledger, KINDS, b"pepper", folder / "files")
        self.socket: Socket | None = None
        self.serving: asyncio.Task[None] | None = None
        self.offers: list[dict[str, object]] = []
        self.grants: list[dict[str, object]] = []
        """What Mallory's worker was offered and granted."""
        self.last = 0
        """The last number of the hub's log that concerns Mallory."""
        self.seq = 0
        """Of the last event of Mallory's log that was said in order."""

    async def prepare(self, tasks: asyncio.TaskGroup, secret: str = "") -> None:
        self.tasks = tasks
        self.anna = await self.services.registry.add_person("anna")
        self.mallory = await self.services.registry.add_person("mallory")
        hers = await Computer("anna-pc", capabilities=ABLE).pair(self.services, self.anna.person_id)
        evil = Computer("evil", capabilities=ABLE)
        self.paired = await evil.pair(self.services, self.mallory.person_id)
        pool = [hers.worker_id, self.paired.worker_id, self.anna.person_id, "q-1"]
        for person in (self.anna, self.mallory):
            for kind in ("probe.run", "code.push", "probe.run", "code.push"):
                card = await self.request(person, kind, secret if person is self.anna else "")
                pool += [card.job_id, card.task_id]
        self.voice = Voice(self.played, pool)
        self.pool = pool
        self.before = await self.print_of(self.anna)

    async def request(self, person: Person, kind: str, text: str) -> Job:
        asked = Request(person_id=person.person_id, kind=kind, text=text)
        return (await self.services.intake.request(asked)).card.job

    def connect(self) -> Socket:
        if self.socket is not None:
            self.socket.leave()
        self.socket = socket = Socket(self.paired.token)
        self.serving = self.tasks.create_task(
            self.engine(socket.scope, socket.receive, socket.send)
        )
        return socket

    def hello(self, **changes: object) -> dict[str, object]:
        told = Hello(
            device=self.paired.worker_id,
            epoch=1,
            name="evil",
            capabilities=ABLE,
            slots=2,
            outbox_seq=self.seq,
            hub_seq=0,
        )
        return {**told.model_dump(mode="json"), **changes}

    def some_frame(self) -> str | bytes:
        """Say what a worker might: often a push in order, whose events are worth reading."""
        voice = self.voice
        if self.offers and voice.rng.random() < 0.5:
            return voice.say(json.dumps({"type": "accept", **self.offers.pop()}))
        if voice.rng.random() < 0.6:
            return voice.any_of(samples.FROM_WORKER)
        event = voice.maker.event()
        body = event["body"]
        assert isinstance(body, dict)
        if self.grants and voice.rng.random() < 0.7:
            # Of what it was really granted, so that somebody reads on.
            grant = voice.rng.choice(self.grants)
            body.update({name: value for name, value in grant.items() if name in body})
            event["entity"] = ""
        elif voice.rng.random() < 0.2:
            event["body"] = voice.rng.choice([{}, {**body, "lines": ["x" * 1999] * 200}])
        if voice.rng.random() < 0.4:
            event = self.bent_event(event)
        event.update(device=self.paired.worker_id, epoch=1, seq=self.seq + 1)
        return voice.say(json.dumps({"type": "push", "events": [event]}))

    def bent_event(self, event: dict[str, object]) -> dict[str, object]:
        bent = mutate(self.voice.rng, event, self.voice.pool)
        return bent if isinstance(bent, dict) else event

    async def play(self, count: int) -> None:
        socket = self.open_line()
        for frame in self.voice.frames(count, self.some_frame):
            await socket.settled()
            if socket.is_closed:
                self.played.refused += 1
                socket = self.open_line()
                await socket.settled()
            socket.say(frame)
            await socket.settled()
            await self.services.dispatcher.run_once()
            await self.ledger.write(lambda _entry: None)
            self.note(socket)
        await self.services.rescuer.run_once()

    def open_line(self) -> Socket:
        socket = self.connect()
        socket.say(json.dumps(self.hello()))
        return socket

    def note(self, socket: Socket) -> None:
        for frame in socket.heard:
            told = json.loads(frame)
            if told["type"] in ("ack", "welcome"):
                self.seq = max(self.seq, told.get("seq", 0), told.get("acked_seq", 0))
            elif told["type"] == "offer":
                self.offers.append({"job_id": told["job"]["job_id"], "attempt": told["attempt"]})
            elif told["type"] == "grant":
                self.grants.append({n: told[n] for n in ("job_id", "attempt", "fence")})
            elif told["type"] in ("error", "bye") and told["error"] is not None:
                self.played.refused += 1
                if not told["error"]["code"]:
                    raise Trouble("crash", "a refusal has no code")
        socket.heard.clear()

    async def check(self) -> None:
        """An honest worker in Mallory's place comes in, is heard, and hears the whole log."""
        if await self.print_of(self.anna) != self.before:
            raise Trouble("doubled", "something of Anna's has changed")
        self.clock.advance(60)
        socket = self.open_line()
        end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=self.seq + 1, now=0.0)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (end.acked_seq > self.seq and end.hub_seq >= self.last):
                    self.listen(socket, end)
                    if end.phase is Phase.CLOSED:
                        raise Trouble("crash", f"an honest worker was sent away: {end!r}")
                    await asyncio.sleep(0)
        except TimeoutError:
            told = f"acked {end.acked_seq} of {self.seq + 1}, heard {end.hub_seq} of {self.last}"
            raise Trouble("lost", told) from None
        socket.leave()

    def listen(self, socket: Socket, end: WorkerEnd) -> None:
        """Read what the hub says as an honest worker does, and tell it one more thing."""
        for frame in socket.heard:
            match end.receive(frame, 0.0):
                case Welcome(acked_seq=acked):
                    self.seq = acked
                    end.push([self.something(acked + 1)])
                case Events(upto=upto):
                    end.applied(upto)
                case _:
                    pass
        socket.heard.clear()
        for frame in end.frames_to_send():
            socket.say(frame)

    def something(self, seq: int) -> Event:
        body = JobLogged(job_id=JobId("none"), attempt=1, fence=1, lines=("x",))
        return write_event(body, device=self.paired.worker_id, epoch=1, seq=seq, at=NOON)

    async def print_of(self, person: Person) -> str:
        """A digest of every row that is a person's."""

        def read(connection: sqlite3.Connection) -> tuple[str, int]:
            digest = hashlib.sha256()
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table'"
            ).fetchall():
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                if "person_id" in columns:
                    for row in connection.execute(
                        f"SELECT * FROM {table} WHERE person_id = ?", (person.person_id,)
                    ):
                        digest.update(repr((table, row)).encode())
            last = connection.execute(
                "SELECT max(hub_seq) FROM events WHERE person_id = ?", (self.mallory.person_id,)
            ).fetchone()[0]
            return digest.hexdigest(), last or 0

        digest, self.last = await self.ledger.read(read)
        return digest

    async def close(self) -> None:
        if self.socket is not None:
            self.socket.leave()
        if self.serving is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await asyncio.wait([self.serving])


def besieged(played: Round, count: int) -> None:
    """A hostile worker crashes nothing, blocks no log, and changes nothing of anybody else's."""
    asyncio.run(_besieged(played, count))


async def _besieged(played: Round, count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="deskhand-fuzz-", dir=in_memory()) as folder:
        hub = Besieged(Path(folder), played)
        try:
            with structlog.testing.capture_logs() as logs:
                async with asyncio.TaskGroup() as tasks:
                    await hub.prepare(tasks)
                    await hub.play(count)
                    await hub.check()
                    await hub.close()
            for entry in logs:
                if entry["event"] in ALARMS or entry["log_level"] in ("error", "critical"):
                    raise Trouble("crash", repr(entry)[:2000])
        finally:
            hub.database.close()
