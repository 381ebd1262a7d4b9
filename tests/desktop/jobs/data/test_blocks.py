"""Splitting regular blocks quickly gives what going through every row gives."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.jobs.data.blocks import text_columns
from desktop.jobs.data.dialect import Dialect
from desktop.jobs.data.rows import RowLog, Sampler

WHOLE = 10**9
"""With blocks this long there is one, the last, which is always gone through row by row."""
HEADER = ("id", "amount", "note")

plain = st.text("ab 1.-ü", max_size=6)
cell = plain | st.sampled_from(
    ['"x, y"', '"say ""no"""', '"two\nlines"', '5" pipe', '"', '""', "a\0b", "\u00a0x", "", '"a"b']
)
line = st.lists(cell, min_size=3, max_size=3).map(",".join) | st.sampled_from(
    ["", " ", "a,b", "a,b,c,d", "a,b,c,", ",,", "id,amount,note", '"open,1,2', '1,"2,3']
)


def columns(text: str, block_lines: int, delimiter: str = ",") -> tuple[list[list[str]], RowLog]:
    log = RowLog()
    dialect = Dialect(delimiter, 3, 1, HEADER, 2)
    blocks = list(
        text_columns(io.StringIO(text), dialect, log, Sampler(1, 0), block_lines=block_lines)
    )
    whole = [pa.concat_arrays([block[n] for block in blocks]).to_pylist() for n in range(3)]
    return whole, log


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(plain, min_size=3, max_size=3), min_size=1, max_size=60))
def test_regular_rows_are_the_same_quickly_and_carefully(rows: list[list[str]]) -> None:
    text = "\n".join(["id,amount,note", *map(",".join, rows)]) + "\n"
    assert columns(text, 5) == columns(text, WHOLE)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cell.filter(lambda c: c != '"'), min_size=3, max_size=3), max_size=30))
def test_quoted_cells_are_the_same_quickly_and_carefully(rows: list[list[str]]) -> None:
    text = "\n".join(["id,amount,note", *map(",".join, rows)]) + "\n"
    quick, careful = columns(text, 5), columns(text, WHOLE)
    assert quick[0] == careful[0]
    assert quick[1] == careful[1]


@settings(max_examples=300, deadline=None)
@given(st.lists(line, max_size=60), st.integers(1, 20))
def test_no_lines_break_the_blocks_and_every_row_is_kept_or_counted(
    lines: list[str], block_lines: int
) -> None:
    whole, log = columns("\n".join(["id,amount,note", *lines]), block_lines)
    assert len(whole[0]) == len(whole[1]) == len(whole[2]) == log.rows
    assert log.rows + log.skipped <= "\n".join(lines).count("\n") + 1


@pytest.mark.parametrize("block_lines", [1, 2, 3, 7, 100])
def test_line_numbers_count_on_from_block_to_block(block_lines: int) -> None:
    rows = [f"{n},{n},x" for n in range(2, 60)]
    rows[30] = "32,too short"
    rows[40] = '42,"two\nlines",x'
    rows[50] = "52,too,long,x"
    whole, log = columns("\n".join(["id,amount,note", *rows]), block_lines)
    assert [(row.line, row.reason) for row in log.named] == [
        (32, "2 fields instead of 3"),
        (53, "4 fields instead of 3"),
    ]
    assert whole[1][39] == "two\nlines"
    assert log.rows == 56


def test_a_cell_of_two_lines_may_begin_at_the_end_of_a_block() -> None:
    rows = [f"{n},{n},x" for n in range(2, 60)]
    rows[9] = '11,11,"two\nlines"'
    text = "\n".join(["id,amount,note", *rows])
    assert columns(text, 10) == columns(text, WHOLE)
    assert columns(text, 10)[0][2][9] == "two\nlines"


@pytest.mark.parametrize("block_lines", [1, 4, 5, 100])
def test_a_total_is_seen_wherever_the_last_block_begins(block_lines: int) -> None:
    rows = [f"{n},{n},x" for n in range(2, 22)]
    whole, log = columns("\n".join(["id,amount,note", *rows, "Total,99,"]), block_lines)
    assert log.skipped == 1
    assert len(whole[0]) == 20
