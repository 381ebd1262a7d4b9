"""How the programs of this part are told what to do, and what all of them can say of themselves."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Mapping


def read_orders() -> asyncio.Queue[str]:
    """Read orders from the standard input, a line each; an empty one when it is closed.

    One order at a time: whoever gives them waits for each answer.
    """
    orders: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        told = os.read(sys.stdin.fileno(), 4096).decode().strip()
        if not told:
            loop.remove_reader(sys.stdin.fileno())
        orders.put_nowait(told)

    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), read)
    return orders


def say(told: Mapping[str, object]) -> None:
    print(json.dumps(told), flush=True)


def usage() -> dict[str, object]:
    """CPU of this process so far, in seconds, and the most memory it had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"cpu_seconds": time.process_time(), "peak_mib": peak / 1024}
