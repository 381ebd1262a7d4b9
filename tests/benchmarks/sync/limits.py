"""What the same rows cost when nothing is checked and nothing is made of them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

COLUMNS = "hub_seq, device, epoch, seq, stamp, at, type, version, entity, body, signature, digest"


def insert(store: Path, folder: Path) -> dict[str, float]:
    """Write a store's events into a table of another one, in one commit with fsync."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source:
        rows = source.execute(f"select {COLUMNS} from event").fetchall()
    marks = ", ".join("?" * len(COLUMNS.split(",")))
    with closing(sqlite3.connect(folder / "limit.db", isolation_level=None)) as target:
        target.execute("pragma journal_mode = wal")
        target.execute("pragma synchronous = full")
        target.execute(f"create table event ({COLUMNS}, unique (device, epoch, seq))")
        begun, cpu = time.monotonic(), time.process_time()
        target.execute("begin")
        target.executemany(f"insert into event values ({marks})", rows)
        target.execute("commit")
        return {"seconds": time.monotonic() - begun, "cpu_seconds": time.process_time() - cpu}


def copied(store: Path, folder: Path) -> dict[str, float]:
    """Copy a store's file, bring it to the disk, open it and read a row."""
    finished, target = folder / "finished.db", folder / "copied.db"
    with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(finished)) as whole:
        source.backup(whole)  # as one file: a part of a store in use stands beside it
    begun, cpu = time.monotonic(), time.process_time()
    shutil.copyfile(finished, target)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("select max(step_id) from event").fetchone()
    return {
        "seconds": time.monotonic() - begun,
        "cpu_seconds": time.process_time() - cpu,
        "bytes": float(target.stat().st_size),
    }


def lines_of(store: Path, target: Path) -> int:
    """Write a store's events as a line of JSON each; return how many there are."""
    with (
        closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source,
        target.open("w") as file,
    ):
        rows = source.execute(
            "select json_object('hub_seq', hub_seq, 'device', device, 'epoch', epoch, 'seq', seq,"
            " 'at', at, 'type', type, 'entity', entity, 'body', json(body), 'signature', signature)"
            " from event order by step_id"
        )
        count = 0
        for (line,) in rows:
            file.write(f"{line}\n")
            count += 1
    return count
