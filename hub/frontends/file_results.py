"""What jobs about files and tables gave back, in lines for a chat; nothing in them is obeyed."""

from __future__ import annotations

from pathlib import PurePath

from hub.core.view import Button, Sheet
from hub.frontends.figures import count
from shared.ids import JobId
from shared.kinds import Output
from shared.kinds.data import AnalyzedTable, AnalyzeOutput
from shared.kinds.files import ChangeOutput, ListOutput, ReadOutput, UndoOutput, WriteOutput
from shared.plain_text import plain, plain_line

Told = tuple[list[str], tuple[Button, ...]]

FILES_SHOWN_MAX = 30
LINES_SHOWN_MAX = 12
LINE_CHARS_MAX = 200
NUMBERS_SHOWN_MAX = 12
TABLES_SHOWN_MAX = 4
ROWS_SHOWN_MAX = 10


def told(output: Output, job_id: JobId) -> Told | None:
    """Tell a result in lines, with what goes on from there; None when it is no such result."""
    match output:
        case AnalyzeOutput():
            return _analyzed(output), ()
        case ReadOutput():
            return _beginning(output), ()
        case ListOutput():
            return _listed(output), ()
        case WriteOutput():
            send = Button(label="Send me the file", says=f"/send #{job_id}")
            back = Button(label="Take it back", says=f"/undo #{job_id}")
            return [], (send, back)
        case UndoOutput():
            return [], (Button(label="Do it again", says=f"/undo #{job_id}"),)
        case ChangeOutput():
            return [], (Button(label="Take it back", says=f"/undo #{job_id}"),)
        case _:
            return None


def sheet_of(output: Output) -> Sheet | None:
    """The text of a file, or the diff of a change, as a block or a file; None when there is none.

    A short text stands in the message itself.
    """
    if isinstance(output, ChangeOutput) and output.diff.strip():
        cut = "\n(Cut here; the computer has all of it.)\n" if output.is_cut else ""
        name = PurePath(output.file.replace("\\", "/")).name or "change"
        return Sheet(
            name=f"{plain_line(name)}.diff", text=plain(output.diff) + cut, language="diff"
        )
    if isinstance(output, ReadOutput) and len(output.text.splitlines()) > LINES_SHOWN_MAX:
        return Sheet(name="text.txt", text=plain(output.text))
    return None


def _analyzed(output: AnalyzeOutput) -> list[str]:
    lines = [plain_line(line) for line in output.text.splitlines()]
    lines += [
        f"{plain_line(one.name)}: {_cell(one.value)} {plain_line(one.unit)}".strip()
        for one in output.numbers[:NUMBERS_SHOWN_MAX]
    ]
    for table in output.tables[:TABLES_SHOWN_MAX]:
        lines += ["", *_table(table)]
    return [*lines, f"({plain_line(output.model)})"]


def _table(table: AnalyzedTable) -> list[str]:
    """Put a table into lines that a phone shows: cells with dots between them."""
    lines = [f"{plain_line(table.name)}: {' · '.join(map(plain_line, table.columns))}"]
    lines += [_cut(" · ".join(map(_cell, row))) for row in table.rows[:ROWS_SHOWN_MAX]]
    more = table.rows_total - min(len(table.rows), ROWS_SHOWN_MAX)
    return lines if more <= 0 else [*lines, f"and {count(more)} more rows"]


def _cell(cell: object) -> str:
    match cell:
        case None:
            return "–"
        case bool() | str():
            return plain_line(str(cell))
        case int():
            return f"{cell:,}" if abs(cell) >= 10_000 else str(cell)
        case float():
            return f"{cell:,.6g}" if abs(cell) < 1e6 else f"{cell:,.0f}"
        case _:
            return plain_line(str(cell))


def _beginning(output: ReadOutput) -> list[str]:
    lines = output.text.splitlines()
    shown = [_cut(plain_line(line)) for line in lines[:LINES_SHOWN_MAX]]
    return [*shown, "…"] if len(lines) > LINES_SHOWN_MAX else shown


def _listed(output: ListOutput) -> list[str]:
    lines = [
        f"{_cut(plain_line(one.name))} · {_size(one.size_bytes)} · {plain_line(one.changed)}"
        for one in output.entries[:FILES_SHOWN_MAX]
    ]
    more = output.total - len(lines)
    return lines if more <= 0 else [*lines, f"and {count(more)} more"]


def _size(size_bytes: int) -> str:
    for power, unit in ((3, "GB"), (2, "MB"), (1, "kB")):
        if size_bytes >= 1000**power:
            return f"{size_bytes / 1000**power:,.1f} {unit}"
    return f"{size_bytes} B"


def _cut(line: str) -> str:
    return line if len(line) <= LINE_CHARS_MAX else f"{line[: LINE_CHARS_MAX - 1]}…"
