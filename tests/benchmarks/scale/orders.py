"""How a program of the benchmark is spoken to: orders, one a line, and answers in lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys


def read_orders() -> asyncio.Queue[str]:
    """Return what comes over standard input, line by line; "" once nobody gives orders any more."""
    loop = asyncio.get_running_loop()
    orders: asyncio.Queue[str] = asyncio.Queue()
    rest = b""

    def read() -> None:
        nonlocal rest
        more = os.read(sys.stdin.fileno(), 65536)
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            orders.put_nowait(line.decode().strip())
        if not more:
            loop.remove_reader(sys.stdin.fileno())
            orders.put_nowait("")

    loop.add_reader(sys.stdin.fileno(), read)
    return orders


def say(told: object) -> None:
    print(json.dumps(told), flush=True)
