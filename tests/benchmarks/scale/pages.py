"""A store of many jobs: what its dashboards' queries take, and a restart on it.

Stores take long to write, so that they are kept below .benchmarks/stores; the largest that is there
is measured.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.core.task_row import RowCursor, RowFilter, RowSort
from hub.store import task_rows as rows
from hub.store.database import STORE_NAME
from shared.database import Reader
from shared.ids import PersonId, WorkerId, uuid7
from tests.benchmarks.footprint import free_port, start_hub, stop
from tests.benchmarks.machine import WORK, scratch
from tests.benchmarks.report import OURS, Part
from tests.benchmarks.scale import task_rows
from tests.benchmarks.scale.hub import store_bytes
from tests.benchmarks.scale.restart import first_offer
from tests.benchmarks.scale.sizes import Sizes
from tests.benchmarks.scale.stores import look_at_queue
from tests.benchmarks.scale.world import percentile
from tests.enrolled import Machine, enrol_machine

GOAL_JOBS, GOAL_MS, GOAL_SECONDS = 1_000_000, 50.0, 1.0
STARTS = 3
KIND = "ml.train"
TOLD = "told.json"
EMPTY_JOBS = 10


def measure_pages(part: Part, sizes: Sizes) -> None:
    """Ask every query of the pages, fetch one, and restart."""
    begun = time.monotonic()
    folder, jobs = _chosen(sizes)
    anna, workers, machine = kept_in(folder, jobs)
    wrote = time.monotonic() - begun
    mib = store_bytes(folder) / 2**20
    part.notes.append(
        f"The store has {jobs:,} jobs ({mib:,.0f} MiB)"
        + (f" and took {wrote:.0f} s to write." if wrote > 1 else ", kept from an earlier run.")
        + (
            f" The goals are for {GOAL_JOBS:,}: `--store-jobs {GOAL_JOBS}` keeps such one."
            if jobs < GOAL_JOBS
            else ""
        )
    )
    measure_queries(part, folder, anna, workers, jobs)
    _measure_page(part, folder, jobs)
    _measure_restart(part, folder, machine, jobs)


def _chosen(sizes: Sizes) -> tuple[Path, int]:
    """Where the store is, or is to be, and how many jobs it has."""
    digest = hashlib.sha256(Path(task_rows.__file__).read_bytes()).hexdigest()[:8]
    stores = WORK / "stores"
    whole = [one.parent for one in stores.glob(f"*-{digest}/{TOLD}")]
    jobs = [int(one.name.partition("-")[0]) for one in whole] if sizes.may_take_larger else []
    most = max([sizes.store_jobs, *jobs])
    return stores / f"{most}-{digest}", most


def kept_in(folder: Path, jobs: int) -> tuple[PersonId, list[WorkerId], Machine]:
    """Return who is in a kept store, which is written if it is not there.

    The person with most jobs, their machines, and one more that can be called with.
    """
    if not (folder / TOLD).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        anna, workers = task_rows.fill(folder, jobs, waiting=min(jobs, task_rows.WAITING))
        machine = enrol_machine(folder, anna, "the one that calls", (KIND,))
        told = [anna, workers, [machine.worker_id, machine.name, machine.token]]
        (folder / TOLD).write_text(json.dumps(told))
    anna, workers, (worker_id, name, token) = json.loads((folder / TOLD).read_text())
    return anna, workers, Machine(worker_id, name, token)


def measure_queries(
    part: Part, folder: Path, anna: PersonId, workers: list[WorkerId], jobs: int
) -> None:
    found, least = asyncio.run(_ask_all(folder, anna, workers, jobs))
    slow = {name: took for name, took in found.items() if took >= GOAL_MS}
    worst = max(found, key=lambda name: found[name])
    goal = f"each below {GOAL_MS:.0f} ms" if jobs >= GOAL_JOBS else ""
    slowest = part.figure(
        f"slowest of {len(found)} dashboard queries, {jobs:,} jobs", "ms", better="less", goal=goal
    )
    slowest.add(OURS, found[worst])
    slowest.add("limit", least, stands="50 rows by primary key, no filter")
    told = ", ".join(f"{name} {took:.0f} ms" for name, took in slow.items())
    slowest.why = f"“{worst}”, the median of {task_rows.ROUNDS}."
    if goal:
        slowest.judge(not slow, f"{len(slow)} of {len(found)} take longer: {told}." if slow else "")
    middle = part.figure("median of these queries", "ms", better="less")
    middle.add(OURS, statistics.median(found.values()))


async def _ask_all(
    folder: Path, anna: PersonId, workers: list[WorkerId], jobs: int
) -> tuple[dict[str, float], float]:
    """The median of each query, in ms, and of the least that a query of 50 rows could be."""
    reader = Reader(folder / STORE_NAME)
    asked = {
        name: partial(task_rows.look, wanted, sort)
        for name, (wanted, sort) in task_rows.looks(anna, workers, jobs).items()
    }
    found: dict[str, float] = {}
    try:
        for name, look in asked.items():
            found[name] = statistics.median(await task_rows.measure(reader, look))
        first = uuid7(task_rows.BEGAN_MS + task_rows.STEP_MS, bytes(10))
        deep = RowCursor(sort=RowSort.NEWEST, job_id=first)
        everything = RowFilter(person_id=anna)
        last = partial(
            rows.page, wanted=everything, sort=RowSort.NEWEST, cursor=deep, limit=task_rows.ROWS
        )
        found["the last page"] = statistics.median(await task_rows.measure(reader, last))
        counts: dict[str, Callable[[sqlite3.Connection], object]] = {
            "counts": partial(rows.counts, person_id=anna),
            "counts, everybody": partial(rows.counts, person_id=None),
            "kinds": partial(rows.kinds, person_id=anna),
        }
        for name, count in counts.items():
            found[name] = statistics.median(await task_rows.measure(reader, count))
        return found, statistics.median(await task_rows.measure(reader, _least))
    finally:
        reader.close()


def _least(connection: sqlite3.Connection) -> object:
    return connection.execute("SELECT * FROM jobs ORDER BY job_id DESC LIMIT 50").fetchall()


def _measure_page(part: Part, folder: Path, jobs: int) -> None:
    port = free_port()
    hub, _ = start_hub(folder, port)
    try:
        waits, cpu_ms = look_at_queue(hub, folder, port)
    finally:
        stop(hub)
    page = part.figure(f"queue page over HTTP, {jobs:,} jobs, p50", "ms", better="less")
    page.add(OURS, statistics.median(waits))
    page.why = f"p95 {percentile(waits, 0.95):.0f} ms; the hub uses {cpu_ms:.1f} ms of CPU for one."


def _measure_restart(part: Part, folder: Path, machine: Machine, jobs: int) -> None:
    goal = f"at most {GOAL_SECONDS:.0f} s" if jobs >= GOAL_JOBS else ""
    restart = part.figure(
        f"restart to the first dispatch, {jobs:,} jobs", "s", better="less", goal=goal
    )
    cpu = part.figure("CPU of the hub until then", "s", better="less")
    with scratch() as empty:
        _, _, other = kept_in(empty / "hub", EMPTY_JOBS)
        # The first start has more to do: a key for its commands, statistics for its queries.
        for number in range(1 + STARTS):
            large = first_offer(folder, machine, KIND)
            small = first_offer(empty / "hub", other, KIND)
            if number:
                for figure, ours, least in zip((restart, cpu), large, small, strict=True):
                    figure.add(OURS, ours)
                    figure.add("limit", least, stands=f"the same hub, {EMPTY_JOBS} jobs")
    restart.why = (
        "From the start of the program, Python and imports included; one worker calls every 10 ms."
    )
    if goal:
        restart.judge(restart.median() <= GOAL_SECONDS, restart.why)
