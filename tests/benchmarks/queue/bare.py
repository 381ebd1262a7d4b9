"""The least that a hub in Python could take for a job: the limit beside the hub's CPU.

    python -m tests.benchmarks.queue.bare PORT

A program that answers every request with 201 and a task, on the server that the hub stands on
(uvicorn, httptools, uvloop): no key, no model, no store. It takes one order, "usage". `rows_us` is
the other half: what SQLite takes to keep the rows that a job leaves. What a hub is for (checks,
decisions, the workers' frames) comes on top of both.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from tests.benchmarks.footprint import free_port
from tests.benchmarks.queue.children import child, ours
from tests.benchmarks.scale.orders import read_orders, say

TABLES = ("tasks", "jobs", "sessions", "events")
"""What a job leaves in the hub's store."""
JOBS_A_COMMIT = 64
TASK = b'{"task_id":"%s","text":"nothing","jobs":[%s]}' % (b"0" * 36, b" " * 600)
"""About as long as the hub's answer."""
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


def http_us(jobs: int, callers: int, folder: Path) -> float:
    """CPU of a bare server for a request such as asks for a job, in µs."""
    port = free_port()
    with (
        child(ours("bare", str(port)), folder / "bare.log") as server,
        child(ours("producer", f"http://127.0.0.1:{port}", "none"), folder / "p.log") as producer,
    ):
        server.answer()
        producer.ask(f"{callers} {callers} 0")
        before = server.ask("usage")["cpu_seconds"]
        producer.ask(f"{jobs} {callers} 0")
        seconds: float = server.ask("usage")["cpu_seconds"] - before
        return seconds / jobs * 1e6


def rows_us(store: Path, folder: Path) -> float:
    """CPU of SQLite for the rows of a job, in µs: those of a hub's store, written once more.

    Args:
        store: of a hub that has ended.
        folder: where the other one is written, with the same tables, indexes and durability.
    """
    copy = folder / "rows.sqlite3"
    with contextlib.closing(sqlite3.connect(store)) as source:
        rows = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
        made = source.execute(
            "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND tbl_name IN"
            f" ({','.join('?' * len(TABLES))}) ORDER BY type DESC",
            TABLES,
        ).fetchall()
    jobs = len(rows["jobs"])
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"):
            target.execute(f"PRAGMA {pragma}")
        for (statement,) in made:
            target.execute(statement)
        begun = time.thread_time()
        for start in range(0, jobs, JOBS_A_COMMIT):
            target.execute("BEGIN IMMEDIATE")
            for name, those in rows.items():
                # As many of each as these jobs have left.
                first, last = (len(those) * n // jobs for n in (start, start + JOBS_A_COMMIT))
                marks = ",".join("?" * len(those[0]))
                target.executemany(f"INSERT INTO {name} VALUES ({marks})", those[first:last])
            target.execute("COMMIT")
        return (time.thread_time() - begun) / jobs * 1e6


async def answer(scope: Event, receive: Receive, send: Send) -> None:
    assert scope["type"] == "http"
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-length", str(len(TASK)).encode()), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 201, "headers": headers})
    await send({"type": "http.response.body", "body": TASK})


async def serve(port: int) -> None:
    config = uvicorn.Config(
        answer, port=port, lifespan="off", loop="none", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve())
        orders = read_orders()
        while not server.started:
            await asyncio.sleep(0.01)
        say({"is_up": True})
        while await orders.get():
            say({"cpu_seconds": time.process_time()})
        serving.cancel()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
