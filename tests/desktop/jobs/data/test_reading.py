"""One door for all files: what comes back, what is left out, and what is refused in words."""

from __future__ import annotations

import datetime as dt
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import SKIPPED_NAMED_MAX, Table
from shared.errors import AppError, LimitReached

FREE = 4 << 30
MEGABYTE = 1 << 20


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, content: str | bytes, name: str = "table.csv") -> Table:
    return read_table(written(folder, content, name), free_ram_bytes=FREE)


def refusal(path: Path, free_ram_bytes: int = FREE) -> AppError:
    with pytest.raises(AppError) as caught:
        read_table(path, free_ram_bytes=free_ram_bytes)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value


def frame() -> pd.DataFrame:
    count = 60
    return pd.DataFrame(
        {
            "price": np.round(np.linspace(-5, 900, count), 3),
            "city": [("Köln", "Zürich", "Łódź")[n % 3] for n in range(count)],
            "pieces": [n * 7 % 13 for n in range(count)],
            "sold": pd.date_range("2024-02-27 10:30", periods=count, freq="25h"),
            "zip": [f"{n % 9:05d}" for n in range(count)],
            "is_new": [n % 2 == 0 for n in range(count)],
        }
    )


FORMATS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "table.csv": lambda table, path: table.to_csv(path, index=False),
    "table.tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "table.txt": lambda table, path: table.to_csv(path, index=False, sep="|"),
    "table.xlsx": lambda table, path: table.to_excel(path, index=False),
    "table.parquet": lambda table, path: table.to_parquet(path, index=False),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_table(name: str, tmp_path: Path) -> None:
    given = frame()
    FORMATS[name](given, tmp_path / name)

    table = read_table(tmp_path / name, free_ram_bytes=FREE)

    assert table.kinds == {
        "price": "number",
        "city": "category",
        "pieces": "number",
        "sold": "date",
        "zip": "category",
        "is_new": "category",
    }
    assert table.frame["price"].to_numpy() == pytest.approx(given["price"].to_numpy())
    assert table.frame["price"].dtype == np.float64
    assert table.frame["sold"].tolist() == given["sold"].tolist()
    assert str(table.frame["sold"].dtype) == "datetime64[ns]"
    assert table.frame["zip"].tolist() == given["zip"].tolist()
    assert table.frame["city"].dtype == "str"
    assert table.column("is_new").distinct == 2
    assert table.report.warnings == ()


def test_the_report_names_the_file_and_its_fingerprint(tmp_path: Path) -> None:
    content = "a;b\n1;x\n3;y\n"
    report = read(tmp_path, content).report
    assert report.file == "table.csv"
    assert report.file_bytes == len(content)
    assert report.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert (report.encoding, report.delimiter, report.header_line) == ("utf-8", ";", 1)
    assert report.rows == 2
    assert report.sampled_of is None


def test_every_broken_row_is_counted_and_the_first_twenty_are_named(tmp_path: Path) -> None:
    broken = [n for n in range(1, 2001) if n % 40 == 0]
    rows = [f"{n},{n * 3},x,too,much" if n in broken else f"{n},{n * 3},x" for n in range(1, 2001)]
    table = read(tmp_path, "\n".join(["id,price,mark", *rows]))
    assert len(table.frame) == 1950
    assert table.report.skipped == 50
    named = [(row.line, row.reason) for row in table.report.skipped_rows]
    assert named == [(n + 1, "5 fields instead of 3") for n in broken[:SKIPPED_NAMED_MAX]]
    assert table.report.warnings == (
        "50 rows were left out: line 41 (5 fields instead of 3), "
        "line 81 (5 fields instead of 3), line 121 (5 fields instead of 3) and 47 more.",
    )


@pytest.mark.parametrize(
    ("header", "row"),
    [("effect,n", "effect,{n}"), ("effect,mark", "effect,{mark}"), ("effect", "e{n}")],
)
def test_a_name_that_is_a_value_as_well_is_still_a_name(
    header: str, row: str, tmp_path: Path
) -> None:
    rows = [row.format(n=n * 3, mark="abc"[n % 3]) for n in range(40)]
    table = read(tmp_path, "\n".join([header, *rows]))
    assert ",".join(table.frame.columns) == header
    assert len(table.frame) == 40


def test_remarks_of_any_width_above_the_header_are_left_out(tmp_path: Path) -> None:
    remarks = "# a, b\n# by hand\n# x, y, z\n"
    table = read(tmp_path, remarks + "id,mark,x\n1,b,c,d\n" + "3,b,c\n" * 9 + "4\n")
    assert list(table.frame.columns) == ["id", "mark", "x"]
    assert (table.report.rows, table.report.skipped) == (9, 2)


def test_words_that_all_come_again_below_are_no_names(tmp_path: Path) -> None:
    rows = [f"{'abc'[n % 3]},{'xy'[n % 2]}" for n in range(40)]
    table = read(tmp_path, "\n".join(rows))
    assert list(table.frame.columns) == ["column 1", "column 2"]
    assert len(table.frame) == 40
    assert "The file has no header; its columns were numbered." in table.report.warnings


def test_an_open_quote_costs_one_row_even_when_the_file_is_long(tmp_path: Path) -> None:
    rows = [f'{n},"{n * 3}",x' for n in range(1, 1001)]
    rows[499] = '500,"1500,x'
    table = read(tmp_path, "\n".join(["id,price,mark", *rows]))
    assert len(table.frame) == 999
    assert [(row.line, row.reason) for row in table.report.skipped_rows] == [
        (501, "a quote is never closed")
    ]


def test_a_file_above_rows_max_is_sampled_by_seed_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "x,y\n" + "".join(f"{n},{n % 7}\n" for n in range(5000)))

    first, again, other = (
        read_table(path, free_ram_bytes=FREE, rows_max=1000, seed=seed) for seed in (1, 1, 2)
    )

    assert 850 < first.report.rows < 1150
    assert len(first.frame) == first.report.rows
    assert first.report.sampled_of == 5000
    assert any("of its 5,000 rows" in warning for warning in first.report.warnings)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert first.frame["x"].tolist() != other.frame["x"].tolist()


def test_a_large_parquet_file_is_sampled_as_well(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pd.DataFrame({"x": np.arange(5000) * 3, "y": "a"}).to_parquet(path)
    table = read_table(path, free_ram_bytes=FREE, rows_max=1000)
    assert 850 < table.report.rows < 1150
    assert table.report.sampled_of == 5000


def test_a_file_that_is_large_for_the_memory_is_kept_small(tmp_path: Path) -> None:
    content = "x,y,note\n" + "".join(
        f"{n / 8},{n % 7},some words {n % 50}\n" for n in range(50_000)
    )
    path = written(tmp_path, content)

    roomy = read_table(path, free_ram_bytes=FREE)
    tight = read_table(path, free_ram_bytes=2 * MEGABYTE)

    assert roomy.report.sampled_of is None
    assert roomy.frame["x"].dtype == np.float64
    assert tight.frame["x"].dtype == np.float32
    assert tight.report.sampled_of == 50_000
    assert 1000 < tight.report.rows < 25_000
    assert tight.frame["x"].mean() == pytest.approx(roomy.frame["x"].mean(), rel=0.1)


def test_every_row_is_kept_when_all_are_needed(tmp_path: Path) -> None:
    path = written(tmp_path, "x,y\n" + "".join(f"{n * 3},{n % 7}\n" for n in range(3000)))
    assert len(read_table(path, free_ram_bytes=FREE, rows_max=None).frame) == 3000
    with pytest.raises(LimitReached) as caught:
        read_table(path, free_ram_bytes=100_000, rows_max=None)
    assert caught.value.code == "file_too_big"


def test_progress_rises_to_one(tmp_path: Path) -> None:
    told: list[float] = []
    path = written(tmp_path, "x,y\n" + "".join(f"{n * 3},{n % 7}\n" for n in range(60_000)))
    read_table(path, free_ram_bytes=FREE, progress=lambda done, total: told.append(done / total))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 4


def test_cells_are_converted_as_they_were_at_training(tmp_path: Path) -> None:
    rows = [
        f"{n},{n}5;0{n % 9};{n % 28 + 1}/1/2024;{('a', 'b')[n % 2]};1{n}" for n in range(10, 60)
    ]
    trained = read(tmp_path, "\n".join(["price;code;day;mark;pieces", *rows]))
    assert trained.kinds["price"] == "number"
    assert trained.column("price").decimal_comma
    assert trained.column("day").date_format == "d.m.y"

    new = written(
        tmp_path,
        "day;price;code;mark;pieces;extra\n3/4/2024;1,125;17;7;x;5\n3/5/2024;oops;18;8;2;6\n",
    )
    table = read_table(new, free_ram_bytes=FREE, columns=trained.columns)

    assert table.frame["day"].tolist() == [pd.Timestamp("2024-04-03"), pd.Timestamp("2024-05-03")]
    assert table.frame["price"].tolist() == pytest.approx([1.125, np.nan], nan_ok=True)
    assert table.frame["code"].tolist() == ["17", "18"]
    assert table.frame["mark"].tolist() == ["7", "8"]
    assert table.frame["pieces"].tolist() == pytest.approx([np.nan, 2.0], nan_ok=True)
    assert table.kinds["extra"] == "number"
    assert table.column("price").unread == 1
    assert any("1 cell of 'price' is no number" in text for text in table.report.warnings)


def test_a_column_is_recognised_whatever_case_its_name_has(tmp_path: Path) -> None:
    trained = read(tmp_path, "Zip,x\n" + "".join(f"0{n % 9},{n * 3}\n" for n in range(30)))
    table = read_table(
        written(tmp_path, "x, ZIP \n1,17\n2,18\n"), free_ram_bytes=FREE, columns=trained.columns
    )
    assert table.kinds["ZIP"] == "category"
    assert table.frame["ZIP"].tolist() == ["17", "18"]


def test_a_decimal_point_is_understood_where_training_had_commas(tmp_path: Path) -> None:
    trained = read(tmp_path, "x;y\n" + "".join(f"{n},25;{n % 3}\n" for n in range(30)))
    table = read_table(
        written(tmp_path, "x,y\n1.75,1\n12345.5,2\n"), free_ram_bytes=FREE, columns=trained.columns
    )
    assert table.frame["x"].tolist() == [1.75, 12345.5]


def test_a_workbook_may_have_a_title_margins_and_other_sheets(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "cover"
    sheet = book.create_sheet("sales")
    sheet.append([None, "Sales of the year"])
    sheet.append([])
    sheet.append([None, "day", "price", "city"])
    for n in range(40):
        price = "n/a" if n == 5 else n * 1.5
        sheet.append([None, dt.datetime(2024, 3, n % 28 + 1), price, "Köln"])  # noqa: DTZ001
    sheet.append([None, "Total", 999.0])
    book.create_sheet("notes").append(["nothing"])
    path = tmp_path / "sales.xlsx"
    book.save(path)

    table = read_table(path, free_ram_bytes=FREE)

    assert table.kinds == {"day": "date", "price": "number", "city": "constant"}
    assert len(table.frame) == 40
    assert table.report.header_line == 3
    assert [row.line for row in table.report.skipped_rows] == [44]
    assert "Only the sheet 'sales' was read, not 'cover' and 'notes'." in table.report.warnings


@pytest.mark.parametrize("content", [b"\n\n  \n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_blank_lines_and_a_mark_alone_are_an_empty_file(content: bytes, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, content)).code == "file_empty"


def test_a_parquet_file_without_columns_has_no_rows(tmp_path: Path) -> None:
    pd.DataFrame().to_parquet(tmp_path / "none.parquet")
    assert refusal(tmp_path / "none.parquet").code == "file_without_rows"


def test_a_workbook_whose_parts_are_damaged_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<broken")
    assert refusal(tmp_path / "c.xlsx").code == "file_broken"
