"""Workbooks are read as their owner sees them on the screen."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import ColumnKind, Table
from shared.errors import BadInput

FREE_RAM_BYTES = 1 << 30
ROWS = 60
START = dt.datetime.fromisoformat("2024-01-01")
TOWNS = ("Oslo", "Bergen", "Tromsø")


def read(tmp_path: Path, fill: Callable[[Any], None], **more: Any) -> Table:
    """Write a workbook whose sheets `fill` makes, and read it back."""
    book = openpyxl.Workbook()
    fill(book)
    path = tmp_path / "book.xlsx"
    book.save(path)
    return read_table(path, free_ram_bytes=FREE_RAM_BYTES, **more)


def shop_row(n: int) -> list[object]:
    return [TOWNS[n % 3], n * 1.25, n % 9, START + dt.timedelta(hours=7 * n)]


def shop(sheet: Any) -> None:
    sheet.append(["town", "amount", "count", "when"])
    for n in range(ROWS):
        sheet.append(shop_row(n))


def kinds(table: Table) -> dict[str, str]:
    return {column.name: column.kind.value for column in table.columns}


def test_numbers_dates_and_words_keep_what_they_are(tmp_path: Path) -> None:
    table = read(tmp_path, lambda book: shop(book.active))
    assert kinds(table) == {
        "town": "category",
        "amount": "number",
        "count": "number",
        "when": "date",
    }
    assert table.frame["amount"].tolist() == [n * 1.25 for n in range(ROWS)]
    assert table.frame["when"].iloc[5] == START + dt.timedelta(hours=35)
    assert table.frame["town"].iloc[2] == "Tromsø"
    assert table.report.encoding is None
    assert table.report.header_line == 1


def test_titles_above_and_a_margin_beside_the_table_are_no_part_of_it(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append(["Report of the third quarter"])
        sheet.append([])
        sheet.append([None, "town", "amount", "count", "when"])
        for n in range(ROWS):
            sheet.append([None, *shop_row(n)])

    table = read(tmp_path, fill)
    assert list(kinds(table)) == ["town", "amount", "count", "when"]
    assert table.report.rows == ROWS
    assert table.report.header_line == 3


def test_the_first_sheet_that_holds_a_table_is_taken_and_named(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.title = "Cover"
        shop(book.create_sheet("Data"))
        shop(book.create_sheet("Old"))

    table = read(tmp_path, fill)
    assert table.report.rows == ROWS
    assert any("Data" in warning for warning in table.report.warnings)


def test_leading_zeros_and_numbers_typed_as_text_are_judged_as_in_a_csv(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.append(["code", "price", "town"])
        for n in range(ROWS):
            book.active.append([f"{n % 20:05d}", f"{n},50", TOWNS[n % 3]])

    table = read(tmp_path, fill)
    assert table.frame["code"].iloc[7] == "00007"
    assert table.column("price").kind is ColumnKind.NUMBER
    assert table.frame["price"].iloc[7] == 7.5


def test_cells_that_show_an_error_are_missing(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.append(["ratio", "town"])
        for n in range(ROWS):
            book.active.append(["#DIV/0!" if n % 4 == 0 else n / 7, TOWNS[n % 3]])

    table = read(tmp_path, fill)
    assert table.column("ratio").kind is ColumnKind.NUMBER
    assert table.column("ratio").missing_share == 0.25


def test_true_and_false_are_two_classes(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.append(["paid", "amount"])
        for n in range(ROWS):
            book.active.append([n % 3 == 0, n * 1.5])

    column = read(tmp_path, fill).column("paid")
    assert column.kind is ColumnKind.CATEGORY
    assert column.distinct == 2


def test_merged_title_cells_and_empty_rows_in_between_do_no_harm(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append(["All our shops"])
        sheet.merge_cells("A1:D1")
        sheet.append(["town", "amount", "count", "when"])
        for n in range(ROWS):
            sheet.append(shop_row(n))
            if n == 30:
                sheet.append([])

    table = read(tmp_path, fill)
    assert table.report.rows == ROWS
    assert kinds(table)["when"] == "date"


def test_a_large_sheet_is_sampled_by_seed_and_says_so(tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        book.active.append(["n", "half"])
        for n in range(3000):
            book.active.append([n * 7 % 1000, n / 2])

    table = read(tmp_path, fill, rows_max=1000, seed=3)
    again = read(tmp_path, fill, rows_max=1000, seed=3)
    other = read(tmp_path, fill, rows_max=1000, seed=4)
    assert table.report.rows == pytest.approx(1000, rel=0.15)
    assert table.report.sampled_of == 3000
    assert table.frame.equals(again.frame)
    assert not table.frame.equals(other.frame)


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.95])
def test_a_workbook_cut_off_is_told_to_be_broken(tmp_path: Path, kept: float) -> None:
    book = openpyxl.Workbook()
    shop(book.active)
    path = tmp_path / "book.xlsx"
    book.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(BadInput) as failure:
        read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert failure.value.code == "file_broken"
    assert "book.xlsx" in failure.value.message
    assert failure.value.hint


def test_a_workbook_under_a_password_asks_for_one_without(tmp_path: Path) -> None:
    path = tmp_path / "secret.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096)
    with pytest.raises(BadInput) as failure:
        read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert failure.value.code == "file_locked"
    assert "password" in str(failure.value).lower()


def test_a_workbook_without_any_cell_is_empty(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as failure:
        read(tmp_path, lambda book: None)
    assert failure.value.code == "file_empty"


def test_a_sheet_with_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as failure:
        read(tmp_path, lambda book: book.active.append(["town", "amount"]))
    assert failure.value.code == "file_without_rows"


def test_a_zip_archive_named_as_a_workbook_is_told_to_be_broken(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "photos.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("holiday.jpg", b"\xff\xd8\xff")
    with pytest.raises(BadInput) as failure:
        read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert failure.value.code == "file_broken"


def test_a_csv_file_named_as_a_workbook_is_told_to_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "really.xlsx"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BadInput) as failure:
        read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert failure.value.code == "file_broken"


def test_a_row_that_calls_itself_the_hundred_billionth_is_not_waited_for(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    shop(book.active)
    whole, bent = tmp_path / "whole.xlsx", tmp_path / "bent.xlsx"
    book.save(whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(bent, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b'row r="60"', b'row r="99999999999"')
                content = re.sub(rb'r="([A-D])60"', rb'r="\g<1>99999999999"', content)
                assert b"99999999999" in content
            new.writestr(name, content)
    with pytest.raises(BadInput) as caught:
        read_table(bent, free_ram_bytes=FREE_RAM_BYTES)
    assert caught.value.code == "file_broken"
