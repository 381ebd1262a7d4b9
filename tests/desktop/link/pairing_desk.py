"""The pairing desk of a hub as a real HTTP server that says what a test tells it to say."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.pairing import b64, from_b64, token_request

SALT = bytes(range(16))
NOTED: Mapping[str, object] = {
    "pairing_id": "0192f000-0000-7000-8000-00000000000a",
    "salt": b64(SALT),
    "expires_at": "2999-01-01T00:00:00Z",
    "hub_name": "our hub",
    "person_name": "anna",
}
JOINED: Mapping[str, object] = {
    "worker_id": "0192f000-0000-7000-8000-000000000001",
    "token": "dh_worker_0192f000-0000-7000-8000-000000000001_topsecret",
    "hub_name": "our hub",
    "person_name": "anna",
    "worker_name": "anna-pc",
}


@dataclass
class Answer:
    status: int
    body: object = b""
    """Bytes go out as they are, anything else as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """The line drops instead of an answer."""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def problem(status: int, code: str, detail: str = "No.", **more: object) -> Answer:
    return Answer(status, {"code": code, "detail": detail, "hint": "Do this.", **more})


WAITING = problem(409, "pairing_waiting", "Nobody has decided yet.")


class Desk:
    """What is answered, in order (the last answer for ever), and what was asked."""

    def __init__(self) -> None:
        self.base = ""
        self.to_ask = deque([Answer(202, NOTED)])
        self.to_token = deque([Answer(200, JOINED)])
        self.asked: list[dict[str, Any]] = []

    @property
    def introductions(self) -> list[dict[str, Any]]:
        return [one for one in self.asked if one["path"] == "/api/v1/pairings"]

    @property
    def token_requests(self) -> list[dict[str, Any]]:
        return [one for one in self.asked if one["path"].endswith("/token")]

    def take(self, path: str, body: Mapping[str, Any]) -> Answer:
        self.asked.append({"path": path, **body})
        if not path.endswith("/token"):
            return _next(self.to_ask)
        if path != f"/api/v1/pairings/{NOTED['pairing_id']}/token":
            return problem(404, "pairing_unknown")
        key = Ed25519PublicKey.from_public_bytes(from_b64(self.introductions[-1]["public_key"], 32))
        # Raises when another key signed; the test then sees a line that drops.
        key.verify(from_b64(body["signature"], 64), token_request(str(NOTED["pairing_id"]), SALT))
        return _next(self.to_token)


def _next(answers: deque[Answer]) -> Answer:
    return answers.popleft() if len(answers) > 1 else answers[0]


@contextlib.contextmanager
def a_desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            answer = desk.take(self.path, json.loads(self.rfile.read(length)))
            if answer.is_cut:
                self.connection.close()
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # it may have read enough
                self.wfile.write(answer.content)

        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: object) -> None:
            pass  # a cut line is meant

    server = Server(("127.0.0.1", 0), Handler)
    desk.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield desk
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
