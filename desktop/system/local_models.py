"""Looks which model servers answer on this machine: their lists of models, within a bound.

By the standard library, on the worker's own loop: no library of models is loaded for it, and what
does not listen refuses at once. No key is sent, no redirect is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from urllib.parse import urlsplit

from desktop.core.llm.locality import Found
from desktop.core.llm.models_listed import models_in
from desktop.core.llm.types import Endpoint

LOOK_SECONDS = 1.5
ANSWER_BYTES_MAX = 512 * 1024


async def find_local(endpoints: Sequence[Endpoint]) -> tuple[Found, ...]:
    """Return those that answer with a list of models, in their order; whatever happens."""
    looks = await asyncio.gather(*(_look(endpoint) for endpoint in endpoints))
    return tuple(found for found in looks if found is not None)


async def _look(endpoint: Endpoint) -> Found | None:
    # What listens there may be anything, and may say anything.
    with contextlib.suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(LOOK_SECONDS):
            models = models_in(await _body(endpoint.base_url))
            if models is not None:
                return Found(endpoint.name, models)
    return None


async def _body(base_url: str) -> bytes:
    parts = urlsplit(base_url)
    assert parts.hostname is not None
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        path = f"{parts.path.rstrip('/')}/models"
        head = f"GET {path} HTTP/1.0\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n\r\n"
        writer.write(head.encode("ascii", "strict"))
        answer = bytearray()
        while chunk := await reader.read(65_536):
            answer += chunk
            if len(answer) > ANSWER_BYTES_MAX:
                raise ValueError("the list is too long")
    finally:
        writer.close()
    return _content(bytes(answer))


def _content(answer: bytes) -> bytes:
    """Return what an answer brings; nothing for one that is not well (RFC 9112)."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or words[1] != b"200":
        raise ValueError("it does not answer well")
    is_chunked = any(
        line.lower().startswith(b"transfer-encoding:") and b"chunked" in line.lower()
        for line in lines[1:]
    )
    return _unchunked(body) if is_chunked else body


def _unchunked(body: bytes) -> bytes:
    """Join the chunks that servers send all the same to whoever speaks HTTP/1.0."""
    whole, place = bytearray(), 0
    while (end := body.find(b"\r\n", place)) >= 0:
        size = int(body[place:end].partition(b";")[0], 16)
        if size <= 0:
            break
        whole += body[end + 2 : end + 2 + size]
        place = end + 2 + size + 2
    return bytes(whole)
