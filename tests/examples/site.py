"""A web site on loopback, and the search engine that knows it, as SearXNG answers."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import urlsplit

Pages = Mapping[str, tuple[str, str]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, pages: Pages) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.pages = pages


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast(_Server, self.server)
        path = urlsplit(self.path).path
        if path == "/search":
            base = f"http://127.0.0.1:{server.server_address[1]}"
            found = [
                {"url": base + place, "title": title, "content": text[:100]}
                for place, (title, text) in server.pages.items()
            ]
            self._send(200, "application/json", json.dumps({"results": found}))
        elif path in server.pages:
            title, text = server.pages[path]
            told = "".join(f"<p>{html.escape(one)}.</p>" for one in text.rstrip(".").split(". "))
            page = f"<title>{html.escape(title)}</title><main><h1>{html.escape(title)}</h1>{told}"
            self._send(200, "text/html; charset=utf-8", f"<!doctype html>{page}</main>")
        else:
            self._send(404, "text/plain", "no such page")

    def _send(self, status: int, media_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name there
        del format


def serve(port: int, pages: Pages) -> None:
    """Answer until the process ends."""
    with _Server(port, pages) as server:
        server.serve_forever()
