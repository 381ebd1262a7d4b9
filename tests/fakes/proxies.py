"""Real proxies for tests: HTTP CONNECT and SOCKS5. Whatever is named, they lead to one port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator

NEEDED = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n"
OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
SOCKS_OK = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
BLOCK_BYTES = 65536


class Proxy:
    """What was asked of it stands in `asked`, as "host:port"."""

    def __init__(self, leads_to: int, login: tuple[str, str] | None = None) -> None:
        self.asked: list[str] = []
        self.login = login
        self.refuses_with: bytes | None = None
        """Instead of leading anywhere, as an answer to CONNECT."""
        self._leads_to = leads_to
        self._lines: set[asyncio.StreamWriter] = set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        """Cut all lines, as proxies do after a while."""
        for writer in self._lines:
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        try:
            if await self._let_in(reader, writer):
                await self._lead(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            self._lines.discard(writer)
            writer.close()

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        raise NotImplementedError

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._leads_to)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pass_on(reader, back))
            tasks.create_task(_pass_on(there, writer))


class ConnectProxy(Proxy):
    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, place, _ = head.split(" ", 2)
        assert method == "CONNECT", head
        self.asked.append(place)
        if self.refuses_with is not None:
            writer.write(self.refuses_with)
            return False
        if self.login is not None:
            wanted = base64.b64encode(":".join(self.login).encode()).decode()
            if f"Basic {wanted}" not in head:
                writer.write(NEEDED)
                return False
        writer.write(OPEN)
        return True


class SocksProxy(Proxy):
    """RFC 1928, CONNECT to a name; with a login RFC 1929."""

    async def _let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 0 if self.login is None else 2
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return False
        writer.write(bytes((5, wanted)))
        if self.login is not None and not await self._knows(reader, writer, self.login):
            return False
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 3, "the proxy looks names up, not this machine"
        host = await reader.readexactly((await reader.readexactly(1))[0])
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.asked.append(f"{host.decode()}:{port}")
        writer.write(SOCKS_OK)
        return True

    async def _knows(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        login: tuple[str, str],
    ) -> bool:
        await reader.readexactly(1)
        name = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_known = (name.decode(), password.decode()) == login
        writer.write(b"\x01\x00" if is_known else b"\x01\x01")
        return is_known


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
