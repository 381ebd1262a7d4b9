"""A real HTTP server on loopback that gives one answer, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    """Names in small letters."""


@dataclass
class Page:
    """What is answered, and by whom it was asked for."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    base: str = ""
    asked: list[Request] = field(default_factory=list)

    def answer(self, path: str, told: Message) -> tuple[int, bytes]:
        headers = {name.lower(): value for name, value in told.items()}
        self.asked.append(Request(path, headers))
        etag = self.headers.get("etag")
        if etag is not None and headers.get("if-none-match") == etag:
            return 304, b""
        return self.status, self.body


@contextlib.contextmanager
def a_page(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Iterator[Page]:
    """Serve one answer until the context ends."""
    page = Page(status, body, dict(headers or {}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = page.answer(self.path, self.headers)
            self.send_response(status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    page.base = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield page
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
