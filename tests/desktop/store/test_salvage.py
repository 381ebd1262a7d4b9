"""A damaged store is set aside; the new one knows who it is and what the hub has not got."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.store import copy_tables, facts, identity, outbox, salvage, saying
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.salvage import MENDED, open_own_store
from shared.database import Database
from shared.errors import Unavailable
from shared.events import TaskRequested
from shared.ids import JobId, TaskId, WorkerId
from shared.store_file import Care

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ASIDE = "worker.sqlite3.corrupt-20261121-120000"
PAGE_BYTES = 4096
PAIRING = Pairing(
    hub_url="http://127.0.0.1:1",
    worker_id=WorkerId("anna-pc"),
    worker_name="anna-pc",
    hub_name="home",
    person_name="anna",
)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a pairing, one request that the hub has got, and two that it has not."""
    path = tmp_path / "worker.sqlite3"
    with open_own_store(path) as database:
        database.submit(lambda c: facts.save_pairing(c, PAIRING)).result()
        database.submit(lambda c: facts.put(c, "language", "de")).result()
        for name in ("known", "new", "newer"):
            ask(database, name)
        database.submit(lambda c: outbox.acknowledge(c, 1)).result()
        identity.note(path, database.submit(identity.told).result())
    return path


def ask(database: Database, name: str) -> None:
    body = TaskRequested(
        task_id=TaskId(f"task of {name}"), job_id=JobId(name), kind="ml.train", text=name
    )
    database.submit(lambda c: saying.say(c, body, at=NOW)).result()


def damage_index(path: Path) -> None:
    """Damage what no salvage needs: the store is found damaged, and all can be read."""
    with open_store(path) as database:
        [[page]] = database.submit(
            lambda c: c.execute(
                "select rootpage from sqlite_schema where name = 'copy_job_title'"
            ).fetchall()
        ).result()
    write_over(path, page)


def write_over(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(b"\x5a" * PAGE_BYTES)
    path.with_name(f"{path.name}.suspect").touch()


def ruin(path: Path) -> None:
    """Leave nothing of a store that could be read."""
    path.write_bytes(b"\x5a" * path.stat().st_size)


def test_what_can_be_read_is_taken_over_and_told_under_new_numbers(store: Path) -> None:
    damage_index(store)
    with open_own_store(store, NOW) as database:
        assert database.submit(facts.pairing).result() == PAIRING
        assert database.submit(facts.epoch).result() == 2, "numbers may have been used unseen"
        assert database.submit(facts.hub_cursor).result() == ("", 0), "the hub tells all again"
        assert database.submit(lambda c: facts.get(c, "language")).result() == "de"
        waiting = database.submit(lambda c: outbox.read(c, start=1, count_max=9)).result()
        assert [(event.epoch, event.seq, event.body["job_id"]) for event in waiting] == [
            (2, 1, "new"),
            (2, 2, "newer"),
        ]
        assert database.submit(lambda c: copy_tables.asked_here(c, JobId("known"))).result()
    assert (store.parent / ASIDE).exists()
    assert not store.with_name(f"{store.name}.salvage").exists()


def test_a_store_that_cannot_be_read_at_all_leaves_its_pairing(store: Path) -> None:
    ruin(store)
    with open_own_store(store, NOW) as database:
        assert database.submit(facts.pairing).result() == PAIRING
        assert database.submit(facts.epoch).result() == 2
        assert database.submit(outbox.waiting).result() == 0
        told = database.submit(lambda c: salvage.mended(c, store.parent)).result()
    assert told is not None
    assert "are lost" in told.message
    assert ASIDE in told.hint


def test_the_person_is_told_until_the_damaged_store_is_removed(store: Path) -> None:
    damage_index(store)
    with open_own_store(store, NOW) as database:
        told = database.submit(lambda c: salvage.mended(c, store.parent)).result()
        assert told is not None
        assert told.code == MENDED
        assert "2 changes that the hub had not got were saved" in told.message
        assert "lost" not in told.message
        (store.parent / ASIDE).unlink()
        assert database.submit(lambda c: salvage.mended(c, store.parent)).result() is None


@pytest.mark.parametrize("after", ["note", "aside", "half a new one"])
def test_a_crash_in_between_is_gone_on_from(store: Path, after: str) -> None:
    damage_index(store)
    found = salvage.read_damaged(store, ASIDE)
    note = store.with_name(f"{store.name}.salvage")
    note.write_text(found.model_dump_json())
    if after != "note":
        store.rename(store.parent / ASIDE)
    if after == "half a new one":
        open_store(store).close()
    with open_own_store(store, NOW) as database:
        assert database.submit(facts.pairing).result() == PAIRING
        assert database.submit(outbox.waiting).result() == 2
    assert (store.parent / ASIDE).exists()
    assert not note.exists()


def test_a_sound_store_is_opened_as_it_is(store: Path) -> None:
    with open_own_store(store, NOW) as database:
        assert database.submit(facts.epoch).result() == 1
        assert database.submit(lambda c: salvage.mended(c, store.parent)).result() is None
    assert not (store.parent / ASIDE).exists()


def test_a_store_of_a_newer_program_is_not_set_aside(store: Path) -> None:
    with open_store(store) as database:
        database.submit(lambda c: c.execute("pragma user_version = 999").fetchall()).result()
    with pytest.raises(Unavailable) as caught:
        open_own_store(store, NOW)
    assert caught.value.code == "store_newer"
    assert not (store.parent / ASIDE).exists()


def test_a_machine_that_left_its_hub_does_not_come_back_to_it(store: Path) -> None:
    with open_own_store(store) as database:
        database.submit(facts.forget_pairing).result()
    open_own_store(store).close()
    ruin(store)
    with open_own_store(store, NOW, care=Care()) as database:
        assert database.submit(facts.pairing).result() is None


def test_no_secret_lies_beside_the_store(store: Path) -> None:
    beside = identity.path_beside(store)
    assert set(identity.load(store)) >= {"hub_url", "worker_id", "epoch"}
    assert beside.stat().st_mode & 0o077 == 0
