"""A server that answers like OpenAI's after a fixed while, and costs next to nothing itself.

    python -m tests.benchmarks.probes.server [--latency-ms 50]

It prints its port, serves until its standard input ends, and then says how many calls it answered.
Requests are cut at their Content-Length and never parsed further than to see whether a stream is
wanted: what is measured beside it are the programs that ask.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import cast

REPLY = (
    "I would pull the lever. Five people live and one dies, and I would have to answer for it;"
    " standing by is a choice as well. Choice: 4"
)
PIECES = 6
"""Of a reply that comes as a stream."""
HEAD_BYTES_MAX = 64 * 1024
_USAGE = {"prompt_tokens": 180, "completion_tokens": 42, "total_tokens": 222}
_COMMON = {"id": "chatcmpl-stub", "created": 1_780_000_000, "model": "stub-2026-11-01"}


def _whole() -> bytes:
    body = json.dumps(
        {
            **_COMMON,
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": REPLY},
                    "finish_reason": "stop",
                }
            ],
            "usage": _USAGE,
        }
    ).encode()
    head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return _head(head) + body


def _stream() -> bytes:
    size = -(-len(REPLY) // PIECES)
    deltas: list[dict[str, object]] = [
        {"delta": {"role": "assistant", "content": REPLY[at : at + size]}, "finish_reason": None}
        for at in range(0, len(REPLY), size)
    ]
    deltas.append({"delta": {}, "finish_reason": "stop"})
    events = [
        {**_COMMON, "object": "chat.completion.chunk", "choices": [{"index": 0, **delta}]}
        for delta in deltas
    ]
    events.append({**_COMMON, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    body = text.encode()
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    return _head("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n") + chunked


def _head(rest: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nx-request-id: req_stub\r\n{rest}".encode()


class Answering(asyncio.Protocol):
    """One connection: cuts requests out of what comes, and answers each a while later."""

    calls = 0
    latency_seconds = 0.05
    whole = _whole()
    stream = _stream()

    def __init__(self) -> None:
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no children of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (request := self._cut()) is not None:
            wants_stream = b'"stream":true' in request.replace(b" ", b"")
            answer = self.stream if wants_stream else self.whole
            asyncio.get_running_loop().call_later(self.latency_seconds, self._answer, answer)

    def _cut(self) -> bytes | None:
        """Return the body of the first whole request, and forget it."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            assert len(self._received) < HEAD_BYTES_MAX
            return None
        head = self._received[:end].lower()
        at = head.find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        whole = end + 4 + size
        if len(self._received) < whole:
            return None
        body, self._received = self._received[end + 4 : whole], self._received[whole:]
        return body

    def _answer(self, answer: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            Answering.calls += 1
            self._transport.write(answer)


async def serve(latency_ms: float) -> None:
    """Serve until standard input ends."""
    Answering.latency_seconds = latency_ms / 1000
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    sys.stdout.write(f"{Answering.calls}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    latency_ms: float = parser.parse_args().latency_ms
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(latency_ms))
    else:
        uvloop.run(serve(latency_ms))


if __name__ == "__main__":
    main()
