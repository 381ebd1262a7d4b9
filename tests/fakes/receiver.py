"""A receiver of webhooks: a real HTTP server that verifies with the standard's own library."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import JsonValue
from standardwebhooks import Webhook, WebhookVerificationError

HOLD_SECONDS = 20.0
"""As long waits an answer that is held, if nobody lets it go."""


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    """Names in small letters."""
    body: bytes
    told: dict[str, JsonValue]
    """The body, verified; empty when no secret of the receiver's signed it."""

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return str(self.told.get("type"))

    @property
    def data(self) -> dict[str, JsonValue]:
        data = self.told["data"]
        assert isinstance(data, dict)
        return data


@dataclass(frozen=True)
class Answer:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_endless: bool = False
    """Its body never ends."""
    is_held: bool = False
    """It is not given before `let_go`."""


@dataclass
class Receiver:
    secrets: list[str] = field(default_factory=list)
    answers: deque[Answer] = field(default_factory=deque)
    """The next ones; after them, `usual`."""
    usual: Answer = Answer()
    received: list[Received] = field(default_factory=list)
    base: str = ""
    port: int = 0
    written_bytes: int = 0
    """Of endless answers."""
    _let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def types(self) -> list[str]:
        return [one.type for one in self.received]

    @property
    def verified(self) -> list[Received]:
        return [one for one in self.received if one.told]

    def let_go(self) -> None:
        self._let_go.set()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.received.append(Received(path, headers, body, self._verified(headers, body)))
        answer = self.answers.popleft() if self.answers else self.usual
        if answer.is_held:
            self._let_go.wait(HOLD_SECONDS)
        return answer

    def _verified(self, headers: dict[str, str], body: bytes) -> dict[str, JsonValue]:
        for secret in self.secrets:
            with contextlib.suppress(WebhookVerificationError):
                told: dict[str, JsonValue] = Webhook(secret).verify(body, headers)
                return told
        return {}


@contextlib.contextmanager
def a_receiver(*, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Receive until the context ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(self.path, headers, body)
            with contextlib.suppress(OSError):
                self.answer(answer)

        def do_GET(self) -> None:
            receiver.received.append(Received(self.path, {}, b"", {}))
            self.answer(Answer(200))

        def answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.is_endless:
                self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            while answer.is_endless:
                receiver.written_bytes += self.wfile.write(b"x" * 1024)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_port
    receiver.base = f"{'https' if tls else 'http'}://127.0.0.1:{receiver.port}"
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield receiver
    finally:
        receiver.let_go()
        server.shutdown()
        serving.join()
        server.server_close()
