"""The hub that `tests.benchmarks.scale` measures, a program of its own.

    python -m tests.benchmarks.scale_hub FOLDER PORT [PROFILE]

It reads one order a line from its standard input and answers each with a line of JSON: "usage", or
"jobs COUNT CALLERS", which asks for jobs as frontends do, person after person. With PROFILE its
event loop's thread runs under cProfile, and the figures are written there when it ends.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from hub.app import Hub, running
from hub.core.access import (
    SECRET_BYTES,
    Access,
    Person,
    Role,
    Scope,
    digest,
    make_secret,
    write_key,
)
from hub.core.key import Key
from hub.core.worker import Worker
from hub.server import loop_factory, spare_collector
from hub.services.requests import Request
from hub.settings import Settings
from hub.store import keys, people, workers
from hub.store.database import STORE_NAME, open_store
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Capability
from shared.environment import Environment
from shared.ids import PersonId, WorkerId
from shared.logs import configure
from tests.benchmarks.queue import NOTHING

PAGE = os.sysconf("SC_PAGE_SIZE")


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
    events: int
    ack_p50_ms: float
    store_bytes: int
    """What the store has grown by."""


def enrol(folder: Path, count: int, each: int) -> list[tuple[WorkerId, str]]:
    """Make a store with `count` people who have `each` workers; return the workers' tokens.

    As `hub.services.arrivals` writes them, without the ceremony of codes.
    """
    environment = Environment()
    folder.mkdir(parents=True, exist_ok=True)
    tokens: list[tuple[WorkerId, str]] = []

    def run(entry: Entry) -> None:
        for number in range(count):
            person_id = PersonId(environment.new_id())
            role = Role.MEMBER if number else Role.OWNER
            people.insert(
                entry,
                Person(person_id=person_id, name=f"p{number}", created_at=entry.now, role=role),
            )
            for machine in range(each):
                tokens.append(_enrol_worker(entry, environment, person_id, f"pc-{machine}"))

    async def fill() -> None:
        with open_store(folder) as database:
            await Ledger(database, environment).write(run)

    asyncio.run(fill())
    return tokens


def _enrol_worker(
    entry: Entry, environment: Environment, person_id: PersonId, name: str
) -> tuple[WorkerId, str]:
    worker_id = WorkerId(environment.new_id())
    secret = make_secret(environment.entropy(SECRET_BYTES))
    worker = Worker(
        worker_id=worker_id,
        person_id=person_id,
        name=name,
        platform="Linux",
        app_version="1",
        capabilities=(Capability(kind=NOTHING.name),),
        paired_at=entry.now,
        last_seen_at=entry.now,
        public_key=environment.entropy(32),
    )
    workers.insert(entry, worker)
    access = Access(person_id=person_id, scope=Scope.WORKER, key_id=worker_id, is_machine=True)
    keys.insert(entry, Key(access=access, digest=digest(secret), created_at=entry.now))
    return worker_id, write_key(Scope.WORKER, worker_id, secret)


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
    everyone = [p.person_id for p in await hub.services.registry.people()]
    left = iter(range(count))
    waits: list[float] = []
    ended = asyncio.Event()
    told = 0

    def note(entry: Entry) -> None:
        nonlocal told
        told += sum(fact.type == "job_succeeded" for fact in entry.facts)
        if told >= count:
            ended.set()

    async def call() -> None:
        for number in left:
            begun = time.perf_counter()
            person_id = everyone[number % len(everyone)]
            await hub.services.intake.request(
                Request(person_id=person_id, kind=NOTHING.name, title="nothing")
            )
            waits.append(time.perf_counter() - begun)

    listeners = hub.services.feed._ledger.listeners
    listeners.append(note)
    before, begun = usage(hub), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call())
    await ended.wait()
    seconds, after = time.perf_counter() - begun, usage(hub)
    listeners.remove(note)
    return JobsDone(
        seconds=seconds,
        cpu_seconds=after.cpu_seconds - before.cpu_seconds,
        events=after.hub_seq - before.hub_seq,
        ack_p50_ms=sorted(waits)[len(waits) // 2] * 1e3,
        store_bytes=after.store_bytes - before.store_bytes,
    )


async def serve(folder: Path, port: int) -> None:
    orders: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), _read_orders(orders.put_nowait))
    async with running(Settings(port=port, data=folder), kinds={NOTHING.name: NOTHING}) as hub:
        _say({"is_up": True})
        while order := await orders.get():
            match order.split():
                case ["usage"]:
                    _say(asdict(usage(hub)))
                case ["jobs", count, callers]:
                    _say(asdict(await jobs(hub, int(count), int(callers))))
                case _:
                    _say({"error": f"no such order: {order}"})


def _read_orders(put: Callable[[str], None]) -> Callable[[], None]:
    def read() -> None:
        # One order at a time: whoever gives them waits for each answer.
        put(os.read(sys.stdin.fileno(), 4096).decode().strip())

    return read


def _say(told: object) -> None:
    print(json.dumps(told), flush=True)


def main() -> None:
    folder, port, *profile = sys.argv[1:]
    configure(json_lines=True)
    spare_collector()  # as `deskhand-hub serve` does
    profiler = cProfile.Profile() if profile else None
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if profiler is not None:
            profiler.enable()
        runner.run(serve(Path(folder), int(port)))
        if profiler is not None:
            profiler.disable()
            profiler.dump_stats(profile[0])


if __name__ == "__main__":
    main()
