"""Carries a worker's line to a hub that speaks plain HTTP on a network of containers alone.

A worker talks without encryption to its own machine only. Where Compose puts hub and workers on
one host, the way between them never leaves it, so the worker's container has a door of its own on
loopback, and behind it the hub. A hub that is elsewhere is reached over https:// without this.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading

BLOCK_BYTES = 64 * 1024
UP_SECONDS = 5.0


def open_door(door_port: int, host: str, port: int) -> None:
    """Listen on loopback for as long as the program runs.

    Args:
        door_port: of loopback.
        host: of the hub.
        port: of the hub.
    """
    is_up = threading.Event()

    async def serve() -> None:
        async def come_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _carry(reader, writer, host, port)

        server = await asyncio.start_server(come_in, "127.0.0.1", door_port)
        is_up.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    if not is_up.wait(UP_SECONDS):
        raise OSError(f"port {door_port} of loopback cannot be used")


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
) -> None:
    with contextlib.closing(writer):
        try:
            there_reader, there_writer = await asyncio.open_connection(host, port)
        except OSError:
            return  # the worker sees a line that ends, and tries again by itself
        with contextlib.closing(there_writer):
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(BLOCK_BYTES):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
