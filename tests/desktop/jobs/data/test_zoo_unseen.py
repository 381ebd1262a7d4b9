"""Messy files nobody tuned the reader for are read as a person reads them (goal: 22 of 24)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import Table
from tests.desktop.jobs.data import zoo_unseen, zoo_unseen_more
from tests.desktop.jobs.data.zoo_kit import Case

FREE_RAM_BYTES = 4 << 30
RIGHT_SHARE_MIN = 22 / 24
CASES = {**zoo_unseen.CASES, **zoo_unseen_more.CASES}
KNOWN_WRONG: frozenset[str] = frozenset()
"""Cases the reader fails stay here until it reads them right."""


def read(case: Case, folder: Path) -> Table:
    path = folder / f"table{case.suffix}"
    path.write_bytes(case.content)
    return read_table(path, free_ram_bytes=FREE_RAM_BYTES)


def faults(case: Case, table: Table) -> list[str]:
    """Say what a person would see differently."""
    found: list[str] = []
    names = [column.name for column in table.columns]
    if len(names) != len(case.kinds) or (case.names_matter and names != list(case.kinds)):
        return [f"columns {names}"]
    if len(table.frame) != case.rows or table.report.rows != case.rows:
        found.append(f"{len(table.frame)} rows")
    if table.report.skipped != case.skipped or len(table.report.skipped_rows) != case.skipped:
        found.append(f"skipped {table.report.skipped_rows}")
    for column, kinds in zip(table.columns, case.kinds.values(), strict=True):
        if column.kind.value not in kinds.split("|"):
            found.append(f"{column.name!r} is {column.kind.value}")
    if not found:
        found += [
            f"{name}[{row}] is {shown(table.frame[name].iloc[row])!r}"
            for (row, name), value in case.cells.items()
            if not same(table.frame[name].iloc[row], value)
        ]
    return found


def shown(cell: object) -> object:
    return str(cell) if isinstance(cell, pd.Timestamp) else cell


def same(cell: object, value: object) -> bool:
    if value is None:
        return bool(pd.isna(cell))  # type: ignore[call-overload]
    if isinstance(cell, pd.Timestamp):
        return isinstance(value, str) and cell == pd.Timestamp(value)
    if isinstance(value, float):
        return cell == pytest.approx(value)
    return cell == value


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_unseen_messy_file_is_read_as_a_person_reads_it(name: str, tmp_path: Path) -> None:
    found = faults(CASES[name], read(CASES[name], tmp_path))
    if name in KNOWN_WRONG:
        assert found, f"'{name}' reads right now: take it out of KNOWN_WRONG"
    else:
        assert found == []


def test_few_unseen_files_are_read_wrong() -> None:
    assert len(CASES) == len(zoo_unseen.CASES) + len(zoo_unseen_more.CASES)
    assert set(CASES) >= KNOWN_WRONG
    assert 1 - len(KNOWN_WRONG) / len(CASES) >= RIGHT_SHARE_MIN
