"""How the hub is dialled: a WebSocket of the library's, seen as a Line.

A Line is all that the link knows of a socket. A simulation brings its own way to dial.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Protocol, Self

from websockets.asyncio.client import ClientConnection, connect

from desktop.core.hub_address import worker_socket
from shared.protocol import FRAME_BYTES_MAX

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class Line(Protocol):
    """A socket to the hub. As a context manager it is closed at the block's end."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def recv(self) -> str | bytes:
        """Return the next frame.

        Raises:
            ConnectionClosed: of `websockets`; there will be none.
        """

    async def send(self, frame: str, /) -> None:
        """Write a frame.

        Raises:
            ConnectionClosed: of `websockets`; nobody reads it.
        """

    async def close(self, code: int = 1000) -> None:
        """End the line in good order. Idempotent."""

    def abort(self) -> None:
        """End the line without a word."""

    @property
    def close_code(self) -> int | None:
        """Why it was closed; None while it is open."""

    @property
    def own_address(self) -> str:
        """Of this machine, on this line."""


Dial = Callable[[str, str, str | None, ssl.SSLContext | None], Coroutine[None, None, Line]]
"""Opens a line. Takes the hub's URL, the token, a proxy, and whom to trust; raises what
`websockets.connect` raises: OSError, TimeoutError, InvalidHandshake, InvalidStatus."""


async def dial(
    base: str, token: str, proxy: str | None = None, trust: ssl.SSLContext | None = None
) -> Line:
    """Open a WebSocket to a hub."""
    connection = await connect(
        worker_socket(base),
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        max_size=FRAME_BYTES_MAX,
        ping_interval=None,
        open_timeout=OPEN_SECONDS,
        close_timeout=CLOSE_SECONDS,
        proxy=proxy,
        ssl=trust,
        create_connection=_Socket,
    )
    assert isinstance(connection, _Socket)
    return connection


class _Socket(ClientConnection):
    """The library's connection, with what a Line says in other words."""

    def abort(self) -> None:
        self.transport.abort()

    @property
    def own_address(self) -> str:
        return str(self.local_address[0])
