"""The line to the gateway: one request, one reply, by HTTP on 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from desktop.core.code.turn import (
    PATH,
    Turn,
    TurnFault,
    TurnReply,
    read_fault,
    read_reply,
    turn_json,
)

CONNECT_SECONDS = 10.0
TURN_SECONDS_MAX = 3600.0
"""The gateway waits for slow models and crowded providers itself."""
TRIES_MAX = 4
BETWEEN_SECONDS = 0.5
REPLY_BYTES_MAX = 64 * 1024 * 1024
HEAD_BYTES_MAX = 64 * 1024


class GatewayFault(Exception):
    """There is no reply."""

    def __init__(self, fault: TurnFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Gateway:
    """Where models are asked."""

    def __init__(
        self, address: str, key: str = "", *, between_seconds: float = BETWEEN_SECONDS
    ) -> None:
        """Connect nowhere yet.

        Args:
            address: as in "http://127.0.0.1:4141".
            key: opens the gateway alone; empty where nobody else reaches it.
            between_seconds: how long to wait after a line that broke.
        """
        place = urlsplit(address)
        self._host = place.hostname or "127.0.0.1"
        self._port = place.port or 80
        self._key = key
        self._between_seconds = between_seconds

    async def turn(self, turn: Turn) -> TurnReply:
        """Have the model say what comes next.

        Raises:
            GatewayFault: it cannot be asked.
        """
        body = turn_json(turn)
        for left in reversed(range(TRIES_MAX)):
            try:
                async with asyncio.timeout(TURN_SECONDS_MAX):
                    return await self._post(body)
            except TimeoutError:
                raise _away("it did not answer within an hour") from None
            except (OSError, EOFError, ValueError) as error:
                if not left:
                    raise _away(str(error) or type(error).__name__) from None
            await asyncio.sleep(self._between_seconds)
        raise AssertionError

    async def _post(self, body: bytes) -> TurnReply:
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(
                self._host, self._port, limit=HEAD_BYTES_MAX
            )
        try:
            writer.write(self._head(len(body)) + body)
            await writer.drain()
            status, raw = await _answer(reader)
        finally:
            writer.close()
        if status != 200:
            raise GatewayFault(read_fault(raw, status))
        return read_reply(raw)

    def _head(self, size: int) -> bytes:
        lines = [
            f"POST {PATH} HTTP/1.1",
            f"Host: {self._host}:{self._port}",
            "Content-Type: application/json",
            f"Content-Length: {size}",
            "Connection: close",
            *([f"Authorization: Bearer {self._key}"] if self._key else []),
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _away(why: str) -> GatewayFault:
    return GatewayFault(TurnFault(code="network", message=f"The gateway is not reached: {why}."))


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read an answer.

    Raises:
        ValueError: it is none; EOFError, OSError: it broke off.
    """
    head = await _until(reader, b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    status = int(first.split()[1]) if first.startswith("HTTP/") else 0
    if not 100 <= status <= 599:
        raise ValueError("what came is no HTTP")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    return status, await _body(reader, headers)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _chunks(reader)
    if "content-length" in headers:
        size = int(headers["content-length"])
        if not 0 <= size <= REPLY_BYTES_MAX:
            raise ValueError("the answer is too long")
        return await reader.readexactly(size)
    return await reader.read(REPLY_BYTES_MAX)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    made = bytearray()
    while size := int((await _until(reader, b"\r\n")).split(b";")[0], 16):
        if size < 0 or len(made) + size > REPLY_BYTES_MAX:
            raise ValueError("the answer is too long")
        made += await reader.readexactly(size)
        await _until(reader, b"\r\n")
    return bytes(made)


async def _until(reader: asyncio.StreamReader, mark: bytes) -> bytes:
    try:
        return await reader.readuntil(mark)
    except asyncio.LimitOverrunError:
        raise ValueError("the answer's head is too long") from None
