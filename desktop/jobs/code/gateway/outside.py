"""Connects to a host that a box may reach: at a public address, or by the owner's proxy."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable
from urllib.parse import unquote, urlsplit

from desktop.core.code.registries import HTTPS
from desktop.core.network_rules import shown
from desktop.system.way import Way
from shared.errors import AppError, NotAllowed, Unavailable
from shared.public_address import is_public

OPEN_SECONDS = 15.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
OpenHost = Callable[[str], Awaitable[Streams]]


class Outside:
    """The internet, from this machine."""

    def __init__(self, way: Way) -> None:
        self._way = way

    async def open(self, host: str) -> Streams:
        """Connect to a host's port 443; bytes alone, what they say is the box's.

        Raises:
            NotAllowed: `host_not_public`: its name leads into somebody's own network.
            Unavailable: `host_unreachable`.
        """
        proxy = self._way.proxy_for(f"https://{host}")
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                if proxy is not None:
                    return await _by_proxy(proxy, host)
                return await asyncio.open_connection(await _address(host), HTTPS)
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                "host_unreachable",
                f"{host} cannot be reached ({_why(error)}).",
                "Check this machine's network.",
                retryable=True,
            ) from None


async def _address(host: str) -> str:
    """Look a host up once; that very address is called, so that no second look-up differs."""
    found = await asyncio.get_running_loop().getaddrinfo(host, HTTPS, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(is_public(ipaddress.ip_address(one)) for one in addresses):
        raise NotAllowed(
            "host_not_public",
            f"{host} is not out in the internet.",
            "Only public package registries can be reached from the sandbox.",
        )
    return addresses[0]


async def _by_proxy(proxy: str, host: str) -> Streams:
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise _refused(proxy, "only http:// proxies serve for this")
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write(_asked(host, parts.username, parts.password))
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        head = b""
    except BaseException:
        writer.close()
        raise
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        writer.close()
        told = status[0][:3].decode(errors="replace") if status else "nothing that is HTTP"
        raise _refused(proxy, f"it answers {told}")
    return reader, writer


def _asked(host: str, name: str | None, password: str | None) -> bytes:
    login = ""
    if name is not None:
        pair = f"{unquote(name)}:{unquote(password or '')}".encode()
        login = f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
    return f"CONNECT {host}:{HTTPS} HTTP/1.1\r\nHost: {host}:{HTTPS}\r\n{login}\r\n".encode("ascii")


def _refused(proxy: str, why: str) -> AppError:
    return Unavailable(
        "proxy_refused", f"The proxy {shown(proxy)} does not lead there ({why}).", "Ask its owner."
    )


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or "no line" if isinstance(error, OSError) else "no line"


async def close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, whatever its other side thinks of it."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
