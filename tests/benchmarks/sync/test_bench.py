"""The sync's benchmark measures what it says: all events, on the disk of a real desktop."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from desktop.system.paths import Paths
from tests.benchmarks.queue.children import child
from tests.benchmarks.report import OURS, load, table
from tests.benchmarks.sync import limits
from tests.benchmarks.sync.bench import Bench, Scope, percentile, program

SMALL = Scope(sizes=(60, 130), away=60, nap=24, lags=3)


def test_what_is_measured_is_on_the_desktops_disk_and_trusted(tmp_path: Path) -> None:
    others = set(psutil.Process().children(recursive=True))
    with child(program("hub", tmp_path / "hub"), tmp_path / "hub.log") as hub:
        bench = Bench(SMALL, tmp_path / "sync.json", tmp_path, hub, peer="")
        part = bench.run()

    home = tmp_path / "new"
    with closing(sqlite3.connect(Paths(data=home, config=home).store)) as store:
        kept, doubted, signed = store.execute(
            "select count(*), sum(doubt != ''), sum(signature != '') from event"
        ).fetchone()
        lines = store.execute("select count(*) from copy_line").fetchone()[0]
    assert kept >= sum(SMALL.sizes[-1:]) + SMALL.away + SMALL.nap + 2 * SMALL.lags
    assert doubted == 0
    assert signed > kept / 2
    assert lines > kept
    for figure in part.figures:
        assert figure.median(OURS) > 0 or "lag" in figure.name
    assert len(part.growths[0].costs) == len(SMALL.sizes)
    assert table(load(tmp_path / "sync.json")) == table(part)
    assert not set(psutil.Process().children(recursive=True)) - others


def test_the_limit_writes_all_rows_of_the_store(tmp_path: Path) -> None:
    source = tmp_path / "store.db"
    with closing(sqlite3.connect(source)) as store, store:
        store.execute(f"create table event (step_id integer primary key, {limits.COLUMNS})")
        marks = ", ".join("?" * len(limits.COLUMNS.split(",")))
        store.executemany(
            f"insert into event ({limits.COLUMNS}) values ({marks})",
            [(n, "pc", 1, n, n, "", "t", 1, "", "{}", "", "") for n in range(1, 8)],
        )

    assert limits.insert(source, tmp_path)["seconds"] > 0
    assert limits.copied(source, tmp_path)["bytes"] >= source.stat().st_size
    assert limits.lines_of(source, tmp_path / "lines") == 7

    with closing(sqlite3.connect(tmp_path / "limit.db")) as written:
        assert written.execute("select count(*) from event").fetchone() == (7,)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.95, 4), (0.25, 1), (1.0, 4)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected
