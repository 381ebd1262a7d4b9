"""Starts the built-in agent: ACP on standard input and output, until the input ends.

What it needs to know stands in its environment: DESKHAND_GATEWAY (an address on 127.0.0.1),
DESKHAND_KEY (opens the gateway where others reach it), DESKHAND_TOOLS (names, with commas; all when
absent) and DESKHAND_WINDOW_TOKENS (of the model, where its owner knows it).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from desktop.jobs.code.builtin.agent import BuiltinAgent, Surroundings, names_of
from desktop.jobs.code.builtin.gateway import Gateway
from desktop.jobs.code.builtin.peer import Peer

CHUNK_BYTES = 256 * 1024
LINE_BYTES_MAX = 64 * 1024 * 1024


def surroundings() -> Surroundings:
    told = os.environ
    window = told.get("DESKHAND_WINDOW_TOKENS", "")
    return Surroundings(
        home=Path.home(),
        gateway=Gateway(told.get("DESKHAND_GATEWAY", ""), told.get("DESKHAND_KEY", "")),
        tools=tuple(names_of(told.get("DESKHAND_TOOLS", ""))),
        window_tokens=int(window) if window.isdecimal() else None,
    )


async def serve() -> None:
    """Serve one client until it hangs up or this process is told to end."""
    lines: asyncio.Queue[bytes | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGTERM, lines.put_nowait, None)
    threading.Thread(target=_read, args=(loop, lines), daemon=True).start()
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(_take(lines, group))
        await serving
        # The client is gone: whatever is under way ends, and takes its processes along.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def _take(lines: asyncio.Queue[bytes | None], group: asyncio.TaskGroup) -> None:
    agent = BuiltinAgent(surroundings(), group)
    peer = Peer(
        _send, lambda method, params: agent.serve(peer, method, params), agent.notice, group
    )
    while (line := await lines.get()) is not None:
        peer.take(line)


def _send(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _read(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[bytes | None]) -> None:
    """Read standard input in a thread: that works with pipes and files of every system."""
    rest = b""
    with contextlib.suppress(RuntimeError):
        while chunk := os.read(0, CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            if len(rest) > LINE_BYTES_MAX:
                break
        loop.call_soon_threadsafe(lines.put_nowait, None)


def main(_words: Sequence[str] = ()) -> int:
    """Run the agent; there is nothing to say to it on its command line."""
    try:
        asyncio.run(serve())
    except* BrokenPipeError:
        # Whoever listened is gone.
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
