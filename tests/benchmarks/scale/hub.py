"""The hub that `tests.benchmarks.scale` measures, a program of its own.

    python -m tests.benchmarks.scale.hub FOLDER PORT [BEAT_SECONDS]

It reads one order a line from its standard input and answers each with a line of JSON: "usage", or
"jobs COUNT CALLERS", which asks for jobs as frontends do, person after person, and waits until they
have ended; "profile COUNT CALLERS FILE" does so with its event loop's thread under cProfile. "ask
COUNT CALLERS" asks for jobs that must not run twice, and does not wait for their end.
"""

from __future__ import annotations

import asyncio
import cProfile
import os
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.app import Hub, running
from hub.server import loop_factory, spare_collector
from hub.services.requests import Request
from hub.settings import Settings
from hub.store.database import STORE_NAME
from hub.store.ledger import Entry
from shared.kinds import Inputs, Kind, Output
from shared.logs import configure
from shared.protocol import Beats
from tests.benchmarks.queue.nothing import NOTHING
from tests.benchmarks.scale.orders import read_orders, say

PAGE = os.sysconf("SC_PAGE_SIZE")
ONCE = Kind(
    name="bench.once",
    summary="Must not run twice",
    inputs=Inputs,
    output=Output,
    idempotent=False,
    timeout_seconds=600,
)
KINDS = {kind.name: kind for kind in (NOTHING, ONCE)}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a hub has taken since it started, and what it holds."""

    cpu_seconds: float
    rss_mib: float
    connected: int
    hub_seq: int
    store_bytes: int


@dataclass(frozen=True, slots=True)
class JobsDone:
    seconds: float
    cpu_seconds: float
    loop_cpu_seconds: float
    """Of it, on the event loop's thread; the rest is the store's."""
    events: int
    ack_p50_ms: float
    store_bytes: int
    """What the store has grown by."""


def store_bytes(folder: Path) -> int:
    """How large a store is, its write-ahead log folded in."""
    connection = sqlite3.connect(f"file:{folder / STORE_NAME}?mode=ro", uri=True)
    try:
        pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
        size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    finally:
        connection.close()
    return pages * size


def rss_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


def usage(hub: Hub) -> Usage:
    return Usage(
        cpu_seconds=time.process_time(),
        rss_mib=rss_mib(),
        connected=len(hub.engine.connected()),
        hub_seq=hub.services.feed.position(),
        store_bytes=store_bytes(hub.settings.data),
    )


async def jobs(hub: Hub, count: int, callers: int) -> JobsDone:
    """Have jobs asked for and done; return once the last has ended."""
    ended = asyncio.Event()
    told = 0

    def note(entry: Entry) -> None:
        nonlocal told
        told += sum(fact.type == "job_succeeded" for fact in entry.facts)
        if told >= count:
            ended.set()

    listeners = hub.services.feed._ledger.listeners
    listeners.append(note)
    before, begun, loop_before = usage(hub), time.perf_counter(), time.thread_time()
    waits = await ask(hub, NOTHING, count, callers)
    await ended.wait()
    seconds, after = time.perf_counter() - begun, usage(hub)
    listeners.remove(note)
    return JobsDone(
        seconds=seconds,
        cpu_seconds=after.cpu_seconds - before.cpu_seconds,
        loop_cpu_seconds=time.thread_time() - loop_before,
        events=after.hub_seq - before.hub_seq,
        ack_p50_ms=sorted(waits)[len(waits) // 2] * 1e3,
        store_bytes=after.store_bytes - before.store_bytes,
    )


async def ask(hub: Hub, kind: Kind, count: int, callers: int) -> list[float]:
    """Ask for jobs; return how long each caller waited for each commit, in seconds."""
    everyone = [p.person_id for p in await hub.services.registry.people()]
    left = iter(range(count))
    waits: list[float] = []

    async def call() -> None:
        for number in left:
            begun = time.perf_counter()
            person_id = everyone[number % len(everyone)]
            await hub.services.intake.request(
                Request(person_id=person_id, kind=kind.name, title="nothing")
            )
            waits.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call())
    return waits


async def serve(folder: Path, port: int, beats: Beats) -> None:
    orders = read_orders()
    async with running(Settings(port=port, data=folder), kinds=KINDS, beats=beats) as hub:
        say({"is_up": True})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    say(asdict(usage(hub)))
                case ["jobs", count, callers]:
                    say(asdict(await jobs(hub, int(count), int(callers))))
                case ["ask", count, callers]:
                    waits = await ask(hub, ONCE, int(count), int(callers))
                    say({"asked": len(waits)})
                case ["profile", count, callers, file]:
                    with cProfile.Profile() as profiler:
                        done = await jobs(hub, int(count), int(callers))
                    profiler.dump_stats(file)
                    say(asdict(done))
                case _:
                    say({"error": f"no such order: {order}"})


def main() -> None:
    folder, port, *beat_seconds = sys.argv[1:]
    every = float(beat_seconds[0]) if beat_seconds else Beats().every_seconds
    beats = Beats(every_seconds=every, dead_seconds=3 * every)
    configure(json_lines=True)
    spare_collector()  # as `deskhand-hub serve` does
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(Path(folder), int(port), beats))


if __name__ == "__main__":
    main()
