"""A proxy on this machine's loopback that the browser has to use: it checks where each line goes.

Plain pages come as "GET http://host/…", encrypted ones as "CONNECT host:443". Both are checked as
any address of the web is, and led to the very address that was looked up. Who does not know its
password gets nothing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import check_url
from desktop.jobs.web.browser.upstream import close, connect_through
from desktop.jobs.web.outside import Outside, Streams
from shared.errors import AppError

log = structlog.get_logger(__name__)

HEAD_BYTES_MAX = 64 * 1024
HEAD_SECONDS = 20.0
CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
LINE_BYTES_MAX = 64 * 1024**2
"""That come back on one line; a page with more is none to be read."""
LINES_MAX = 128
CHUNK_BYTES = 64 * 1024
USER = "page"
REFUSED_KEPT_MAX = 200


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    target: str
    headers: tuple[str, ...]
    """Lines as they came."""

    def value(self, name: str) -> str:
        for line in self.headers:
            field, _, value = line.partition(":")
            if field.strip().lower() == name:
                return value.strip()
        return ""


class GuardingProxy:
    """One running proxy."""

    def __init__(
        self, rules: WebRules, outside: Outside, proxy_for: Callable[[str], str | None]
    ) -> None:
        self.password = secrets.token_urlsafe(24)
        self.refused: list[str] = []
        """Hosts that were asked for and not called, the last ones."""
        self._rules = rules
        self._outside = outside
        self._proxy_for = proxy_for
        self._server: asyncio.Server | None = None
        self._open = 0
        pair = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        self._login = f"Basic {pair}"

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= LINES_MAX:
                await self._answered(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the line broke, or was never one
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio's server takes a cancelled line for a fault
        finally:
            self._open -= 1
            await close(writer)

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await _head(reader)
        if head is None:
            await _say(writer, 400, "Bad Request")
        elif not secrets.compare_digest(head.value("proxy-authorization"), self._login):
            await _say(writer, 407, "Login", 'Proxy-Authenticate: Basic realm="page"\r\n')
        else:
            await self._led(head, reader, writer)

    async def _led(
        self, head: _Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            is_tunnel = head.method == "CONNECT"
            target = check_url(f"https://{head.target}" if is_tunnel else head.target, self._rules)
            outer = await self._connected(target.scheme, target.host, target.port)
        except AppError as error:
            self._note(head.target)
            log.info("browser refused", code=error.code)
            await _say(writer, 403, "Refused")
            return
        except (OSError, TimeoutError):
            await _say(writer, 502, "Unreachable")
            return
        try:
            if is_tunnel:
                writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                outer[1].write(_passed_on(head, target.url))
            await _joined((reader, writer), outer)
        finally:
            await close(outer[1])

    async def _connected(self, scheme: str, host: str, port: int) -> Streams:
        """Connect to a host that may be called.

        Raises:
            AppError: it may not.
            OSError: it is not there.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            shown = f"[{host}]" if ":" in host else host
            proxy = self._proxy_for(f"{scheme}://{shown}:{port}")
            if proxy is not None:
                await self._outside.check_for_proxy(host, port)
                return await connect_through(proxy, shown, port)
            return await self._outside.open(host, port)

    def _note(self, target: str) -> None:
        self.refused.append(target[:200])
        del self.refused[:-REFUSED_KEPT_MAX]


async def _head(reader: asyncio.StreamReader) -> _Head | None:
    async with asyncio.timeout(HEAD_SECONDS):
        raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    return _Head(words[0], words[1], tuple(line for line in lines if line))


def _passed_on(head: _Head, url: str) -> bytes:
    """Write a request as its server expects it: the path alone, and nothing that is the proxy's.

    One request a line: the next may be for another host, which has to be checked.
    """
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    dropped = ("proxy-", "connection:", "keep-alive:", "host:", "upgrade:")
    kept = [line for line in head.headers if not line.lower().startswith(dropped)]
    lines = [f"{head.method} {path} HTTP/1.1", f"Host: {parts.netloc}", *kept, "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _joined(inner: Streams, outer: Streams) -> None:
    """Pass bytes both ways until one side ends; what comes back has a limit."""
    async with asyncio.TaskGroup() as tasks:
        back = tasks.create_task(_copied(outer[0], inner[1], LINE_BYTES_MAX))
        forth = tasks.create_task(_copied(inner[0], outer[1], LINE_BYTES_MAX))
        await asyncio.wait([back, forth], return_when=asyncio.FIRST_COMPLETED)
        if not back.done():  # what was asked for may still be on its way
            await asyncio.wait([back], timeout=IDLE_SECONDS)
        back.cancel()
        forth.cancel()


async def _copied(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, bytes_max: int
) -> None:
    count = 0
    with contextlib.suppress(OSError, TimeoutError):
        while count <= bytes_max:
            async with asyncio.timeout(IDLE_SECONDS):
                part = await source.read(CHUNK_BYTES)
            if not part:
                break
            count += len(part)
            target.write(part)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()


async def _say(writer: asyncio.StreamWriter, status: int, word: str, more: str = "") -> None:
    writer.write(
        f"HTTP/1.1 {status} {word}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    with contextlib.suppress(OSError):
        await writer.drain()
