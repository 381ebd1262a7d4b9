"""data.describe: say what is in a table, column by column, and what is wrong with it.

What could be wrong with it as a lesson for a model is left to `guards`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.asking import file_of
from desktop.jobs.data.table import Column, ColumnKind, Table
from shared.kinds.data import ColumnFacts, DescribeInputs, DescribeOutput

if TYPE_CHECKING:
    from desktop.jobs.context import Context

COLUMNS_TOLD_MAX = 500
"""More would not fit into a message; a note says how many there are."""
NAME_CHARS_MAX = 100
VALUE_CHARS_MAX = 30
LEVELS_SHOWN = 3
GAPS_TOLD_MAX = 5
GAP_SHARE_TOLD = 0.01
KIND_WORDS = {
    ColumnKind.NUMBER: ("number", None),
    ColumnKind.CATEGORY: ("category", "categories"),
    ColumnKind.DATE: ("date", None),
    ColumnKind.TEXT: ("text", None),
    ColumnKind.ID: ("id", None),
    ColumnKind.CONSTANT: ("constant", None),
    ColumnKind.EMPTY: ("empty column", None),
}


def run(context: Context, inputs: DescribeInputs) -> DescribeOutput:
    """Read a table and tell about it.

    Raises:
        AppError: as `file_of` and `read_table`.
    """
    from desktop.jobs.data.read_once import read_once

    path = file_of(context, inputs.file)
    table = read_once(
        context,
        path,
        progress=lambda done, total: context.progress("reading", done, total),
    )
    return described(table)


def described(table: Table) -> DescribeOutput:
    """Put a table into words and facts."""
    report = table.report
    rows = report.sampled_of or report.rows
    size = wording.size(report.file_bytes)
    width = wording.count(len(table.columns), "column")
    told = table.columns[:COLUMNS_TOLD_MAX]
    return DescribeOutput(
        headline=f"{report.file}: {wording.count(rows, 'row')}, {width}, {size}.",
        notes=tuple(_notes(table)),
        rows=rows,
        columns=tuple(_facts(column) for column in told),
    )


def _notes(table: Table) -> Iterator[str]:
    for warning in table.report.warnings:
        yield f"⚠ {warning}"
    yield from _odd_columns(table)
    yield from _copies(table)
    yield from _gaps(table)
    yield _kinds(table)
    if len(table.columns) > COLUMNS_TOLD_MAX:
        yield f"The first {COLUMNS_TOLD_MAX} of its {len(table.columns):,} columns are listed."


def _odd_columns(table: Table) -> Iterator[str]:
    said = {
        ColumnKind.ID: "differs in every row, like an id",
        ColumnKind.EMPTY: "is empty",
        ColumnKind.CONSTANT: "has one value only",
    }
    for kind, what in said.items():
        names = [_short(one.name, NAME_CHARS_MAX) for one in table.columns if one.kind is kind]
        if len(names) == 1:
            yield f"⚠ column `{names[0]}` {what}"
        elif names:
            each = what.replace("differs", "differ").replace("is ", "are ").replace("has", "have")
            yield f"⚠ {len(names):,} columns {each}: {wording.listed(names)}"


def _copies(table: Table) -> Iterator[str]:
    if len(table.columns) < 2:
        return
    copies = int(table.frame.duplicated().sum())
    if copies:
        rows = wording.count(copies, "row")
        verb = "is a copy of another" if copies == 1 else "are copies of others"
        yield f"⚠ {rows} ({wording.share(copies / len(table.frame))}) {verb}"


def _gaps(table: Table) -> Iterator[str]:
    gaps = [
        column
        for column in sorted(table.columns, key=lambda column: -column.missing_share)
        if GAP_SHARE_TOLD <= column.missing_share < 1
    ]
    if gaps:
        shown = ", ".join(
            f"{_short(column.name, NAME_CHARS_MAX)} {wording.share(column.missing_share)}"
            for column in gaps[:GAPS_TOLD_MAX]
        )
        more = len(gaps) - GAPS_TOLD_MAX
        yield f"Gaps: {shown}{f' and {more:,} more columns' if more > 0 else ''}."


def _kinds(table: Table) -> str:
    counts = Counter(column.kind for column in table.columns)
    parts = [wording.count(number, *KIND_WORDS[kind]) for kind, number in counts.most_common()]
    return f"Columns: {', '.join(parts)}."


def _facts(column: Column) -> ColumnFacts:
    return ColumnFacts(
        name=_short(column.name, NAME_CHARS_MAX),
        kind=column.kind.value,
        missing_share=column.missing_share,
        distinct=column.distinct,
        sample=_sample(column),
    )


def _sample(column: Column) -> str:
    """Show the range of numbers and dates, the most common of other values."""
    if column.minimum is not None and column.maximum is not None:
        write = _day if column.kind is ColumnKind.DATE else wording.number
        unit = f" {column.unit}" if column.unit else ""
        return f"{write(column.minimum)} to {write(column.maximum)}{unit}"
    total = sum(rows for _, rows in column.levels)
    if column.kind is ColumnKind.CATEGORY and total and column.distinct == len(column.levels):
        return ", ".join(
            f"{_short(value)} {wording.share(rows / total)}"
            for value, rows in column.levels[:LEVELS_SHOWN]
        )
    return ", ".join(_short(value) for value, _ in column.levels[:LEVELS_SHOWN])


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _short(text: str, chars_max: int = VALUE_CHARS_MAX) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= chars_max else f"{one_line[: chars_max - 1]}…"
