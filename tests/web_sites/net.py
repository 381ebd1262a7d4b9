"""A network for tests: names lead to public addresses, and those to servers on loopback.

The guard is on as it is for people. Every connection that is tried is noted; one to an address that
no site has fails, as it would if nothing listened there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import httpcore

from desktop.jobs.web.outside import SocketOption, Streams

PUBLIC = "93.184.216.34"
OTHER = "93.184.216.35"


@dataclass
class FakeNet:
    """All names and addresses there are."""

    names: dict[str, list[str]] = field(default_factory=dict)
    """A name's addresses, for each look-up the next list if there are several ("a|b")."""
    sites: dict[str, int] = field(default_factory=dict)
    """Address -> port on loopback."""
    looked_up: list[str] = field(default_factory=list)
    called: list[tuple[str, int]] = field(default_factory=list)
    changing: dict[str, list[list[str]]] = field(default_factory=dict)
    """Names whose answer changes from one look-up to the next, as in DNS rebinding."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        self.looked_up.append(host)
        await asyncio.sleep(0)
        if host in self.changing:
            answers = self.changing[host]
            return answers.pop(0) if len(answers) > 1 else answers[0]
        if host not in self.names:
            raise OSError(f"{host} is not known")
        return self.names[host]

    async def connect(self, address: str, port: int) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._place(address, port))

    @property
    def backend(self) -> httpcore.AsyncNetworkBackend:
        return _Backend(self)

    def place(self, address: str, port: int) -> int:
        return self._place(address, port)

    def _place(self, address: str, port: int) -> int:
        self.called.append((address, port))
        if address not in self.sites:
            raise ConnectionRefusedError(f"nothing listens at {address}")
        return self.sites[address]


class _Backend(httpcore.AsyncNetworkBackend):
    def __init__(self, net: FakeNet) -> None:
        self._net = net
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            place = self._net.place(host, port)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return await self._real.connect_tcp("127.0.0.1", place, timeout)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
