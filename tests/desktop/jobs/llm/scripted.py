"""A server that gives prepared answers one after the other, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Scripted:
    """With no answer left it keeps whoever asks waiting."""

    def __init__(self) -> None:
        self.base_url = ""
        self.heard: list[dict[str, Any]] = []
        """Bodies, in their order."""
        self.heads: list[str] = []
        self.was_asked = asyncio.Event()
        self._answers: deque[bytes] = deque()

    def answers(self, *raw: bytes) -> None:
        self._answers.extend(raw)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(size[1]) if size else 0)
            self.heads.append(head)
            self.heard.append(json.loads(body))
            self.was_asked.set()
            if not self._answers:
                # Whoever hangs up is let go of; nobody else gets what was meant for them.
                await reader.read()
                return
            writer.write(self._answers.popleft())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Serve OpenAI's format on a free port."""
    made = Scripted()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield made
