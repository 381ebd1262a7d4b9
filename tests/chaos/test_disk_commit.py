"""A commit that the disk did not confirm: it was told as failed, so it must never come back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from shared.database import Database
from tests.chaos import disks
from tests.flows.programs import ROOT

PROGRAM = """
    import sqlite3, sys
    from pathlib import Path
    from shared.database import Database
    from shared.errors import Unavailable

    def create(c): c.execute("create table item(name text)")
    def add(name): return lambda c: c.execute("insert into item values (?)", (name,)) and None
    def names(c): return [row[0] for row in c.execute("select name from item")]

    database = Database(Path(sys.argv[1]), [create])
    database.submit(add("before")).result()
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        database.submit(add("during")).result()
    except Unavailable as error:
        print(error.code, flush=True)
    print(*database.submit(names).result(), flush=True)
    sys.stdin.readline()
"""


def create(connection: sqlite3.Connection) -> None:
    raise AssertionError("it is there")


def names(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("select name from item")]


@disks.is_linux
@pytest.mark.timeout(120)
def test_what_was_told_as_failed_is_gone_even_after_a_kill(tmp_path: Path) -> None:
    """Its pages are in the log, whole; only the sync failed. A recovery would take them in."""
    disks.needs_libfiu()
    path = tmp_path / "store"
    program = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path)]
    with subprocess.Popen(
        ["fiu-run", "-x", *program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        fault = f"enable name=posix/io/sync/fdatasync,onetime,failinfo={disks.EIO}"
        subprocess.run(["fiu-ctrl", "-c", fault, str(child.pid)], check=True, timeout=30)
        child.stdin.write("go\n")
        child.stdin.flush()
        assert child.stdout.readline() == "store_failed\n"
        assert child.stdout.readline() == "before\n"
        child.kill()
    with Database(path, [create]) as database:
        assert database.submit(names).result(10) == ["before"]
