"""Snapshots: what is whole is taken in, what is not is refused before anything of it is."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.link.snapshot import LINE_BYTES_MAX, Snapshots, unpacked
from hub.store.database import STORE_NAME, open_store
from hub.store.ledger import Entry, Ledger
from hub.store.snapshots import write_snapshot
from shared.errors import AppError
from shared.events import LateResult, WorkerPaired, write_event
from shared.ids import JobId, PersonId, WorkerId
from shared.messages import Events
from shared.snapshot import SnapshotEnd, SnapshotHead
from tests.makers import NOON, hand_environment

ANNA, BEN = PersonId("anna"), PersonId("ben")


@pytest.fixture
async def packed(tmp_path: Path) -> bytes:
    """Anna's part of a log of 8, of which Ben has 2."""
    environment, _ = hand_environment()
    ledger = Ledger(open_store(tmp_path), environment)

    def tell(entry: Entry) -> None:
        for number in range(3):
            body = WorkerPaired(worker_id=WorkerId("w"), name='"näme"\n')
            entry.tell(BEN if number == 1 else ANNA, body, entity="w")
        late = LateResult(job_id=JobId("j"), attempt=1, outcome="…")
        entry.keep(ANNA, write_event(late, device="w", epoch=2, seq=7, at=NOON, hlc=2**52))

    await ledger.write(tell)
    await ledger.write(tell)
    ledger.database.close()
    head = SnapshotHead(hub_epoch="h", after=1, upto=8, count=0)
    write_snapshot(tmp_path / STORE_NAME, tmp_path / "one.gz", ANNA, head)
    return (tmp_path / "one.gz").read_bytes()


def snapshots(tmp_path: Path, packed: bytes) -> Snapshots:
    file = tmp_path / "snapshot.part"
    file.write_bytes(packed)
    return Snapshots("http://127.0.0.1:1", "token", file)


def read(tmp_path: Path, packed: bytes, *, hub_seq: int = 1) -> list[Events]:
    found = snapshots(tmp_path, packed)
    return list(found.blocks(found._check("h", hub_seq)))


async def test_a_snapshot_holds_what_the_line_would_tell(tmp_path: Path, packed: bytes) -> None:
    [block] = read(tmp_path, packed)
    assert (block.after, block.upto) == (1, 8)
    assert [told.hub_seq for told in block.events] == [3, 4, 5, 7, 8]
    environment, _ = hand_environment()
    ledger = Ledger(open_store(tmp_path), environment)
    from hub.store import events

    facts = await ledger.read(lambda c: events.of_person_after(c, ANNA, 1, 100))
    assert tuple(fact.numbered for fact in facts) == block.events
    ledger.database.close()


def lines_of(packed: bytes) -> list[bytes]:
    return gzip.decompress(packed).splitlines(keepends=True)


def without_an_event(packed: bytes) -> bytes:
    lines = lines_of(packed)
    return gzip.compress(b"".join([lines[0], *lines[2:]]))


def with_an_event_more(packed: bytes) -> bytes:
    lines = lines_of(packed)
    return gzip.compress(b"".join([*lines[:2], *lines[1:]]))


def with_another_word(packed: bytes) -> bytes:
    return gzip.compress(gzip.decompress(packed).replace(b"late_result", b"late_resent"))


def cut_off(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def cut_off_before_its_end(packed: bytes) -> bytes:
    return gzip.compress(b"".join(lines_of(packed)[:-1]))


def not_packed(packed: bytes) -> bytes:
    return gzip.decompress(packed)


def empty(_packed: bytes) -> bytes:
    return b""


def a_line_without_end(packed: bytes) -> bytes:
    return gzip.compress(lines_of(packed)[0] + b"x" * (LINE_BYTES_MAX * 40))


@pytest.mark.parametrize(
    "spoil",
    [
        without_an_event,
        with_an_event_more,
        with_another_word,
        cut_off,
        cut_off_before_its_end,
        not_packed,
        empty,
        a_line_without_end,
    ],
)
def test_a_snapshot_that_is_not_whole_is_refused(
    tmp_path: Path, packed: bytes, spoil: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 (`fetch` makes one error of them)
        read(tmp_path, spoil(packed))
    assert not isinstance(refused.value, AssertionError)


def test_a_snapshot_that_begins_after_the_copys_end_is_refused(
    tmp_path: Path, packed: bytes
) -> None:
    with pytest.raises(AppError) as refused:
        read(tmp_path, packed, hub_seq=0)
    assert refused.value.code == "snapshot_unusable"


def test_a_small_file_that_unpacks_to_much_is_read_a_little_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "bomb.gz"
    line = b"y" * 1000 + b"\n"
    file.write_bytes(gzip.compress(line * 50_000))
    assert file.stat().st_size < 200_000
    assert sum(len(found) for found in unpacked(file)) == 1000 * 50_000


def test_an_end_tells_the_hash_of_what_stands_before_it(packed: bytes) -> None:
    *before, last = lines_of(packed)
    end = SnapshotEnd.model_validate_json(last)
    assert end.sha256 == hashlib.sha256(b"".join(before)).hexdigest()
