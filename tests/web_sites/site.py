"""A web server that does what a test wants, well or badly: any bytes, any pace, any length."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Write = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Answers a request by itself, head included."""


@dataclass(frozen=True)
class Request:
    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def url(self) -> str:
        return f"{self.host}{self.path}"


@dataclass
class Site:
    """All hosts at once; an answer is found by "host/path", else by "/path"."""

    answers: dict[str, bytes | Write] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    lines: set[asyncio.Task[object]] = field(default_factory=set)
    """Connections that are open."""

    @property
    def urls(self) -> list[str]:
        """What was asked for, robots.txt left out."""
        return [one.url for one in self.requests if one.path != "/robots.txt"]

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        media_type: str = "text/html; charset=utf-8",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        told = {
            "Content-Type": media_type,
            "Content-Length": str(len(data)),
            **(headers or {}),
        }
        head = f"HTTP/1.1 {status} OK\r\n" + "".join(f"{n}: {v}\r\n" for n, v in told.items())
        self.answers[path] = head.encode("latin-1") + b"\r\n" + data

    def redirect(self, path: str, where: str, status: int = 302) -> None:
        self.page(path, "", status=status, headers={"Location": where})

    def writes(self, path: str, write: Write) -> None:
        self.answers[path] = write

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.lines.add(task)
        task.add_done_callback(self.lines.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while request := await _request(reader):
                self.requests.append(request)
                if not await self._answer(request, writer):
                    break
        writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        path = request.path.partition("?")[0]
        answer = self.answers.get(f"{request.host}{path}") or self.answers.get(path)
        if answer is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        elif isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(writer)
            return False
        await writer.drain()
        return request.headers.get("connection", "") != "close"


@asynccontextmanager
async def running() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for line in site.lines:
            line.cancel()
        await asyncio.gather(*site.lines)


def article(title: str, *paragraphs: str, more: str = "", head: str = "") -> str:
    """Write a page as most are."""
    told = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body><nav>Home</nav>"
        f"<article><h1>{title}</h1>{told}{more}</article></body></html>"
    )


async def _request(reader: asyncio.StreamReader) -> Request | None:
    raw = await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        return None
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    host = headers.get("host", "").partition(":")[0]
    return Request(words[0], host, words[1], headers, body)
