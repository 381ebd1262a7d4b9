"""A backup: made beside a hub that writes, sound, secret, and brought back whole."""

from __future__ import annotations

import sqlite3
import stat
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from hub.services.backups import Backups
from hub.store import backup_folder
from hub.store.backup import read_contents, unpack, write_backup
from hub.store.database import STORE_NAME, open_store
from hub.store.ledger import Entry, Ledger
from shared.errors import BadInput, Unavailable
from shared.events import WorkerPaired
from shared.ids import PersonId, WorkerId
from tests.makers import NOON, hand_environment

ANNA = PersonId("anna")


def tell(entry: Entry, count: int = 1) -> None:
    for _ in range(count):
        body = WorkerPaired(worker_id=WorkerId("w"), name="w")
        entry.tell(ANNA, body, entity="w")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    environment, _ = hand_environment()
    return Ledger(open_store(tmp_path), environment)


async def test_a_backup_of_a_running_hub_holds_what_was_committed(
    tmp_path: Path, ledger: Ledger
) -> None:
    await ledger.write(lambda entry: tell(entry, 3))
    (tmp_path / "admin.key").write_text("dh_admin_secret")
    target = tmp_path / "one.backup"
    contents = backup_folder.back_up(tmp_path, target, at=NOON, version="1.2")
    await ledger.write(tell)
    ledger.database.close()
    assert (contents.hub_seq, contents.made_at, contents.version) == (3, NOON, "1.2")
    assert contents.hub_epoch == ledger.hub_epoch
    assert contents == read_contents(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not target.with_name("one.backup.part").exists()
    back = tmp_path / "back"
    back.mkdir()
    files = unpack(target, back / STORE_NAME)
    assert files == {"admin.key": b"dh_admin_secret"}
    with open_store(back) as store:
        tables = store.submit(
            lambda c: {row[0] for row in c.execute("SELECT name FROM sqlite_schema")}
        ).result()
        assert not {"backup_about", "backup_file"} & tables
        assert store.submit(lambda c: c.execute("SELECT count(*) FROM events").fetchone()).result()


async def test_a_hub_writes_on_while_a_backup_is_made(tmp_path: Path, ledger: Ledger) -> None:
    await ledger.write(lambda entry: tell(entry, 5_000))
    done = threading.Event()
    made: list[int] = []

    def back_up() -> None:
        for number in range(3):
            target = tmp_path / f"{number}.backup"
            made.append(backup_folder.back_up(tmp_path, target, at=NOON, version="1").hub_seq)
        done.set()

    thread = threading.Thread(target=back_up)
    thread.start()
    during = 0
    while not done.is_set():
        await ledger.write(tell)
        during += 1
    thread.join()
    ledger.database.close()
    assert during > 0
    assert made == sorted(made)
    assert 5_000 <= made[0] <= made[-1] <= 5_000 + during


def test_a_damaged_backup_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    target = tmp_path / "one.backup"
    backup_folder.back_up(tmp_path, target, at=NOON, version="1")
    ledger.database.close()
    content = bytearray(target.read_bytes())
    for place in range(8192, len(content), 512):
        content[place : place + 64] = b"\xff" * 64
    target.write_bytes(content)
    with pytest.raises(BadInput) as told:
        read_contents(target)
    assert told.value.code in ("backup_damaged", "backup_unreadable")


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, ledger: Ledger) -> None:
    ledger.database.close()
    for name, code in ((STORE_NAME, "backup_unreadable"), ("absent", "backup_unreadable")):
        with pytest.raises(BadInput) as told:
            read_contents(tmp_path / name)
        assert told.value.code == code


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "c:\\evil"])
def test_a_backup_that_names_files_elsewhere_is_refused(
    tmp_path: Path, ledger: Ledger, name: str
) -> None:
    target = tmp_path / "one.backup"
    write_backup(tmp_path / STORE_NAME, target, {name: b"x"}, at=NOON, version="1")
    ledger.database.close()
    with pytest.raises(BadInput) as told:
        unpack(target, tmp_path / "back.sqlite3")
    assert told.value.code == "backup_unreadable"
    assert not (tmp_path / "back.sqlite3").exists()


def test_a_backup_that_fails_leaves_the_older_one_and_nothing_else(
    tmp_path: Path, ledger: Ledger
) -> None:
    target = tmp_path / "one.backup"
    backup_folder.back_up(tmp_path, target, at=NOON, version="1")
    ledger.database.close()
    before = target.read_bytes()
    store = tmp_path / STORE_NAME
    content = bytearray(store.read_bytes())
    content[100:4096] = b"\xff" * 3996
    store.write_bytes(content)
    with pytest.raises(Unavailable):
        backup_folder.back_up(tmp_path, target, at=NOON, version="1")
    assert target.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


async def test_the_hub_makes_a_backup_a_day_and_keeps_the_newest(tmp_path: Path) -> None:
    environment, clock = hand_environment()
    database = open_store(tmp_path)
    Ledger(database, environment)
    backups = Backups(tmp_path, environment, keep=3, version="1")
    made = []
    for _ in range(10):
        made.append(await backups.run_once())
        clock.advance(timedelta(hours=12).total_seconds())
    database.close()
    assert made == [True, False] * 5
    kept = [at for at, _ in backup_folder.backups_in(tmp_path)]
    assert kept == [NOON + timedelta(days=day) for day in (2, 3, 4)]


async def test_a_backup_of_a_clock_that_was_wrong_puts_no_other_off(tmp_path: Path) -> None:
    environment, clock = hand_environment()
    database = open_store(tmp_path)
    Ledger(database, environment)
    backups = Backups(tmp_path, environment, keep=3, version="1")
    clock.advance(timedelta(days=3000).total_seconds())
    assert await backups.run_once()
    clock.jump(-timedelta(days=3000).total_seconds())
    assert await backups.run_once()
    database.close()


def test_a_store_is_never_opened_for_writing_by_a_backup(tmp_path: Path, ledger: Ledger) -> None:
    with sqlite3.connect(f"file:{tmp_path / STORE_NAME}?mode=ro", uri=True) as reader:
        version = reader.execute("PRAGMA data_version").fetchone()
        backup_folder.back_up(tmp_path, tmp_path / "one.backup", at=NOON, version="1")
        assert reader.execute("PRAGMA data_version").fetchone() == version
    ledger.database.close()
