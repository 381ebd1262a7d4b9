"""Whatever a program writes as a plain table is read back as it was."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.jobs.data.reading import read_table
from desktop.jobs.data.table import Table

FREE_RAM_BYTES = 1 << 30
LETTERS = "abcdefghijklmnopqrstuvwxyzäöüßéñøłščřжшщю"
SIGNS = ",;\t|\"'\n.:/()#&%"
ROWS = st.shared(st.integers(min_value=8, max_value=40), key="rows")

words = st.text(LETTERS, min_size=3, max_size=8)
cells = st.builds(
    lambda start, middle, end: start + middle + end,
    words,
    st.text(LETTERS + SIGNS + " ", max_size=12),
    words,
).filter(lambda cell: "\n\n" not in cell)
"""Texts with anything inside of them; the blanks around a cell are not kept."""
numbers = st.one_of(
    st.none(),
    st.integers(min_value=-(10**9), max_value=10**9).map(float),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
dates = st.one_of(
    st.none(),
    st.datetimes(
        min_value=pd.Timestamp("1900-01-01").to_pydatetime(),
        max_value=pd.Timestamp("2200-01-01").to_pydatetime(),
    ).map(lambda moment: moment.replace(microsecond=0)),
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Tables of a column of texts, one of dates and up to three of numbers, two values each."""
    rows = draw(ROWS)

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(
            st.lists(values, min_size=rows, max_size=rows).filter(
                lambda made: len(set(made) - {None}) > 1
            )
        )

    made: dict[str, object] = {"said": column(cells)}
    for place in range(draw(st.integers(min_value=1, max_value=3))):
        made[f"number {place}"] = pd.Series(column(numbers), dtype="float64")
    made["when"] = pd.Series(column(dates)).astype("datetime64[ns]")
    return pd.DataFrame(made)


def read_back(
    frame: pd.DataFrame, delimiter: str, encoding: str, line_end: str, quoting: int
) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        frame.to_csv(
            path,
            sep=delimiter,
            encoding=encoding,
            lineterminator=line_end,
            quoting=quoting,  # type: ignore[call-overload]
            index=False,
            date_format="%Y-%m-%d %H:%M:%S",
        )
        return read_table(path, free_ram_bytes=FREE_RAM_BYTES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    frame=frames(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_a_written_table_is_read_back_the_same(
    frame: pd.DataFrame, delimiter: str, encoding: str, line_end: str, quoting: int
) -> None:
    table = read_back(frame, delimiter, encoding, line_end, quoting)

    assert table.report.skipped_rows == ()
    assert list(table.frame.columns) == list(frame.columns)
    kinds = table.kinds
    assert kinds["said"] in ("category", "text", "id")
    assert table.frame["said"].tolist() == frame["said"].tolist()
    for name in frame.columns.drop(["said", "when"]):
        assert kinds[name] == "number"
        assert table.frame[name].tolist() == pytest.approx(
            frame[name].tolist(), rel=1e-12, abs=0, nan_ok=True
        )
    assert kinds["when"] == "date"
    pd.testing.assert_series_equal(table.frame["when"], frame["when"])
