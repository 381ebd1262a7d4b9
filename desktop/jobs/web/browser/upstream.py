"""The way out through the proxy of the owner's network, for the browser's lines."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from urllib.parse import unquote, urlsplit

from desktop.jobs.web.outside import Streams

HTTP_PORT = 80


async def connect_through(proxy: str, host: str, port: int) -> Streams:
    """Open a tunnel to a host, which was checked before.

    Raises:
        OSError: there is no such proxy, it says no, or it is of a sort that is not spoken here.
    """
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise ConnectionError("only http:// proxies serve for the browser")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or HTTP_PORT)
    try:
        writer.write(_asked(f"{host}:{port}", parts.username, parts.password))
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = b""
    except BaseException:
        writer.close()
        raise
    if head.split(b" ", 2)[1:2] != [b"200"]:
        await close(writer)
        raise ConnectionError("the proxy says no")
    return reader, writer


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a line, whatever its other side thinks of it."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _asked(place: str, name: str | None, password: str | None) -> bytes:
    login = ""
    if name is not None:
        pair = f"{unquote(name)}:{unquote(password or '')}".encode()
        login = f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
    return f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{login}\r\n".encode("ascii")
