"""How long a page of the list of tasks takes in a store of a million jobs, filter by filter.

    python -m tests.benchmarks.scale.task_rows [--jobs 1000000] [--keep FOLDER]

The store is written by SQL, not through a hub: what is measured is reading. It asserts nothing
about time; the disk and the cache decide. Each line is the median and the worst of several reads
on a connection of its own, as the hub's reading thread has it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path

from pydantic_core import to_json

from hub.core.task_row import RowCursor, RowFilter, RowPage, RowSort
from hub.store import task_rows
from hub.store.database import STORE_NAME, open_store
from shared.database import Reader
from shared.ids import PersonId, WorkerId, short, uuid7
from shared.jobs import JobState, Origin, Priority
from shared.times import from_ms

BEGAN_MS = 1_760_000_000_000
STEP_MS = 30_000
PEOPLE = ("anna", "ben")
WORKERS = 6
ROUNDS = 9
ROWS = 50
STATES = (
    [JobState.SUCCEEDED] * 960 + [JobState.FAILED] * 15 + [JobState.CANCELLED] * 20
    + [JobState.DEAD] * 4 + [JobState.INTERRUPTED] * 1
)  # fmt: skip
KINDS = ["ml.train"] * 60 + ["ml.predict"] * 30 + ["data.describe"] * 9 + ["files.send"]
AT_ONCE = 5_000
"""Jobs that are written in one go."""
WAITING = 3_000
"""Of the newest jobs, as many still wait."""
RESULT = json.dumps({"headline": "Trained.", "notes": ["n" * 300]})
ERROR = json.dumps({"code": "file_gone", "message": "sales.csv is gone.", "hint": "Bring it back."})


def fill(path: Path, jobs: int, *, waiting: int = WAITING) -> tuple[PersonId, list[WorkerId]]:
    """Write a store: two people, the first with nine jobs of ten; the newest wait."""
    dice = random.Random(6)
    people = [PersonId(uuid7(BEGAN_MS + n, dice.randbytes(10))) for n in range(len(PEOPLE))]
    workers = [WorkerId(uuid7(BEGAN_MS + 9 + n, dice.randbytes(10))) for n in range(WORKERS)]
    open_store(path).close()
    connection = sqlite3.connect(path / STORE_NAME, isolation_level=None)
    # A store that fails half-way is thrown away: nothing has to be safe, and each index is made
    # at once from all its rows.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = _drop_indexes(connection)
    connection.execute("BEGIN")
    for person_id, name in zip(people, PEOPLE, strict=True):
        connection.execute(
            "INSERT INTO people (person_id, name, created_ms) VALUES (?, ?, ?)",
            (person_id, name, BEGAN_MS),
        )
    for number, worker_id in enumerate(workers):
        connection.execute(
            "INSERT INTO workers (worker_id, person_id, name, capabilities, paired_ms,"
            " last_seen_ms) VALUES (?, ?, ?, '[]', ?, ?)",
            (worker_id, people[0], f"pc-{number}", BEGAN_MS, BEGAN_MS),
        )
    made = _jobs(jobs, people, workers, dice, waiting)
    while rows := list(islice(made, AT_ONCE)):
        tasks, works, told = zip(*rows, strict=True)
        connection.executemany("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)", tasks)
        connection.executemany(
            f"INSERT INTO jobs VALUES ({','.join('?' * 26)}, '', NULL, 0)", works
        )
        connection.executemany(
            "INSERT INTO events (person_id, device, epoch, seq, at, type, version, entity, body)"
            " VALUES (?, 'hub', 1, 1, ?, ?, 1, ?, ?)",
            chain.from_iterable(told),
        )
    # Its chats were told of all that: a start words nothing anew.
    connection.execute(
        "INSERT INTO outbox_cursor (one, hub_seq) SELECT 1, coalesce(max(hub_seq), 0) FROM events"
    )
    for index in indexes:
        connection.execute(index)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return people[0], workers


def _drop_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop every index that was made by a statement; return the statements that make them."""
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX [{name}]")
    return [sql for _, sql in found]


Values = tuple[object, ...]


def _jobs(
    jobs: int,
    people: list[PersonId],
    workers: list[WorkerId],
    dice: random.Random,
    waiting: int,
) -> Iterator[tuple[Values, Values, list[Values]]]:
    for number in range(jobs):
        at_ms = BEGAN_MS + number * STEP_MS
        task_id, job_id = (uuid7(at_ms, dice.randbytes(10)) for _ in range(2))
        person = people[0] if dice.random() < 0.9 else people[1]
        # The last worker is new, and has done little.
        worker = dice.choice(workers[:-1]) if dice.random() < 0.9999 else workers[-1]
        waits = number >= jobs - waiting
        state = JobState.QUEUED if waits else dice.choice(STATES)
        kind = dice.choice(KINDS)
        name = f"{dice.choice(('sales', 'churn', 'flights'))}_{number % 5000}.csv"
        title = f"{kind.partition('.')[2]} {name} Revenue"
        ended_ms, at = at_ms + dice.randrange(600_000), from_ms(at_ms).isoformat()
        is_bad = state in (JobState.FAILED, JobState.DEAD)
        yield (
            (task_id, person, f"/{title}", "telegram:4711", at_ms),
            (
                job_id, short(job_id), task_id, person, kind,
                "high" if dice.random() < 0.01 else "default", "[]", None, at_ms, title,
                _told({"file": name, "target": "Revenue", "note": "x" * 200}),
                "api" if dice.random() < 0.001 else "chat", "0" * 55, state, 1, int(not waits), 0,
                0, None if waits else worker, 0, None, "", None,
                RESULT,
                ERROR if is_bad else None, ended_ms,
            ),
            [
                (person, at, type_, job_id, _told(told))
                for type_, told in _story(job_id, task_id, kind, title, worker)
            ],
        )  # fmt: skip


def _told(value: object) -> str:
    return to_json(value).decode()


def _story(
    job_id: str, task_id: str, kind: str, title: str, worker: WorkerId
) -> Iterator[tuple[str, dict[str, object]]]:
    """What a job's events say."""
    names: dict[str, object] = {"job_id": job_id, "attempt": 1}
    yield "job_queued", {**names, "task_id": task_id, "kind": kind, "title": title}
    yield "job_granted", {**names, "fence": 1, "worker_id": worker}
    yield "job_started", {**names, "fence": 1}
    result = {"headline": "Trained."}
    yield "job_succeeded", {**names, "fence": 1, "result": result, "running_seconds": 1.0}


def looks(
    anna: PersonId, workers: list[WorkerId], jobs: int
) -> dict[str, tuple[RowFilter, RowSort]]:
    """Every filter alone, and what goes badly together."""
    middle = from_ms(BEGAN_MS + jobs // 2 * STEP_MS)

    def by(**told: object) -> RowFilter:
        return RowFilter(person_id=anna, **told)  # type: ignore[arg-type]

    states = {state.value: by(states=frozenset({state})) for state in JobState}
    wanted = {
        "all": by(),
        "everybody": RowFilter(),
        **states,
        "ended badly": by(states=frozenset({JobState.FAILED, JobState.DEAD})),
        "done or dead": by(states=frozenset({JobState.SUCCEEDED, JobState.DEAD})),
        "kind, common": by(kind="ml.train"),
        "kind, rare": by(kind="files.send"),
        "kind, none": by(kind="probe.run"),
        "worker, busy": by(worker_id=workers[0]),
        "worker, new": by(worker_id=workers[-1]),
        "worker new, kind rare": by(worker_id=workers[-1], kind="files.send"),
        "high": by(priority=Priority.HIGH),
        "low (none)": by(priority=Priority.LOW),
        "origin, rare": by(origin=Origin.API),
        "origin, none": by(origin=Origin.GROUP),
        "a day in the middle": by(since=middle, until=middle + timedelta(days=1)),
        "before the middle, rare": by(until=middle, origin=Origin.API),
        "words, common": by(words="churn"),
        "words, rare": by(words="sales_17.csv"),
        "words, none": by(words="zebra"),
        "two words": by(words="train flights_4999"),
        "short id": by(words="#ZZZZ"),
        "dead, words none": by(states=frozenset({JobState.DEAD}), words="zebra"),
    }
    newest = {name: (one, RowSort.NEWEST) for name, one in wanted.items()}
    oldest = {f"{name}, oldest": (wanted[name], RowSort.OLDEST) for name in ("all", "dead")}
    updated = {
        f"{name}, updated": (wanted[name], RowSort.UPDATED)
        for name in ("all", "everybody", "dead", "cancelled", "words, none")
    }
    return newest | oldest | updated


def look(wanted: RowFilter, sort: RowSort, connection: sqlite3.Connection) -> RowPage:
    return task_rows.page(connection, wanted, sort, None, ROWS)


async def measure(reader: Reader, run: Callable[[sqlite3.Connection], object]) -> list[float]:
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await reader.read(run)
        took.append((time.perf_counter() - began) * 1000)
    return took


def tell(name: str, took: list[float], note: str = "") -> None:
    print(f"{name:28} {statistics.median(took):7.1f} {max(took):7.1f} ms  {note}", flush=True)


async def main(jobs: int, folder: Path) -> None:
    if (folder / "told.json").exists():
        anna, workers = json.loads((folder / "told.json").read_text())
    else:
        began = time.monotonic()
        anna, workers = fill(folder, jobs)
        print(f"{jobs:,} jobs written in {time.monotonic() - began:.0f} s")
        (folder / "told.json").write_text(json.dumps([anna, workers]))
    reader = Reader(folder / STORE_NAME)
    print(f"{'':28} {'median':>7} {'worst':>7}")
    for name, (wanted, sort) in looks(anna, workers, jobs).items():
        first = partial(look, wanted, sort)
        found = await reader.read(first)
        note = f"{len(found.rows)} rows{', partial' if found.is_partial else ''}"
        tell(name, await measure(reader, first), note)
    deep = RowCursor(sort=RowSort.NEWEST, job_id=uuid7(BEGAN_MS + STEP_MS, bytes(10)))
    everything = RowFilter(person_id=anna)
    tell("the last page", await measure(
        reader, lambda c: task_rows.page(c, everything, RowSort.NEWEST, deep, ROWS)
    ))  # fmt: skip
    tell("counts", await measure(reader, lambda c: task_rows.counts(c, anna)))
    tell("counts, everybody", await measure(reader, lambda c: task_rows.counts(c, None)))
    tell("kinds", await measure(reader, lambda c: task_rows.kinds(c, anna)))
    reader.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as gone:
        kept = told.keep or Path(gone)
        kept.mkdir(parents=True, exist_ok=True)
        asyncio.run(main(told.jobs, kept))
