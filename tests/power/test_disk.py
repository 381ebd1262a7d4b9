"""The disk of the power cuts: what may be there afterwards, and what may not."""

from __future__ import annotations

import random
from pathlib import Path

from tests.power.disk import Disk, Luck, images
from tests.power.trace import Create, Rename, Said, Step, Sync, Truncate, Unlink, Write, steps

CHANCE = random.Random(1)
NEW = b"n" * 2048
MADE: list[Step] = [Create("a"), Write("a", 0, b"o" * 2048), Sync("a"), Sync("")]


def after(*more: Step) -> Disk:
    disk = Disk()
    for step in (*MADE, *more):
        disk.take(step)
    return disk


def seen(disk: Disk) -> set[bytes]:
    return {disk.image(Luck.MIXED, CHANCE).files.get("a", b"gone") for _ in range(300)}


def test_what_was_synced_is_always_there() -> None:
    assert seen(after(Write("a", 0, NEW), Sync("a"))) == {NEW}


def test_what_was_not_synced_is_there_or_lost_or_torn_at_sectors() -> None:
    found = seen(after(Write("a", 0, NEW)))
    assert {NEW, b"o" * 2048} < found
    assert len(found) == 16, "four sectors, each old or new"
    assert after(Write("a", 0, NEW)).image(Luck.LOST, CHANCE).files["a"] == b"o" * 2048
    assert after(Write("a", 0, NEW)).image(Luck.KEPT, CHANCE).files["a"] == NEW


def test_writes_reach_the_disk_in_any_order() -> None:
    found = seen(after(Write("a", 0, b"1" * 512), Write("a", 512, b"2" * 512)))
    assert b"o" * 512 + b"2" * 512 + b"o" * 1024 in found


def test_a_new_file_may_be_gone_until_its_folder_is_synced() -> None:
    made = (Create("b"), Write("b", 0, b"x"), Sync("b"))
    kept = [after(*made).image(Luck.MIXED, CHANCE).files.get("b") for _ in range(50)]
    assert set(kept) == {None, b"x"}
    assert after(*made, Sync("")).image(Luck.LOST, CHANCE).files["b"] == b"x"


def test_a_deleted_file_may_come_back_until_its_folder_is_synced() -> None:
    assert seen(after(Unlink("a"))) == {b"gone", b"o" * 2048}
    assert seen(after(Unlink("a"), Sync(""))) == {b"gone"}


def test_a_new_name_is_there_with_what_was_synced_or_not_at_all() -> None:
    moved = (Create("b"), Write("b", 0, b"x"), Sync("b"), Rename("b", "a"))
    assert seen(after(*moved)) == {b"x", b"o" * 2048, b"o" * 2048}


def test_a_file_that_is_cut_short_is_so_or_is_not() -> None:
    assert seen(after(Truncate("a", 512))) == {b"o" * 512, b"o" * 2048}


def test_a_cut_knows_what_was_said_before_it() -> None:
    told: list[Step] = [*MADE, Said('{"a": 1}\n'), Write("a", 0, NEW), Said('{"a": 2}\n')]
    cuts = [(len(MADE), Luck.LOST, 1), (len(told), Luck.LOST, 1)]
    assert [image.said for _, image in images(told, cuts)] == [(), ('{"a": 1}', '{"a": 2}')]


def test_a_trace_is_read_as_it_happened(tmp_path: Path) -> None:
    def hexed(text: str) -> str:
        return "".join(f"\\x{ord(letter):02x}" for letter in text)

    store, said = tmp_path / "store", tmp_path / "said"
    db, wal, word = hexed(f"{store}/db"), hexed(f"{store}/wal"), hexed(str(said))
    folder, other = hexed(str(store)), hexed("/elsewhere")
    lines = [
        f'7 openat(AT_FDCWD, "{db}", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3<{db}>',
        f'7 openat(AT_FDCWD, "{other}", O_RDWR|O_CREAT, 0644) = 9<{other}>',
        f'7 pwrite64(3<{db}>, "{hexed("abc")}", 3, 4096) = 3',
        f"8 fdatasync(3<{db}> <unfinished ...>",
        f'7 write(4<{word}>, "{hexed("too early")}", 9) = 9',
        "8 <... fdatasync resumed>) = 0",
        f'7 write(4<{word}>, "{hexed("told")}", 4) = 4',
        f"7 fsync(5<{folder}>) = 0",
        f"7 fdatasync(3<{db}>) = -1 EIO (Input/output error)",
        f"7 ftruncate(3<{db}>, 8192) = 0",
        f'7 unlink("{wal}") = 0',
        f'7 rename("{db}", "{wal}") = 0',
    ]
    assert list(steps(lines, store, said)) == [
        Create("db"),
        Write("db", 4096, b"abc"),
        Said("too early"),
        Sync("db"),
        Said("told"),
        Sync(""),
        Truncate("db", 8192),
        Unlink("wal"),
        Rename("db", "wal"),
    ]
