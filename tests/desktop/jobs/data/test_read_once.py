"""A table is read once in a session: the copy is the same table, and the file's word counts."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from desktop.jobs import describe, files
from desktop.jobs.data.read_once import KEPT_BYTES_MIN, read_once
from desktop.jobs.data.reading import read_table
from shared.kinds.data import DescribeInputs
from shared.kinds.files import HeadInputs
from tests.desktop.jobs.fake_context import FakeContext, context_of

TOWNS = ("Oslo", "Bergen", "", "Tromsø")
BEFORE = "was read before in this session."


def write(path: Path, rows: int = 9000) -> Path:
    """Every kind of column, with gaps in each."""
    with path.open("w", encoding="utf-8") as out:
        out.write("order,town,amount,paid,remark,country,spare\n")
        for n in range(rows):
            amount = "" if n % 7 == 0 else f"{n * 1.5}"
            paid = "" if n % 11 == 0 else f"2024-0{n % 9 + 1}-0{n % 7 + 1}"
            words = f"please call customer number {n} back" if n % 3 else ""
            out.write(f"A-{n},{TOWNS[n % 4]},{amount},{paid},{words},Norway,\n")
    return path


@pytest.fixture
def context(tmp_path: Path) -> FakeContext:
    return context_of(tmp_path)


def kept(context: FakeContext) -> list[Path]:
    return sorted(context.workspace.glob("*"))


def test_the_second_job_takes_what_the_first_one_read_and_it_is_the_same(
    context: FakeContext,
) -> None:
    path = write(context.folder / "sales.csv")
    fresh = read_table(path, free_ram_bytes=context.memory_bytes_max)
    first = read_once(context, path)
    assert context.lines == []
    second = read_once(context, path)
    assert context.lines == [f"sales.csv {BEFORE}"]
    for table in (first, second):
        pd.testing.assert_frame_equal(table.frame, fresh.frame)
        assert (table.columns, table.report) == (fresh.columns, fresh.report)


def test_describing_and_looking_share_one_reading(context: FakeContext) -> None:
    write(context.folder / "sales.csv")
    told = describe.run(context, DescribeInputs(file="sales.csv"))
    files.head(context, HeadInputs(file="sales.csv"))
    assert context.lines == [f"sales.csv {BEFORE}"]
    assert describe.run(context, DescribeInputs(file="sales.csv")) == told


def test_a_file_that_changed_is_read_anew_though_its_size_and_date_are_the_same(
    context: FakeContext,
) -> None:
    path = write(context.folder / "sales.csv")
    before = path.stat()
    first = read_once(context, path)
    text = path.read_text(encoding="utf-8").replace("A-1,Bergen", "A-1,Bodø!!", 1)
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read_once(context, path).frame["town"][1] != first.frame["town"][1]
    assert context.lines == []


def test_a_copy_that_is_damaged_is_read_anew(context: FakeContext) -> None:
    path = write(context.folder / "sales.csv")
    first = read_once(context, path)
    [copy] = kept(context)
    for damage in (b"", b"no arrow at all", copy.read_bytes()[:-2000]):
        copy.write_bytes(damage)
        again = read_once(context, path)
        pd.testing.assert_frame_equal(again.frame, first.frame)
        assert context.lines == []


def test_a_small_file_leaves_nothing(context: FakeContext) -> None:
    path = write(context.folder / "small.csv", rows=20)
    assert path.stat().st_size < KEPT_BYTES_MIN
    read_once(context, path)
    assert kept(context) == []


def test_a_part_of_a_table_is_kept_for_nobody(context: FakeContext) -> None:
    path = write(context.folder / "sales.csv")
    part = read_once(context, path, rows_max=100)
    assert part.report.sampled_of == 9000
    assert kept(context) == []
    whole = read_once(context, path, rows_max=None)
    assert (len(whole.frame), len(kept(context))) == (9000, 1)
    # What was kept whole is more than the next one may take.
    assert len(read_once(context, path, rows_max=100).frame) <= 200
    assert context.lines == []


def test_where_nothing_can_be_written_it_is_read_and_that_is_all(context: FakeContext) -> None:
    path = write(context.folder / "sales.csv")
    read_once(context, path)
    [copy] = kept(context)
    copy.unlink()
    copy.mkdir()
    assert len(read_once(context, path).frame) == 9000
    assert kept(context) == [copy]
    assert context.lines == []
