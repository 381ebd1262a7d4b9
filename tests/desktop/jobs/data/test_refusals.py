"""Files that are no table are refused in the person's words: the facts, then the next step."""

from __future__ import annotations

import gzip
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.jobs.data.reading import COLUMNS_MAX, read_table
from shared.errors import AppError, BadInput, LimitReached, NotAllowed, NotFound

FREE_RAM_BYTES = 1 << 30
LINES = "".join(f"{n},{n * 1.5},{('red', 'blue')[n % 2]}\n" for n in range(500))
CONTENT = f"number,size,mark\n{LINES}".encode()


def refused(path: Path, free_ram_bytes: int = FREE_RAM_BYTES) -> AppError:
    with pytest.raises(AppError) as failure:
        read_table(path, free_ram_bytes=free_ram_bytes)
    error = failure.value
    assert path.name in error.message
    assert error.message.endswith(".")
    assert error.hint.endswith((".", "?"))
    assert str(path.parent) not in str(error), "a chat need not know the folder"
    return error


def zipped(content: bytes) -> bytes:
    import io

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("inner.csv", content)
    return held.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("nothing.csv", b"", "file_empty"),
        ("nothing.xlsx", b"", "file_empty"),
        ("nothing.parquet", b"", "file_empty"),
        ("blank.csv", b"\n\n  \n\t\n", "file_empty"),
        ("marked.csv", b"\xef\xbb\xbf", "file_empty"),
        ("marked16.csv", b"\xff\xfe", "file_empty"),
        ("header.csv", b"town,amount,count\n", "file_without_rows"),
        ("header16.csv", "town\tamount\n".encode("utf-16"), "file_without_rows"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "file_binary"),
        ("noise.csv", random.Random(0).randbytes(20_000), "file_binary"),
        ("book.csv", zipped(CONTENT), "file_binary"),
        ("old.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "file_binary"),
        ("packed.csv", gzip.compress(CONTENT), "file_binary"),
        ("zeros.csv", bytes(5000), "file_binary"),
        ("table.csv", b"PAR1" + bytes(100) + b"PAR1", "file_binary"),
        ("text.parquet", CONTENT, "file_broken"),
        ("text.xlsx", CONTENT, "file_broken"),
        ("zip.xlsx", zipped(CONTENT), "file_broken"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "file_locked"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(path)
    assert isinstance(error, BadInput)
    assert error.code == code


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path / "gone.csv")
    assert isinstance(error, NotFound)
    assert error.code == "file_missing"


def test_a_folder_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "tables.csv").mkdir()
    assert refused(tmp_path / "tables.csv").code == "file_is_folder"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "private.csv"
    path.write_bytes(CONTENT)
    path.chmod(0)
    error = refused(path)
    assert isinstance(error, NotAllowed)
    assert error.code == "file_unreadable"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_a_file_the_system_refuses_to_open_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"private{suffix}"
    path.write_bytes(CONTENT)
    really_open: Callable[..., object] = Path.open

    def refuse(self: Path, *more: object, **named: object) -> object:
        if self.name == path.name:
            raise PermissionError(13, "Permission denied")
        return really_open(self, *more, **named)

    monkeypatch.setattr(Path, "open", refuse)
    error = refused(path)
    assert isinstance(error, NotAllowed)
    assert error.code == "file_unreadable"


def test_one_column_alone_is_still_a_table(tmp_path: Path) -> None:
    path = tmp_path / "ages.csv"
    path.write_text("age\n" + "".join(f"{20 + n % 40}\n" for n in range(100)))
    table = read_table(path, free_ram_bytes=FREE_RAM_BYTES)
    assert [(column.name, column.kind.value) for column in table.columns] == [("age", "number")]
    assert table.report.rows == 100


def test_a_table_too_wide_names_both_numbers(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = ",".join(f"x{n}" for n in range(COLUMNS_MAX + 1))
    cells = ",".join(["1"] * (COLUMNS_MAX + 1))
    path.write_text(f"{names}\n{cells}\n{cells}\n")
    error = refused(path)
    assert isinstance(error, LimitReached)
    assert error.code == "too_many_columns"
    assert f"{COLUMNS_MAX + 1:,}" in error.message
    assert f"{COLUMNS_MAX:,} " in error.message


def test_a_file_too_big_even_for_a_sample_names_its_size(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"number,size,mark\n" + LINES.encode() * 20)
    error = refused(path, free_ram_bytes=100_000)
    assert isinstance(error, LimitReached)
    assert error.code == "file_too_big"
    assert "kB" in error.message


def test_a_workbook_that_unpacks_to_more_than_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 20_000_000)
    assert path.stat().st_size < 100_000
    error = refused(path, free_ram_bytes=10_000_000)
    assert isinstance(error, LimitReached)
    assert error.code == "file_too_big"


def test_a_table_cut_off_anywhere_is_read_up_to_there_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.csv"
    for length in [*range(1, 60), *range(60, len(CONTENT), 997)]:
        path.write_bytes(CONTENT[:length])
        try:
            table = read_table(path, free_ram_bytes=FREE_RAM_BYTES)
        except BadInput as error:
            assert error.code in ("file_empty", "file_without_rows")  # noqa: PT017
        else:
            whole_lines = CONTENT[:length].count(b"\n")
            assert table.report.rows + table.report.skipped <= whole_lines + 1


def test_noise_between_lines_costs_lines_and_never_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "noisy.csv"
    lines = CONTENT.splitlines(keepends=True)
    rng = random.Random(1)
    for _ in range(40):
        spoilt = list(lines)
        for _ in range(5):
            place = rng.randrange(1, len(spoilt))
            spoilt[place] = bytes(rng.choices(b"\",;\t|\n\r'x1\xe9 ", k=rng.randrange(1, 30)))
        path.write_bytes(b"".join(spoilt))
        table = read_table(path, free_ram_bytes=FREE_RAM_BYTES)
        assert [column.name for column in table.columns][:3] == ["number", "size", "mark"]
        # Noise costs its line, the one it runs into, and by an open quote the two around it.
        assert table.report.rows >= 500 - 5 * 4


def test_rows_between_two_stray_quotes_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "stray.csv"
    lines = CONTENT.decode().splitlines(keepends=True)
    lines[100], lines[250] = '99,"148.5,blue\n', '249,"373.5,blue\n'
    path.write_text("".join(lines))
    report = read_table(path, free_ram_bytes=FREE_RAM_BYTES).report
    assert report.rows == 498
    assert [row.line for row in report.skipped_rows] == [101, 251]
