"""The lines between workers and a hub, and everything that can happen to one on its way.

worker ──▶ Line ──▶ hub     "up" is towards the hub, "down" towards the worker

All lines of a world are carried by one thread. What a line can do: break at once, break inside a
frame, keep back one direction for a while (TCP brings it later), lead nowhere for ever while both
ends take it for open, take no new connection, and do one of these right after a certain message
came down it: what comes down is readable, because only a client's frames are masked (RFC 6455).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

CHUNK_BYTES = 65536
CALL_SECONDS = 10.0


class Way(StrEnum):
    UP = "up"
    DOWN = "down"


class Carrier:
    """The thread that carries the bytes of every line."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._lines: list[Line] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.do(_end_all(self._lines))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def line(self, hub_port: int) -> Line:
        """Lay a line to a port of this machine."""
        line = Line(self, hub_port)
        self._lines.append(line)
        self.do(line.open())
        return line

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the thread do something, and wait until it has."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)


class Line:
    """What one worker calls its hub through; its address stays the same whatever happens."""

    def __init__(self, carrier: Carrier, hub_port: int) -> None:
        self._carrier = carrier
        self._hub_port = hub_port
        self._calls: set[_Call] = set()
        self._is_whole = True
        self._server: asyncio.Server | None = None
        self._kept_back: dict[Way, asyncio.Event] = {}
        self._trap: tuple[bytes, Callable[[_Call], bool]] | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        for way in Way:
            self._kept_back[way] = asyncio.Event()
            self._kept_back[way].set()

    def close(self) -> None:
        """Take nothing any more; on the carrier's thread."""
        if self._server is not None:
            self._server.close()
        self._abort_all()

    def cut(self) -> None:
        """Break every connection at once; new ones may be made."""
        self._do(self._abort_all)

    def unplug(self) -> None:
        """Break every connection, and let none be made until `mend`."""

        def unplug() -> None:
            self._is_whole = False
            self._abort_all()

        self._do(unplug)

    def keep_back(self, *ways: Way) -> None:
        """Bring nothing in these directions until `mend`; then all of it, in order."""

        def keep_back() -> None:
            for way in ways:
                self._kept_back[way].clear()

        self._do(keep_back)

    def mend(self) -> None:
        """Bring what was kept back, and let connections be made. What leads nowhere still does."""

        def mend() -> None:
            self._is_whole = True
            for event in self._kept_back.values():
                event.set()

        self._do(mend)

    def lose(self, *ways: Way) -> None:
        """Let the connections of now lead nowhere in these directions, for ever."""

        def lose() -> None:
            for call in self._calls:
                call.lost.update(ways)

        self._do(lose)

    def cut_mid_frame(self, way: Way) -> None:
        """Break the connections of now within whatever goes this way next."""

        def tear() -> None:
            for call in self._calls:
                call.torn.add(way)

        self._do(tear)

    def after(self, message: str, *, lose: Way) -> None:
        """Once a message comes down, let its connection lead nowhere one way from then on.

        UP: it arrives, and no answer to it does. DOWN: it does not arrive.
        """

        def spring(call: _Call) -> bool:
            call.lost.add(lose)
            return lose is Way.DOWN

        self._do(lambda: self._set_trap(message, spring))

    def cut_after(self, message: str) -> None:
        """Once a message comes down, bring it and break the connection."""

        def spring(call: _Call) -> bool:
            asyncio.get_running_loop().call_later(0.005, call.abort)
            return False

        self._do(lambda: self._set_trap(message, spring))

    @property
    def is_set(self) -> bool:
        """Whether a trap still waits for its message."""
        return self._trap is not None

    def untrap(self) -> None:
        self._trap = None

    def _set_trap(self, message: str, spring: Callable[[_Call], bool]) -> None:
        self._trap = (f'"type":"{message}"'.encode(), spring)

    def _do(self, act: Callable[[], object]) -> None:
        async def acting() -> None:
            act()

        self._carrier.do(acting())

    def _abort_all(self) -> None:
        for call in tuple(self._calls):
            call.abort()

    def _swallows(self, call: _Call, chunk: bytes) -> bool:
        """Spring the trap if this is what it waits for; True: the chunk is lost."""
        if self._trap is None or self._trap[0] not in chunk:
            return False
        (_, spring), self._trap = self._trap, None
        return spring(call)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._hub_port)
        except OSError:
            writer.transport.abort()
            return
        call = _Call(writer, far_writer)
        self._calls.add(call)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._forward(call, Way.UP, reader, far_writer))
                tasks.create_task(self._forward(call, Way.DOWN, far_reader, writer))
        finally:
            self._calls.discard(call)
            call.abort()

    async def _forward(
        self,
        call: _Call,
        way: Way,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._kept_back[way].wait()
                if way is Way.DOWN and self._swallows(call, chunk):
                    continue
                if way in call.lost:
                    continue
                if way in call.torn and len(chunk) > 1:
                    writer.write(chunk[: len(chunk) // 2])
                    await writer.drain()
                    call.abort()
                    return
                writer.write(chunk)
                await writer.drain()
        await self._kept_back[way].wait()
        if way in call.lost:
            return  # nor does the other end hear that this one is gone
        writer.close()


class _Call:
    """One connection through a line."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._ends = (near, far)
        self.lost: set[Way] = set()
        self.torn: set[Way] = set()

    def abort(self) -> None:
        for end in self._ends:
            end.transport.abort()


async def _end_all(lines: list[Line]) -> None:
    for line in lines:
        line.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # Sockets are given back one turn of the loop after their connections ended.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
