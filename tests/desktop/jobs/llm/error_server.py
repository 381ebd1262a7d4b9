"""A server that fails as it is asked to: the model's name says with which row of the table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from tests.desktop.core.llm.error_case import Case

_IN_PATH = re.compile(r"/models/([^/:?]+):")
"""Where Google's format has the model."""


@asynccontextmanager
async def failing(cases: Mapping[str, Case | bytes]) -> AsyncIterator[str]:
    """Serve on a free port; yields the address.

    Args:
        cases: by the model's name; bytes are sent as they are, and then the line is cut.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(size[1]) if size else 0)
            found = _IN_PATH.search(head)
            case = cases[found[1] if found else json.loads(body)["model"]]
            writer.write(case if isinstance(case, bytes) else _answer(case))
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _answer(case: Case) -> bytes:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(case.body_bytes)),
        "connection": "close",
        **case.headers,
    }
    try:
        phrase = HTTPStatus(case.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {case.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + case.body_bytes
