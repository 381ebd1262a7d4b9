"""Transactions are durable when they return, torn never, and undone alone."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.database import Database, peek
from shared.errors import Unavailable


def create(connection: sqlite3.Connection) -> None:
    connection.execute("create table item(id integer primary key, name text unique)")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "store.sqlite3", [create]) as opened:
        yield opened


def add(name: str) -> Callable[[sqlite3.Connection], int]:
    def run(connection: sqlite3.Connection) -> int:
        cursor = connection.execute("insert into item(name) values (?)", (name,))
        return cursor.lastrowid or 0

    return run


def count(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from item").fetchone()[0])


async def test_a_write_returns_its_value_and_is_there_afterwards(database: Database) -> None:
    assert await database.write(add("one")) == 1
    assert await database.read(count) == 1


async def test_a_write_that_raises_is_undone_alone_within_its_group(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("insert into item(name) values ('half')")
        raise ValueError("in the middle")

    results = await asyncio.gather(
        *(database.write(add(f"before {n}")) for n in range(50)),
        database.write(half),
        *(database.write(add(f"after {n}")) for n in range(50)),
        return_exceptions=True,
    )
    assert [r for r in results if isinstance(r, Exception)] == [results[50]]
    assert isinstance(results[50], ValueError)
    assert await database.read(count) == 100


def test_functions_that_wait_together_share_a_commit(database: Database) -> None:
    commits: list[str] = []
    gate = threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(
            lambda statement: commits.append(statement) if statement == "COMMIT" else None
        )
        assert gate.wait(10)

    held = database.submit(hold)
    waiting = [database.submit(add(str(n))) for n in range(2000)]
    gate.set()
    held.result(10)
    for written in waiting:
        written.result(10)
    assert database.submit(count).result(10) == 2000
    assert len(commits) <= 3, "one for the gate, one for all that waited, one for the count"


async def test_a_constraint_is_told_to_its_caller(database: Database) -> None:
    await database.write(add("same"))
    with pytest.raises(sqlite3.IntegrityError):
        await database.write(add("same"))


def test_migrations_run_once_each_and_in_order(tmp_path: Path) -> None:
    ran: list[int] = []

    def second(connection: sqlite3.Connection) -> None:
        ran.append(2)
        connection.execute("alter table item add column colour text")

    path = tmp_path / "store.sqlite3"
    Database(path, [create]).close()
    Database(path, [create, second]).close()
    Database(path, [create, second]).close()
    assert ran == [2]


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Database(path, [create]).close()

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("drop table item")
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        Database(path, [create, broken])
    with Database(path, [create]) as again:
        assert again.submit(count).result(10) == 0


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Database(path, [create, lambda connection: None]).close()
    with pytest.raises(Unavailable) as caught:
        Database(path, [create])
    assert caught.value.code == "store_newer"


def test_a_file_that_is_no_store_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    path.write_bytes(b"this was never a database, whatever its name says" * 100)
    with pytest.raises(Unavailable) as caught:
        Database(path, [create])
    assert caught.value.code == "store_corrupt"
    assert "store.sqlite3" in caught.value.message


def test_the_store_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    Database(path, [create]).close()
    assert path.stat().st_mode & 0o077 == 0


async def test_peeking_reads_a_store_in_use_and_cannot_change_it(database: Database) -> None:
    await database.write(add("one"))
    with peek(database.path) as connection:
        assert count(connection) == 1
    with pytest.raises(Unavailable) as caught, peek(database.path) as connection:
        connection.execute("insert into item(name) values ('two')")
    assert caught.value.code == "store_unreadable"
    assert await database.read(count) == 1


def test_peeking_at_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with pytest.raises(Unavailable), peek(tmp_path / "store.sqlite3"):
        pass
    assert not (tmp_path / "store.sqlite3").exists()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "store.sqlite3", [create])
    database.close()
    database.close()
    with pytest.raises(Unavailable) as caught:
        await database.write(add("late"))
    assert caught.value.code == "store_closed"


async def test_a_full_disk_is_told_and_harms_nothing(database: Database) -> None:
    await database.write(add("kept"))

    def shrink(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def grow(connection: sqlite3.Connection) -> None:
        for n in range(10_000):
            connection.execute("insert into item(name) values (?)", (f"{n:0200}",))

    await database.write(shrink)
    with pytest.raises(Unavailable) as caught:
        await database.write(grow)
    assert caught.value.code == "disk_full"
    assert await database.read(count) == 1


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from shared.database import Database, peek

        def create(c): c.execute("create table item(id integer primary key, name text)")

        async def main():
            database = Database(Path(sys.argv[1]), [create])
            async def one(n):
                await database.write(lambda c: c.execute("insert into item values (?, 'x')", (n,)))
                print(n, flush=True)
            for start in range(1, 100000, 20):
                await asyncio.gather(*(one(n) for n in range(start, start + 20)))

        asyncio.run(main())
        """
    )
    path = tmp_path / "store.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        acknowledged = {int(child.stdout.readline()) for _ in range(300)}
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split("\n")[:-1]
        acknowledged |= {int(line) for line in rest if line.isdecimal()}
    with sqlite3.connect(path) as connection:
        stored = {row[0] for row in connection.execute("select id from item")}
    connection.close()
    assert acknowledged <= stored
    assert len(acknowledged) >= 300


async def test_without_a_thread_what_waits_together_is_committed_when_the_pace_says(
    tmp_path: Path,
) -> None:
    told: list[Callable[[], None]] = []
    with Database(tmp_path / "store.sqlite3", [create], pace=told.append) as database:
        first, second = database.post(add("one")), database.post(add("two"))
        [commit] = told
        await asyncio.sleep(0)
        assert not first.done()
        commit()
        assert (await first, await second) == (1, 2)
        assert database.submit(count).result() == 2
        reader = database.reader()
        assert await reader.read(count) == 2
        reader.close()


async def test_a_crash_loses_what_was_not_committed_and_nothing_else(tmp_path: Path) -> None:
    told: list[Callable[[], None]] = []
    path = tmp_path / "store.sqlite3"
    database = Database(path, [create], pace=told.append)
    kept = database.post(add("kept"))
    told.pop()()
    await kept
    lost = database.post(add("lost"))
    database.crash()
    told.pop()()
    await asyncio.sleep(0)
    assert not lost.done()
    with pytest.raises(Unavailable, match="closed"):
        await database.write(add("late"))
    with Database(path, [create]) as again:
        assert await again.read(count) == 1
