"""A language model that knows one repair by heart: what the demo's agent asks, without any key.

It speaks OpenAI's chat completions on loopback, plain and streamed, and takes the script's next
step: as many as tools have given something back already. Nothing but the standard library.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

MODEL = "scripted"
BODY_BYTES_MAX = 16 * 1024**2
Steps = Sequence[Mapping[str, object]]
Json = dict[str, object]
Answers = Callable[[Mapping[str, object]], Json]
"""From a request's body to the message that answers it."""
_TOOLS = {
    "read": ("read", "path"),
    "run": ("run", "command"),
    "edit": ("edit", "path"),
    "ask": ("ask_human", "question"),
    "submit": ("submit", "summary"),
}
"""By a step's deed, the built-in agent's tool and what its first argument is called."""


def call_of(step: Mapping[str, object]) -> tuple[str, Json]:
    """Turn a step into a tool's name and arguments: {"read": "a.py"} reads a.py."""
    deed = next(name for name in _TOOLS if name in step)
    tool, first = _TOOLS[deed]
    more = {name: value for name, value in step.items() if name != deed}
    return tool, {first: step[deed], **more}


def message_of(steps: Steps, body: Mapping[str, object]) -> Json:
    """Answer a request: the next step as a call of a tool, or a last word."""
    told = body.get("messages")
    messages = told if isinstance(told, list) else []
    done = sum(isinstance(one, dict) and one.get("role") == "tool" for one in messages)
    if done >= len(steps) or not body.get("tools"):
        return {"role": "assistant", "content": "Done."}
    tool, arguments = call_of(steps[done])
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": f"call_{done}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def knowing(steps: Steps) -> Answers:
    """Answer with one step after the other."""
    return partial(message_of, steps)


def whole(message: Json, tokens: int) -> Json:
    """Wrap an answer as one object."""
    return _framed("chat.completion", "message", message, _reason(message)) | _usage(tokens)


def pieces(message: Json, tokens: int) -> Iterator[Json]:
    """Wrap an answer as the events of a stream."""
    delta = dict(message)
    if isinstance(calls := message.get("tool_calls"), list):
        delta["tool_calls"] = [{"index": number, **call} for number, call in enumerate(calls)]
    yield _framed("chat.completion.chunk", "delta", delta, None)
    yield _framed("chat.completion.chunk", "delta", {}, _reason(message))
    yield _framed("chat.completion.chunk", "delta", {}, None) | {"choices": []} | _usage(tokens)


def _framed(sort: str, name: str, part: Json, reason: str | None) -> Json:
    choice = {"index": 0, name: part, "finish_reason": reason}
    head = {"id": "chatcmpl-demo", "object": sort, "created": 1_767_225_600, "model": MODEL}
    return {**head, "choices": [choice]}


def _reason(message: Json) -> str:
    return "tool_calls" if "tool_calls" in message else "stop"


def _usage(tokens: int) -> Json:
    told = {"prompt_tokens": tokens, "completion_tokens": 40, "total_tokens": tokens + 40}
    return {"usage": told}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, answers: Answers) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers = answers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= BODY_BYTES_MAX:
            self.send_error(413)
            return
        body: Json = json.loads(self.rfile.read(length))
        message = cast(_Server, self.server).answers(body)
        tokens = length // 4
        if body.get("stream"):
            self._stream(pieces(message, tokens))
        else:
            self._send(whole(message, tokens))

    def _send(self, told: Json) -> None:
        self._answer("application/json", json.dumps(told).encode())

    def _stream(self, events: Iterator[Json]) -> None:
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        self._answer("text/event-stream", "".join([*lines, "data: [DONE]\n\n"]).encode())

    def _answer(self, media_type: str, told: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name there
        del format


def serve(port: int, answers: Answers) -> None:
    """Answer until the process ends."""
    with _Server(port, answers) as server:
        server.serve_forever()


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """Answer inside the block, at the address that is given."""
    with _Server(0, answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()
            thread.join()
