"""Reads the body of a request to an endpoint of a frontend's own, as far as it is bearable."""

from __future__ import annotations

from starlette.types import Receive


async def body_of(receive: Receive, bytes_max: int) -> bytes | None:
    """The whole body; None when it is too large, or its sender left."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        piece: bytes = message.get("body", b"")
        body += piece
        if len(body) > bytes_max:
            return None
        if not message.get("more_body", False):
            return body
