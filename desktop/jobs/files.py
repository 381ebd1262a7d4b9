"""files.send: hand over a file somebody asked for. files.head: its first rows as text.

What may leave is decided by the worker (`desktop.core.sending`); here it is found, and refused
early where that saves a question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.core import sending
from desktop.jobs import wording
from desktop.jobs.asking import RESULT_NAME, TABLES, file_of
from shared.errors import BadInput
from shared.kinds import FILE_BYTES_MAX, file_name_of
from shared.kinds.files import HeadInputs, HeadOutput, SendInputs, SendOutput

if TYPE_CHECKING:
    import pandas as pd

    from desktop.jobs.context import Context
    from desktop.jobs.data.table import Table

ROWS_SHOWN = 5
COLUMNS_SHOWN_MAX = 10
NAME_CHARS_MAX = 40
VALUE_CHARS_MAX = 18
RESULT_COLUMNS = ("predicted_", "probability_", "lower_90", "upper_90")
"""How the columns begin that a prediction adds: of a result they are what people look for."""
SENDABLE = (*TABLES, ".pdf", ".md", ".json", ".png")


def send(context: Context, inputs: SendInputs) -> SendOutput:
    """Hand a file over.

    Raises:
        NotAllowed: `sending_refused`, and as `file_of`.
        LimitReached: `file_too_large`.
        BadInput: `file_empty`, and as `file_of`.
        NotFound: as `file_of`.
    """
    context.check_sending()
    path = file_of(context, inputs.file, text="Which file?", suffixes=SENDABLE, offers_results=True)
    size_bytes = path.stat().st_size
    shown = file_name_of(path.name)
    if size_bytes > FILE_BYTES_MAX:
        raise sending.too_large(f"{shown} ({wording.size(size_bytes)})")
    if size_bytes == 0:
        raise BadInput("file_empty", f"{shown} is empty.", "Name a file with something in it.")
    context.send(path)
    return SendOutput(headline=f"{shown} ({wording.size(size_bytes)}) is on its way.")


def head(context: Context, inputs: HeadInputs) -> HeadOutput:
    """Show the first rows of a table, column by column: that is what fits a phone.

    Raises:
        AppError: as `file_of` and `read_table`.
    """
    from desktop.jobs.data.read_once import read_once

    path = file_of(context, inputs.file, text="Which file?", offers_results=True)
    table = read_once(
        context,
        path,
        rows_max=None,
        progress=lambda done, total: context.progress("reading", done, total),
    )
    return described(table)


def described(table: Table) -> HeadOutput:
    """Put the first rows of a table into lines: "plan: basic · pro · pro"."""
    report = table.report
    rows = report.sampled_of or report.rows
    shown = min(ROWS_SHOWN, report.rows)
    # A sample of a huge file is in its order, too, but does not begin with its first row.
    which = "the first" if report.sampled_of is None else "by chance,"
    names = _chosen([column.name for column in table.columns], report.file)
    lines = [f"{_cut(name, NAME_CHARS_MAX)}: {_values(table, name)}" for name in names]
    if len(names) < len(table.columns):
        lines.append(f"{len(names)} of {len(table.columns):,} columns are shown.")
    told = f"{which} {shown} of {rows:,} rows" if shown < rows else wording.count(rows, "row")
    return HeadOutput(headline=f"{file_name_of(report.file)}: {told}.", notes=tuple(lines))


def _chosen(names: list[str], file: str) -> list[str]:
    """Choose the columns worth a line; what was predicted comes first."""
    if RESULT_NAME.search(file):
        names = sorted(names, key=lambda name: not name.startswith(RESULT_COLUMNS))
    return names[:COLUMNS_SHOWN_MAX]


def _values(table: Table, name: str) -> str:
    return " · ".join(_value(cell) for cell in table.frame[name].head(ROWS_SHOWN))


def _value(cell: object) -> str:
    import pandas as pd

    if pd.isna(cell):  # type: ignore[call-overload]
        return "–"
    match cell:
        case pd.Timestamp():
            return _moment(cell)
        case float():
            told = wording.number(cell)
            return told.replace(",", "") if abs(cell) < 10_000 else told
        case _:
            return _cut(str(cell), VALUE_CHARS_MAX)


def _moment(cell: pd.Timestamp) -> str:
    return cell.strftime("%Y-%m-%d" if cell == cell.normalize() else "%Y-%m-%d %H:%M")


def _cut(text: str, chars_max: int) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= chars_max else f"{one_line[: chars_max - 1]}…"
