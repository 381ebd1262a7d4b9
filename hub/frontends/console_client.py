"""The other end of the chat socket, for the terminal and the demo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from hub.frontends.console_frames import (
    Fault,
    FromHub,
    Greeting,
    Message,
    Say,
    Seen,
    read_from_hub,
)
from shared.api.transport import checked_url, hub_unreachable
from shared.errors import AppError, Unavailable

PATH = "/api/v1/chat/ws"
OPEN_SECONDS = 10.0
FRAME_BYTES_MAX = 1024 * 1024


class ChatClient:
    """One connection to a hub's chat; the greeting has been read."""

    def __init__(self, socket: ClientConnection, greeting: Greeting) -> None:
        self._socket = socket
        self.greeting = greeting

    async def say(self, words_id: str, text: str) -> None:
        """Say something. The same id again is heard once.

        Raises:
            Unavailable: `hub_gone`.
        """
        await self._send(Say(id=words_id, text=text).model_dump_json())

    async def seen(self, message: Message) -> None:
        """Tell the hub that a message has been shown. Does nothing where it does not ask."""
        if message.number:
            await self._send(Seen(number=message.number).model_dump_json())

    async def next(self) -> FromHub:
        """Wait for the next frame.

        Raises:
            Unavailable: `hub_gone`.
            BadInput: `hub_unknown`.
        """
        try:
            return read_from_hub(await self._socket.recv())
        except ConnectionClosed:
            raise hub_gone() from None

    async def _send(self, frame: str) -> None:
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            raise hub_gone() from None


@asynccontextmanager
async def open_chat(hub_url: str, key: str) -> AsyncIterator[ChatClient]:
    """Connect to a hub's chat.

    Raises:
        BadInput: `hub_url_invalid`.
        Unavailable: `hub_unreachable`.
        NotAllowed: `key_missing`, `key_invalid`, as the hub says.
    """
    url = "ws" + checked_url(hub_url).removeprefix("http") + PATH
    opening = connect(
        url,
        additional_headers={"Authorization": f"Bearer {key}"},
        open_timeout=OPEN_SECONDS,
        compression=None,
        max_size=FRAME_BYTES_MAX,
        proxy=None,
    )
    try:
        socket = await opening
    except (OSError, InvalidHandshake, InvalidURI, TimeoutError):
        raise hub_unreachable(hub_url) from None
    async with socket:
        yield ChatClient(socket, await _greeting(socket))


async def _greeting(socket: ClientConnection) -> Greeting:
    try:
        frame = read_from_hub(await socket.recv())
    except ConnectionClosed:
        raise hub_gone() from None
    match frame:
        case Greeting():
            return frame
        case Fault(error=error):
            raise AppError.from_body(error)
        case _:
            raise hub_gone()


def hub_gone() -> Unavailable:
    return Unavailable(
        "hub_gone", "The hub went away.", "It is tried again by itself.", retryable=True
    )
