"""A disk that fails or is full: nothing is acknowledged, nothing torn, and it goes on by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from shared import store_check
from shared.ballast import Ballast
from shared.database import Database, Reader
from shared.errors import AppError, Unavailable
from shared.store_file import Care, needs_one_writer, was_unclean
from tests.shared.faulty import Disk

LATE = Care(check_late_bytes=0)
SHORT_READ = sqlite3.SQLITE_IOERR_SHORT_READ
FSYNC = sqlite3.SQLITE_IOERR_FSYNC


def create(connection: sqlite3.Connection) -> None:
    connection.execute("create table item(name text unique)")


def add(name: str) -> Callable[[sqlite3.Connection], None]:
    def run(connection: sqlite3.Connection) -> None:
        connection.execute("insert into item(name) values (?)", (name,))

    return run


def names(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("select name from item order by name")]


def watched(database: Database) -> tuple[list[str], threading.Event]:
    """Note each trouble by its code; the event is set once there is none."""
    codes: list[str] = []
    is_over = threading.Event()

    def note() -> None:
        codes.append(database.trouble.code if database.trouble else "")
        if database.trouble is None:
            is_over.set()

    database.trouble_listeners.append(note)
    return codes, is_over


@pytest.fixture
def disk() -> Disk:
    return Disk()


async def test_a_commit_that_fails_is_not_acknowledged_and_the_store_goes_on(
    tmp_path: Path, disk: Disk
) -> None:
    with Database(tmp_path / "store", [create], care=disk.care()) as database:
        await database.write(add("before"))
        disk.fail("COMMIT", FSYNC)
        with pytest.raises(Unavailable) as caught:
            await database.write(add("during"))
        assert caught.value.code == "store_failed"
        await database.write(add("after"))
        assert await database.read(names) == ["after", "before"]
        assert disk.opened == 2, "the connection was opened anew"
        assert database.trouble is None


async def test_a_read_that_meets_a_failing_disk_is_told_in_words(
    tmp_path: Path, disk: Disk
) -> None:
    with Database(tmp_path / "store", [create], care=disk.care()) as database:
        await database.write(add("before"))
        disk.fail("select", SHORT_READ)
        with pytest.raises(AppError) as caught:
            await database.read(names)
        assert caught.value.code == "store_failed"
        assert await database.read(names) == ["before"]
        assert disk.opened == 2


async def test_what_shares_a_commit_with_a_fault_is_undone_with_it(
    tmp_path: Path, disk: Disk
) -> None:
    with Database(tmp_path / "store", [create], care=disk.care()) as database:
        is_held, gate = threading.Event(), threading.Event()

        def hold(_connection: sqlite3.Connection) -> bool:
            is_held.set()
            return gate.wait(10)

        held = database.submit(hold)
        assert is_held.wait(10)
        writes = [database.post(add(name)) for name in ("one", "two")]
        reading = database.post(names)
        disk.fail("select", SHORT_READ)
        gate.set()
        told = await asyncio.gather(*writes, reading, return_exceptions=True)
        assert {error.code for error in told if isinstance(error, AppError)} == {"store_failed"}
        assert len(told) == 3
        assert held.result(10)
        assert await database.read(names) == []


def test_a_disk_that_stays_broken_is_tried_again_without_being_asked(
    tmp_path: Path, disk: Disk
) -> None:
    with Database(tmp_path / "store", [create], care=disk.care()) as database:
        codes, is_over = watched(database)
        disk.fail("COMMIT", FSYNC)
        disk.fail("connect", sqlite3.SQLITE_CANTOPEN, times=3)
        with pytest.raises(Unavailable):
            database.submit(add("during")).result(10)
        assert is_over.wait(10), "nobody asked, and yet it was opened anew"
        assert codes == ["store_failed", ""]
        database.submit(add("after")).result(10)
        assert database.submit(names).result(10) == ["after"]


def test_what_could_not_be_committed_never_comes_back(tmp_path: Path, disk: Disk) -> None:
    """Its pages lie in the log; a commit of our own is written over them before anything else."""
    path = tmp_path / "store"
    with Database(path, [create], care=disk.care()) as database:
        database.submit(add("before")).result(10)
        size = path.with_name("store-wal").stat().st_size
        disk.fail("COMMIT", FSYNC)
        with pytest.raises(Unavailable):
            database.submit(add("during")).result(10)
        database.submit(names).result(10)
        assert path.with_name("store-wal").stat().st_size > size, "the fence is a commit"


async def test_a_damaged_store_is_refused_from_then_on(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "store"
    Database(path, [create, fill]).close()
    with Database(path, [create, fill], care=disk.care()) as database:
        damage(path)
        disk.fail("COMMIT", sqlite3.SQLITE_CORRUPT)
        with pytest.raises(AppError):
            await database.write(add("met it"))
        with pytest.raises(AppError) as caught:
            await database.write(add("too late"))
        assert caught.value.code == "store_corrupt"
        assert database.trouble is not None
        assert database.trouble.code == "store_corrupt"
    with pytest.raises(Unavailable) as caught:
        Database(path, [create, fill])
    assert caught.value.code == "store_corrupt", "closing it well does not make it sound"


def test_a_store_that_was_closed_well_is_not_read_through_at_its_start(
    tmp_path: Path, disk: Disk
) -> None:
    path = tmp_path / "store"
    Database(path, [create]).close()
    assert not was_unclean(path)
    disk.fail("PRAGMA quick_check", SHORT_READ)
    Database(path, [create], care=disk.care()).close()
    assert disk.faults["PRAGMA quick_check"] == [SHORT_READ], "nobody has asked for it"


def test_a_store_that_was_not_closed_is_checked_at_its_start(tmp_path: Path, disk: Disk) -> None:
    left = left_open(tmp_path)
    assert was_unclean(left)
    disk.fail("PRAGMA quick_check", SHORT_READ)
    with pytest.raises(Unavailable) as caught:
        Database(left, [create, fill], care=disk.care())
    assert caught.value.code == "store_unreadable"
    with Database(left, [create, fill], care=disk.care()) as database:
        assert "kept" in database.submit(names).result(10)
    assert not was_unclean(left)


def test_a_store_that_was_left_damaged_is_refused(tmp_path: Path) -> None:
    left = left_open(tmp_path)
    damage(left)
    with pytest.raises(Unavailable) as caught:
        Database(left, [create, fill], care=Care(repair_hint="do this"))
    assert (caught.value.code, caught.value.hint) == ("store_corrupt", "do this")


def test_a_large_store_of_a_killed_program_is_used_while_it_is_checked(tmp_path: Path) -> None:
    left = left_open(tmp_path)
    with Database(left, [create, fill], care=LATE) as database:
        assert "kept" in database.submit(names).result(10)
        assert database.late_check is not None
        database.late_check.join()
        database.submit(add("after")).result(10)
        assert database.trouble is None
    assert not was_unclean(left)
    with Database(left, [create, fill], care=LATE) as database:
        assert database.late_check is None, "it was closed well"


def test_damage_that_is_found_late_refuses_everything_from_then_on(tmp_path: Path) -> None:
    left = left_open(tmp_path)
    damage(left)
    with Database(left, [create, fill], care=LATE) as database:
        wait_until(lambda: database.trouble is not None)
        assert database.trouble is not None
        assert database.trouble.code == "store_corrupt"
        with pytest.raises(Unavailable) as caught:
            database.submit(add("too late")).result(10)
        assert caught.value.code == "store_corrupt"
    with pytest.raises(Unavailable) as caught:
        Database(left, [create, fill], care=LATE)
    assert caught.value.code == "store_corrupt", "the mark makes it be looked at first"


def test_a_check_that_is_cut_short_is_made_up_for_at_the_next_start(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_open(tmp_path)
    monkeypatch.setattr(store_check, "check", check_for_ever)
    with Database(left, [create, fill], care=LATE) as database:
        database.submit(add("meanwhile")).result(10)
    assert was_unclean(left), "nobody has looked it through"
    disk.fail("PRAGMA quick_check", SHORT_READ)
    with pytest.raises(Unavailable) as caught:
        Database(left, [create, fill], care=disk.care(check_late_bytes=0))
    assert caught.value.code == "store_unreadable", "it was checked before anything else"
    with Database(left, [create, fill], care=LATE) as database:
        assert "meanwhile" in database.submit(names).result(10)
    assert not was_unclean(left)


def test_a_store_that_was_not_checked_yet_is_checked_at_its_next_start(tmp_path: Path) -> None:
    left = left_open(tmp_path)
    damage(left)
    Database(left, [create, fill], care=Care(check_late_bytes=0, check_late_seconds=60)).close()
    with pytest.raises(Unavailable) as caught:
        Database(left, [create, fill], care=LATE)
    assert caught.value.code == "store_corrupt"


def test_a_store_that_is_to_be_migrated_is_checked_before(tmp_path: Path, disk: Disk) -> None:
    left = left_open(tmp_path)
    disk.fail("PRAGMA quick_check", SHORT_READ)
    with pytest.raises(Unavailable):
        Database(left, [create, fill, fill], care=disk.care(check_late_bytes=0))
    assert not disk.faults["PRAGMA quick_check"], "it was asked for"


def check_for_ever(connection: sqlite3.Connection, _path: Path, _care: Care) -> None:
    """Stand for the check of a store of any size: it is SQLite's own, which heeds few signs."""
    for errors_max in count(1):  # a statement of its own each time: their steps are not added up
        connection.execute(f"PRAGMA quick_check({errors_max})").fetchone()


def test_a_full_disk_frees_the_ballast_and_makes_it_again(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "store"
    ballast = Ballast(path, 4096)
    with Database(path, [create], care=disk.care()) as database:
        codes, is_over = watched(database)
        wait_until(lambda: ballast.is_there)
        was_there: list[bool] = []
        database.trouble_listeners.append(lambda: was_there.append(ballast.is_there))
        disk.fail("COMMIT", sqlite3.SQLITE_FULL)
        with pytest.raises(Unavailable) as caught:
            database.submit(add("during")).result(10)
        assert caught.value.code == "disk_full"
        assert codes[:1] == ["disk_full"]
        assert is_over.wait(10)
        assert was_there[0] is False, "what is written now has its room"
        assert ballast.is_there
        assert database.submit(names).result(10) == []
        assert disk.opened == 1, "a full disk is no reason to distrust the connection"


def test_a_ballast_takes_real_room_and_leaves_as_much(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "store", 1024 * 1024)
    assert ballast.make()
    assert ballast.path.stat().st_size == 1024 * 1024
    assert ballast.path.stat().st_blocks * 512 >= 1024 * 1024, "a hole would be no room"
    assert ballast.free()
    assert not ballast.free()
    assert not Ballast(tmp_path / "store", 10**15).make()
    assert list(tmp_path.iterdir()) == []


async def test_a_reader_takes_another_connection_after_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with Database(path, [create]) as database:
        await database.write(add("one"))
        reader = Reader(path)
        with pytest.raises(Unavailable):
            await reader.read(lambda c: c.execute("select * from nothing").fetchall())
        assert await reader.read(names) == ["one"]
        reader.close()


def test_a_reader_that_is_the_last_to_leave_neither_checkpoints_nor_deletes_the_log(
    tmp_path: Path,
) -> None:
    left = left_open(tmp_path)
    log = left.with_name(f"{left.name}-wal")
    before = left.read_bytes(), log.read_bytes()
    reader = sqlite3.connect(f"{left.as_uri()}?mode=ro", uri=True)
    assert "kept" in names(reader)
    reader.close()
    assert (left.read_bytes(), log.read_bytes()) == before


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 50, 6), True),
        ((3, 50, 7), False), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), False),
    ],
)  # fmt: skip
def test_versions_of_sqlite_that_bear_one_writer_only_are_known(
    version: tuple[int, int, int], is_affected: bool
) -> None:
    assert needs_one_writer(version) is is_affected


def left_open(folder: Path) -> Path:
    """Return a store as a program leaves it that was killed."""
    Database(folder / "used", [create, fill]).close()
    with Database(folder / "used", [create, fill]) as database:
        database.submit(add("kept")).result(10)
        copy = folder / "left"
        copy.write_bytes((folder / "used").read_bytes())
        copy.with_name("left-wal").write_bytes((folder / "used-wal").read_bytes())
    return copy


def fill(connection: sqlite3.Connection) -> None:
    for number in range(2000):
        connection.execute("insert into item(name) values (?)", (f"{number:0100}",))


def damage(path: Path) -> None:
    """Write nonsense over pages of a store, as a dying disk does."""
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\x5a" * 4096 * 4)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came")
