"""A line between worker and hub that can be cut, as a router in between can be unplugged."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType

CHUNK_BYTES = 65536
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Wire:
    """Forwards connections to a port of this machine while it is whole."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lines: set[asyncio.StreamWriter] = set()
        self._is_whole = True
        self.unknown_path = ""
        """Requests for it are answered as by a hub that does not know it."""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

    @property
    def url(self) -> str:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def cut(self) -> None:
        """Break every line at once, without a goodbye, and let none be made."""
        self._is_whole = False
        for line in self._lines:
            line.transport.abort()

    def mend(self) -> None:
        self._is_whole = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_whole:
            writer.transport.abort()
            return
        head = await reader.read(CHUNK_BYTES)
        if self.unknown_path and f"GET {self.unknown_path}".encode() in head:
            writer.write(NOT_FOUND)
            writer.close()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._lines |= {writer, far_writer}
        far_writer.write(head)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_forward(reader, far_writer))
            tasks.create_task(_forward(far_reader, writer))
        self._lines -= {writer, far_writer}


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()
