"""A server that gives prepared answers one after the other, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

END_SECONDS = 10.0


class Scripted:
    """With no answer left it keeps whoever asks waiting."""

    def __init__(self) -> None:
        self.base_url = ""
        self.port = 0
        self.heard: list[dict[str, Any]] = []
        """Bodies, in their order."""
        self.heads: list[str] = []
        self.was_asked = asyncio.Event()
        self.is_quiet = asyncio.Event()
        self.is_quiet.set()
        self._lines = 0
        self._answers: deque[bytes] = deque()

    def answers(self, *raw: bytes) -> None:
        self._answers.extend(raw)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines += 1
        self.is_quiet.clear()
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
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            self._lines -= 1
            if not self._lines:
                self.is_quiet.set()


@asynccontextmanager
async def scripted(tls: ssl.SSLContext | None = None) -> AsyncIterator[Scripted]:
    """Serve OpenAI's format on a free port."""
    made = Scripted()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    made.base_url = f"http://127.0.0.1:{made.port}/v1"
    async with server:
        yield made
        async with asyncio.timeout(END_SECONDS):
            await made.is_quiet.wait()
