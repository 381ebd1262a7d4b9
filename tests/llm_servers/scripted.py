"""A language model that does what a script says, in the formats of three providers.

For tests: `with running(steps) as model`, then `model.address`, `model.fail("429")`,
`model.requests`. For people and other programs:
`python -m tests.llm_servers.scripted --port P --script FILE`, where the file is a JSON list of
steps such as {"read": "calc.py"}, {"edit": "calc.py", "old": "a - b", "new": "a + b"},
{"run": "python -m pytest -q"}, {"ask": "Which one?", "options": ["a", "b"]}, {"say": "Hello."} or
{"submit": "What was done."}. Nothing but the standard library is needed.

The next step is the count of tool results in the request (and of its own texts), so a request that
is made twice gets the same answer, and agents that start anew go on where they were.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.llm_servers.scripted_formats import Format, format_of
from tests.llm_servers.scripted_steps import Asked, Deed, Step, next_deed, steps_in, steps_of

MODEL = "scripted"
SLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """With small names."""
    body: Any
    """JSON; a text when it was none."""

    @property
    def spoken(self) -> Format | None:
        return format_of(self.path.partition("?")[0])

    @property
    def text(self) -> str:
        """All of it, for what must not stand in it."""
        return json.dumps([self.path, dict(self.headers), self.body], ensure_ascii=False)


class ScriptedModel:
    """A running server; steps and failures may be changed while it runs."""

    def __init__(self, steps: Sequence[Step], *, key: str = "", log: Path | None = None) -> None:
        self.steps = tuple(steps)
        self.key = key
        self.requests: list[Request] = []
        self.address = ""
        self._log = log
        self._failures: deque[str] = deque()
        self._lock = threading.Lock()
        self.freed = threading.Event()
        """Lets go whoever is kept waiting by `hang`."""
        self.is_hanging = threading.Event()
        """Somebody is kept waiting."""

    @property
    def openai_url(self) -> str:
        return f"{self.address}/v1"

    @property
    def asked(self) -> list[Request]:
        """Requests for an answer that offered tools: the turns of agents."""
        return [
            one
            for one in self.requests
            if isinstance(one.body, dict) and one.body.get("tools") and one.spoken
        ]

    def script(self, *steps: Mapping[str, Any]) -> None:
        """Do these from now on."""
        self.steps = steps_of(steps)

    def fail(self, *ways: str) -> None:
        """Let the next requests for an answer fail, one each.

        Args:
            ways: a status ("429", "500"), "cut" (the answer ends in its middle), "garbage",
                "slow" or "slow:0.2" (seconds, then a good answer), "hang" (until `freed` is set).
        """
        self._failures.extend(ways)

    def failure(self) -> str:
        with self._lock:
            return self._failures.popleft() if self._failures else ""

    def heard(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)
            if self._log:
                with self._log.open("a", encoding="utf-8") as log:
                    log.write(request.text + "\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_HEAD(self) -> None:
        self._send(200, b"")

    def do_GET(self) -> None:
        self._heard()
        path = self.path.partition("?")[0]
        if path.endswith("/models"):
            one = {"id": MODEL, "object": "model", "created": 1, "owned_by": "tests"}
            self._json(200, {"object": "list", "data": [one]})
        else:
            self._json(404, {"error": {"message": f"no such page: {path}"}})

    def do_POST(self) -> None:
        request = self._heard()
        path = self.path.partition("?")[0]
        spoken = format_of(path)
        if path.endswith(("/count_tokens", ":countTokens")):
            count = len(request.text) // 4
            self._json(200, {"input_tokens": count, "totalTokens": count})
        elif spoken is None or not isinstance(request.body, dict):
            self._json(404, {"error": {"message": f"no such page: {path}"}})
        elif not self._is_let_in(request):
            self._json(401, spoken.fault(401, "Incorrect API key provided."))
        else:
            asked = spoken.reads(path, request.body)
            deed = next_deed(self.server.model.steps, asked)
            self._answer(spoken, asked, deed, self.server.model.failure())

    def _answer(self, spoken: Format, asked: Asked, deed: Deed, failure: str) -> None:
        if failure.isdigit():
            more = {"Retry-After": "1"} if failure == "429" else {}
            self._json(int(failure), spoken.fault(int(failure), "Scripted failure."), more)
            return
        if failure == "garbage":
            self._send(200, b"<html>not what you asked for</html>", "text/html")
            return
        if failure.startswith("slow"):
            time.sleep(float(failure.partition(":")[2] or SLOW_SECONDS))
        if failure == "hang":
            self.server.model.is_hanging.set()
            self.server.model.freed.wait()
        if asked.is_stream:
            events = spoken.events(asked, deed)
            self._stream(events[: len(events) // 2] if failure == "cut" else events, failure)
        else:
            body = json.dumps(spoken.whole(asked, deed)).encode()
            self._send(200, body[: len(body) // 2] if failure == "cut" else body, cut=failure)

    def _stream(self, events: Sequence[str], failure: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            raw = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        if failure == "cut":
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _heard(self) -> Request:
        raw = self._body()
        try:
            body: Any = json.loads(raw) if raw else None
        except ValueError:
            body = raw.decode(errors="replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body)
        self.server.model.heard(request)
        return request

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        made = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            made += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return made

    def _is_let_in(self, request: Request) -> bool:
        key = self.server.model.key
        shown = {
            request.headers.get("authorization", "").removeprefix("Bearer "),
            request.headers.get("x-api-key", ""),
            request.headers.get("x-goog-api-key", ""),
        }
        return not key or key in shown

    def _json(self, status: int, body: object, more: Mapping[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), more=more)

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        *,
        cut: str = "",
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) * (2 if cut == "cut" else 1)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        if cut == "cut":
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the library
        """Say nothing; what came in is kept."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, model: ScriptedModel) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.model = model

    def handle_error(self, request: object, client_address: object) -> None:
        """Let go of whoever hangs up; anything else is a fault of the script's and is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextlib.contextmanager
def running(
    *steps: Mapping[str, Any], key: str = "", port: int = 0, log: Path | None = None
) -> Iterator[ScriptedModel]:
    """Serve a script from a thread of this process, and end it afterwards."""
    yield from _serving(ScriptedModel(steps_of(steps), key=key, log=log), port)


def _serving(model: ScriptedModel, port: int) -> Iterator[ScriptedModel]:
    with _Server(port, model) as server:
        model.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield model
        finally:
            model.freed.set()
            server.shutdown()
            thread.join()


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.llm_servers.scripted")
    parser.add_argument("--port", type=int, default=0, help="free one by default")
    parser.add_argument("--script", type=Path, required=True, help="a JSON list of steps")
    parser.add_argument("--key", default="", help="what clients have to show")
    parser.add_argument("--log", type=Path, help="where what comes in is kept, a line each")
    parser.add_argument("--until-input-ends", action="store_true", help="for programs")
    asked = parser.parse_args(words)
    model = ScriptedModel(steps_in(asked.script), key=asked.key, log=asked.log)
    with contextlib.contextmanager(_serving)(model, asked.port):
        print(json.dumps({"address": model.address, "models": [MODEL]}), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            if asked.until_input_ends:
                sys.stdin.read()
            else:
                threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
