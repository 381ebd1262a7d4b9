"""Parquet files say what their columns are; the table believes them where it can."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import ColumnKind, Table
from shared.errors import BadInput

FREE_RAM_BYTES = 1 << 30
ROWS = 300


def write(tmp_path: Path, table: pa.Table) -> Path:
    path = tmp_path / "table.parquet"
    pq.write_table(table, path)
    return path


def read(tmp_path: Path, columns: dict[str, Any], **more: Any) -> Table:
    return read_table(
        write(tmp_path, pa.table(columns)), **{"free_ram_bytes": FREE_RAM_BYTES, **more}
    )


def test_types_of_the_file_become_kinds(tmp_path: Path) -> None:
    start = dt.datetime(2024, 3, 1, tzinfo=dt.UTC)
    table = read(
        tmp_path,
        {
            "whole": pa.array([n % 50 for n in range(ROWS)], pa.int16()),
            "part": pa.array([None if n % 10 == 0 else n / 7 for n in range(ROWS)], pa.float32()),
            "money": pa.array([n / 4 for n in range(ROWS)]).cast(pa.decimal128(12, 2)),
            "flag": [n % 3 == 0 for n in range(ROWS)],
            "mark": pa.array(["x", "y", None] * (ROWS // 3)).dictionary_encode(),
            "day": pa.array([start.date() + dt.timedelta(days=n % 90) for n in range(ROWS)]),
            "at": pa.array([start + dt.timedelta(hours=n) for n in range(ROWS)]).cast(
                pa.timestamp("us", tz="Europe/Berlin")
            ),
            "nothing": pa.nulls(ROWS),
        },
    )
    assert {column.name: column.kind.value for column in table.columns} == {
        "whole": "number",
        "part": "number",
        "money": "number",
        "flag": "category",
        "mark": "category",
        "day": "date",
        "at": "date",
        "nothing": "empty",
    }
    assert table.column("part").missing_share == pytest.approx(0.1)
    assert table.column("mark").missing_share == pytest.approx(1 / 3)
    assert table.frame["money"].iloc[5] == 1.25
    assert table.frame["at"].iloc[5] == pd.Timestamp("2024-03-01 05:00")
    assert str(table.frame["at"].dtype) == "datetime64[ns]"
    assert table.frame["day"].iloc[1] == pd.Timestamp("2024-03-02")


def test_columns_with_one_name_are_told_apart(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        pa.Table.from_arrays([pa.array([1.5, 2.5, 3.5] * 9), pa.array([4, 5, 6] * 9)], ["a", "a"]),
    )
    table = read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    names = [column.name for column in table.columns]
    assert len(set(names)) == 2
    assert table.frame[names[1]].iloc[0] == 4


def test_nested_columns_do_not_stop_the_others_from_being_read(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        {
            "size": [n * 1.5 for n in range(ROWS)],
            "tags": [["a", "b"][: n % 3] for n in range(ROWS)],
            "place": [{"x": n, "y": n} for n in range(ROWS)],
        },
    )
    assert table.column("size").kind is ColumnKind.NUMBER
    assert table.frame["size"].iloc[4] == 6.0


def test_a_large_file_is_sampled_by_seed_and_says_so(tmp_path: Path) -> None:
    columns = {"n": [n * 7 % 1000 for n in range(5000)], "half": [n / 2 for n in range(5000)]}
    table = read(tmp_path, columns, rows_max=1000, seed=1)
    assert table.report.rows == pytest.approx(1000, rel=0.15)
    assert table.report.sampled_of == 5000
    assert table.frame.equals(read(tmp_path, columns, rows_max=1000, seed=1).frame)
    assert not table.frame.equals(read(tmp_path, columns, rows_max=1000, seed=2).frame)


def test_a_file_without_rows_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as failure:
        read(tmp_path, {"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})
    assert failure.value.code == "file_without_rows"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_file_cut_off_is_told_to_be_broken(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path, pa.table({"a": list(range(1000)), "b": ["x"] * 1000}))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(BadInput) as failure:
        read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert failure.value.code == "file_broken"
    assert failure.value.hint


def test_bytes_damaged_in_the_middle_never_crash_the_reader(tmp_path: Path) -> None:
    path = write(tmp_path, pa.table({"a": list(range(1000)), "b": ["xyz", "uvw"] * 500}))
    content = path.read_bytes()
    outcomes = set()
    for place in range(4, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
        try:
            read_table(path, free_ram_bytes=FREE_RAM_BYTES)
            outcomes.add("read")
        except BadInput as failure:
            outcomes.add(failure.code)
    assert "file_broken" in outcomes
    assert outcomes <= {"read", "file_broken", "file_without_rows"}
