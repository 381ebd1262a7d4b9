"""Goal G9: files as people have them are read as a careful person would."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.jobs.data.reading import read_table
from tests.desktop.jobs.data import zoo

FREE = 4 << 30


@pytest.mark.parametrize("case", [*zoo.SEEN, *zoo.UNSEEN], ids=lambda case: case.name)
def test_a_messy_file_is_read_as_a_careful_person_would(case: zoo.Case, tmp_path: Path) -> None:
    path = tmp_path / f"table{case.suffix}"
    path.write_bytes(case.content)

    table = read_table(path, free_ram_bytes=FREE)

    assert tuple(table.frame.columns) == tuple(case.names)
    assert tuple(column.name for column in table.columns) == tuple(case.names)
    assert len(table.frame) == case.rows == table.report.rows
    assert {name: table.kinds[name] for name in case.kinds} == case.kinds
    sums = {name: float(table.frame[name].sum()) for name in case.numbers}
    assert sums == pytest.approx(case.numbers)
    assert {name: table.frame[name].iloc[0] for name in case.texts} == case.texts
    days = {name: table.frame[name].iloc[0].date().isoformat() for name in case.dates}
    assert days == case.dates
    missing = {name: int(table.frame[name].isna().sum()) for name in case.missing}
    assert missing == case.missing
    assert tuple(row.line for row in table.report.skipped_rows) == case.skipped
    assert table.report.skipped == len(case.skipped)


def test_there_are_24_seen_and_at_least_24_unseen_cases() -> None:
    assert len(zoo.SEEN) == 24
    assert len(zoo.UNSEEN) >= 24
