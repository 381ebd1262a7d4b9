"""A worker's end of a real socket, for tests that talk to a real server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TypeVar

from websockets.asyncio.client import ClientConnection, connect

from hub.app import Hub
from hub.core.access import Person
from hub.services.pairing import Paired
from shared.events import AttemptEventBody, write_event
from shared.messages import FromHub, FromWorker, Hello
from shared.protocol import WorkerEnd
from tests.makers import ABLE
from tests.pairing import Computer

PATIENCE_SECONDS = 10.0
Wanted = TypeVar("Wanted", bound=FromHub)


class Plug:
    """One connection of a worker."""

    def __init__(self, socket: ClientConnection, paired: Paired) -> None:
        self.socket = socket
        self.paired = paired
        self.end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=0, now=time.monotonic())
        self.seq = 0
        self.got: list[FromHub] = []

    def introduction(self, **changes: object) -> Hello:
        hello = Hello(
            device=self.paired.worker_id,
            epoch=1,
            name="anna-pc",
            capabilities=ABLE,
            slots=2,
            outbox_seq=self.seq,
            hub_seq=0,
        )
        return hello.model_copy(update=changes)

    async def say(self, message: FromWorker) -> None:
        self.end.send(message)
        await self.flush()

    async def flush(self) -> None:
        for frame in self.end.frames_to_send():
            await self.socket.send(frame)

    async def report(self, *bodies: AttemptEventBody) -> None:
        events = []
        for body in bodies:
            self.seq += 1
            device = self.paired.worker_id
            at = datetime.now(UTC)
            events.append(write_event(body, device=device, epoch=1, seq=self.seq, at=at))
        self.end.push(events)
        await self.flush()

    async def until(self, wanted: type[Wanted]) -> Wanted:
        """Read on to the next message of a type."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                frame = await self.socket.recv()
                message = self.end.receive(frame, time.monotonic())
                if message is not None:
                    self.got.append(message)
                if isinstance(message, wanted):
                    return message

    async def closed(self) -> int:
        """Wait for the hub to end it; return the close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


async def owner(hub: Hub) -> Person:
    return (await hub.services.registry.people())[0]


async def pair(hub: Hub, name: str = "anna-pc") -> Paired:
    computer = Computer(name, capabilities=ABLE)
    return await computer.pair(hub.services, (await owner(hub)).person_id)


def socket_url(hub: Hub) -> str:
    return hub.settings.local_url.replace("http", "ws") + "/api/v1/worker"


@contextlib.asynccontextmanager
async def plugged(hub: Hub, paired: Paired) -> AsyncIterator[Plug]:
    """Connect; nothing is said yet."""
    async with connect(
        socket_url(hub),
        additional_headers={"Authorization": f"Bearer {paired.token}"},
        compression=None,
        max_size=None,
        close_timeout=2,
    ) as socket:
        yield Plug(socket, paired)
