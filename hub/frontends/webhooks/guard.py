"""Connects webhooks to addresses that were checked, and to no others.

A name is looked up once for each connection, what it leads to is checked, and that very address is
called: a name that leads elsewhere at the next look-up (DNS rebinding) gains nothing. TLS and the
Host header go by the name all the same. No proxy is asked, whatever the environment says: a proxy
would look the name up again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence

import httpcore

from hub.core.webhook_target import Allowed, callable_of
from shared.errors import NotAllowed
from shared.public_address import parse_address

ADDRESSES_MAX = 4
"""Of one name that are tried."""
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Look a host up: its addresses, the best first. Raises OSError when there are none."""
SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """The network as webhooks see it."""

    def __init__(
        self,
        allowed: Allowed,
        resolve: Resolve = look_up,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
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
            NotAllowed: `webhook_target_private`.
            httpcore.ConnectError: as whoever is asked for it.
        """
        failure: Exception | None = None
        for address in await self._addresses(host, port):
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
        raise AssertionError("no webhook goes to a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        literal = parse_address(host)
        try:
            found = [host] if literal else await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known") from error
        addresses = [address for text in found if (address := parse_address(text)) is not None]
        callables = callable_of(host.lower(), addresses, self._allowed)
        if not callables:
            raise NotAllowed(
                "webhook_target_private",
                f"{host} leads to no address of the public internet.",
                "The hub's operator can allow it: HUB_WEBHOOK_ALLOW.",
            )
        return [str(address) for address in callables[:ADDRESSES_MAX]]
