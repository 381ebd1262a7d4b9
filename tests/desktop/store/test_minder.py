"""What has happened is written, however long the disk does not take it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.minder import Minder
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from tests.shared.faulty import Disk


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def database(tmp_path: Path, disk: Disk) -> Iterator[Database]:
    with open_store(tmp_path / "worker.sqlite3", care=disk.care()) as opened:
        yield opened


async def put(database: Database) -> None:
    await database.write(lambda connection: facts.put(connection, "name", "value"))


async def test_what_the_disk_does_not_take_is_tried_again_until_it_does(
    database: Database, disk: Disk
) -> None:
    disk.fail("COMMIT", sqlite3.SQLITE_FULL)
    disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC, times=2)
    await Minder(database, Environment()).insist(lambda: put(database))
    assert await database.read(lambda c: facts.get(c, "name")) == "value"
    assert disk.faults["COMMIT"] == []


async def test_what_waiting_does_not_mend_is_told_at_once(database: Database) -> None:
    tries = 0

    async def damaged() -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("store_corrupt", "The store is damaged.")

    with pytest.raises(AppError):
        await Minder(database, Environment()).insist(damaged)
    assert tries == 1


async def test_trouble_is_told_when_it_comes_and_when_it_is_over(
    database: Database, disk: Disk
) -> None:
    minder, codes, is_over = Minder(database, Environment()), [], asyncio.Event()

    def changed() -> None:
        codes.append(minder.trouble.code if minder.trouble else "")
        if minder.trouble is None:
            is_over.set()

    watching = asyncio.ensure_future(minder.watch(changed))  # noqa: TID251 (cancelled below)
    await asyncio.sleep(0)
    disk.fail("connect", sqlite3.SQLITE_CANTOPEN, times=5)
    disk.fail("COMMIT", sqlite3.SQLITE_IOERR_FSYNC)
    with pytest.raises(Unavailable):
        await put(database)
    async with asyncio.timeout(10):
        await is_over.wait()
    watching.cancel()
    assert codes[-1] == ""
    assert database.trouble is None


async def test_a_damaged_store_ends_the_watch(database: Database) -> None:
    database.trouble = Unavailable("store_corrupt", "The store is damaged.")
    with pytest.raises(Unavailable):
        await Minder(database, Environment()).watch(lambda: None)
