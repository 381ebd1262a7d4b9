"""What the gateway costs a call: beside a direct one, with the relay, whole and streamed.

    python -m tests.benchmarks.coding.gateway [calls]

The provider is a bare server that answers at once, so what is left is the way there. Orders are
mixed call by call, so that a busy machine slows all ways alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from desktop.core.llm.types import Endpoint
from tests.desktop.jobs.code.gateway.stand import reached, stand

CALLS = 300
CONVERSATION_CHARS = 200_000
"""Of a coding agent's request in the middle of its work."""
PIECES = 400
PIECE = b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":400}}\n\n'
WHOLE = (
    b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}'
)


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request on a connection, at once."""
    with contextlib.suppress(EOFError, ConnectionError, asyncio.CancelledError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(size)
            kind, told = b"application/json", WHOLE
            if b'"stream":true' in body.replace(b" ", b"")[-200:]:
                kind, told = b"text/event-stream", PIECE * PIECES + USAGE + b"data: [DONE]\n\n"
            lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + kind)
            writer.write(b"\r\n".join((*lines, b"Content-Length: %d" % len(told), b"", told)))
            await writer.drain()
    writer.close()


async def timed(client: httpx.AsyncClient, *, chars: int, stream: bool) -> float:
    body = {"model": "m", "messages": [{"role": "user", "content": "x" * chars}], "stream": stream}
    began = time.perf_counter()
    reply = await client.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200
    return (time.perf_counter() - began) * 1000


@contextlib.asynccontextmanager
async def ways() -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """Open the three ways to the same server."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0))
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        endpoint = Endpoint(name="bench", base_url=f"{address}/v1", is_local=True)
        here = await stack.enter_async_context(stand(folder, endpoint, bound_seconds=None))
        port = await stack.enter_async_context(reached(here))
        direct = await stack.enter_async_context(httpx.AsyncClient(base_url=address))
        inside = f"http://127.0.0.1:{port}"
        relayed = await stack.enter_async_context(httpx.AsyncClient(base_url=inside))
        yield {"direct": direct, "gateway": here.client, "relay + gateway": relayed}


async def measure(calls: int) -> None:
    cases = (("short", 100, False), ("200 kB", CONVERSATION_CHARS, False), ("stream", 100, True))
    async with ways() as clients:
        for name, chars, stream in cases:
            times: dict[str, list[float]] = {way: [] for way in clients}
            for number in range(calls + 10):
                for way, client in clients.items():
                    took = await timed(client, chars=chars, stream=stream)
                    if number >= 10:
                        times[way].append(took)
            medians = {way: statistics.median(took) for way, took in times.items()}
            told = ", ".join(
                f"{way} {median:.2f} ms (x{median / medians['direct']:.1f})"
                for way, median in medians.items()
            )
            print(f"{name}: {told}")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
