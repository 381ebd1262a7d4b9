"""The way out to the web: a host is looked up once, what it leads to is checked and then called.

A name that leads elsewhere at the next look-up (DNS rebinding) gains nothing, because nobody looks
again: the fetcher and the browser's proxy connect to the very address that was checked. TLS and the
Host header go by the name all the same.

Where the owner's network lets nothing out but through a proxy, that proxy looks names up; whatever
can be looked up here is checked before it is asked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from desktop.core.web.rules import WebRules
from desktop.core.web.url_guard import callable_of, check_host, private
from shared.public_address import Address, is_public, parse_address

ADDRESSES_MAX = 4
"""Of one name that are tried."""
LOOK_UP_SECONDS = 10.0
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Look a host up: its addresses, the best first. Raises OSError when there are none."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[str, int], Awaitable[Streams]]
"""Open a line to an address. Raises OSError."""
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


async def connected(address: str, port: int) -> Streams:
    """Open a line."""
    return await asyncio.open_connection(address, port)


class Outside:
    """What lies outside, by the owner's rules."""

    def __init__(
        self, rules: WebRules, resolve: Resolve = look_up, connect: Connect = connected
    ) -> None:
        """Know nobody yet.

        Args:
            rules: the owner's.
            resolve: looks hosts up.
            connect: opens a line to an address; nobody else of the browser's side does.
        """
        self._rules = rules
        self._resolve = resolve
        self._connect = connect
        self._inside: set[str] = set()

    def is_inside(self, host: str) -> bool:
        """Say whether a host that was called is none of the public internet."""
        return host.lower() in self._inside

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return where a host may be called.

        Raises:
            NotAllowed: `host_denied`, `page_private`.
            BadInput: `url_invalid`.
            OSError: it is not known.
        """
        check_host(host.lower(), port, self._rules)
        found = await self._looked_up(host, port)
        callables = callable_of(host.lower(), found, self._rules)
        if not callables:
            raise private(host)
        self._remember(host, callables)
        return [str(address) for address in callables[:ADDRESSES_MAX]]

    async def open(self, host: str, port: int) -> Streams:
        """Connect to a host at an address that may be called.

        Raises:
            NotAllowed, BadInput: as `addresses`.
            OSError: it is not there.
        """
        failure: OSError | None = None
        for address in await self.addresses(host, port):
            try:
                return await self._connect(address, port)
            except OSError as error:
                failure = error
        assert failure is not None
        raise failure

    async def check_for_proxy(self, host: str, port: int) -> None:
        """Check a host that a proxy is asked for; what is not known here is the proxy's to know.

        Raises:
            NotAllowed: `host_denied`, `page_private`.
            BadInput: `url_invalid`.
        """
        check_host(host.lower(), port, self._rules)
        try:
            found = await self._looked_up(host, port)
        except OSError:
            return
        # All of them: which one the proxy takes is its own choice.
        if len(callable_of(host.lower(), found, self._rules)) < len(found):
            raise private(host)
        self._remember(host, found)

    def _remember(self, host: str, addresses: Iterable[Address]) -> None:
        # Only hosts that the owner names get here with such an address: the set stays small.
        if not all(is_public(address) for address in addresses):
            self._inside.add(host.lower())

    async def _looked_up(self, host: str, port: int) -> list[Address]:
        literal = parse_address(host)
        if literal is not None:
            return [literal]
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await self._resolve(host, port)
        return [address for text in found if (address := parse_address(text)) is not None]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """The network as the fetcher sees it."""

    def __init__(
        self, outside: Outside, network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._outside = outside
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host at an address that may be called.

        Raises:
            NotAllowed: as `Outside.addresses`.
            httpcore.ConnectError: as whoever is asked for it.
        """
        try:
            addresses = await self._outside.addresses(host, port)
        except OSError as error:  # TimeoutError is one
            raise httpcore.ConnectError(f"{host} is not known") from error
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise AssertionError("no page is at a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
