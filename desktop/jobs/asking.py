"""Questions executors share: which file, which column.

What is given is checked; what is not given is asked, with the likely answers as choices. How a
question reaches a person is left to the context.
"""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from desktop.jobs import wording
from shared.errors import BadInput, NotAllowed, NotFound
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

if TYPE_CHECKING:
    from desktop.jobs.context import Context
    from desktop.jobs.data.table import Column, Table

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
Found = TypeVar("Found")

ANSWERS_MAX = 3
"""How often one thing is asked before the job gives up."""
FILES_OFFERED_MAX = 8
FILES_LOOKED_AT_MAX = 50
RESULT_NAME = re.compile(r"\.predictions(-\d+)?\.csv$")
"""What `desktop.jobs.ml.result_file` calls the tables it writes."""
COLUMNS_OFFERED_MAX = 12
LABEL_CHARS_MAX = 200
CLOSE_NAMES_MAX = 3
CLASSES_LIKELY_MAX = 10
TARGET_WORDS = (
    "target",
    "label",
    "class",
    "y",
    "outcome",
    "churn",
    "default",
    "status",
    "result",
    "response",
    "price",
    "survived",
    "attrition",
)


def file_of(
    context: Context,
    given: str | None,
    *,
    key: str = "file",
    text: str = "Which file?",
    suffixes: tuple[str, ...] = TABLES,
    offers_results: bool = False,
) -> Path:
    """Find the file that was given, or ask for one, the newest allowed files as choices.

    Results stand beside their inputs and are always the newest; they are offered only where they
    are likely what is meant.

    Raises:
        NotAllowed, NotFound, BadInput: as `Context.find_file`.
        NotFound: `no_files`, when none was given and there is none to offer.
    """
    if given is not None:
        return context.find_file(given)
    recent = context.recent_files(suffixes, count_max=FILES_LOOKED_AT_MAX)
    files = [path for path in recent if offers_results or not RESULT_NAME.search(path.name)]
    files = files[:FILES_OFFERED_MAX]
    if not files:
        folders = ", ".join(str(folder) for folder in context.folders)
        raise NotFound(
            "no_files",
            f"There is no table in the folders this machine may use ({folders or 'none'}).",
            f"Put a {', '.join(suffixes[:-1])} or {suffixes[-1]} file into one of them.",
        )
    choices = tuple(_choice_of(path) for path in files)
    asking = Asking(
        key=key, kind=QuestionKind.CLARIFICATION, text=text, choices=choices, allow_text=True
    )
    return _answered(context, asking, context.find_file)


def column_of(context: Context, table: Table, given: str | None, *, key: str = "target") -> str:
    """Find the column that was given, or ask for one, likely targets first.

    Upper and lower case and blanks around a name do not matter as long as one column fits.

    Raises:
        NotFound: `column_unknown`, with the closest names in the hint.
    """
    if given is not None:
        return named_column(table, given)
    # A choice cannot hold a longer name, and nobody would read it on a button.
    offered = (column for column in table.columns if len(column.name) <= TEXT_CHARS_MAX)
    columns = sorted(offered, key=_unlikeliness)
    choices = tuple(
        Choice(value=c.name, label=c.name[:LABEL_CHARS_MAX], detail=_detail_of(c))
        for c in columns[:COLUMNS_OFFERED_MAX]
    )
    rows = wording.count(table.report.rows, "row")
    width = wording.count(len(table.columns), "column")
    asking = Asking(
        key=key,
        kind=QuestionKind.CLARIFICATION,
        text=f"{rows}, {width}. What should I predict?",
        choices=choices,
        allow_text=True,
    )
    return _answered(context, asking, lambda given: named_column(table, given))


def _answered(context: Context, asking: Asking, find: Callable[[str], Found]) -> Found:
    """Ask; an answer that names nothing is told what is wrong with it and asked once more.

    A slip of the finger must not end the conversation; the third answer counts as it is.
    """
    told = asking
    for again in range(ANSWERS_MAX - 1):
        try:
            return find(context.ask(told))
        except (BadInput, NotAllowed, NotFound) as error:
            told = asking.model_copy(
                update={
                    "key": f"{asking.key}-{again + 2}",
                    "text": f"{error}\n{asking.text}"[:TEXT_CHARS_MAX],
                }
            )
    return find(context.ask(told))


def named_column(table: Table, given: str) -> str:
    """Find a column by what a person wrote.

    Raises:
        NotFound: `column_unknown`, with the closest names in the hint.
    """
    names = [column.name for column in table.columns]
    if given in names:
        return given
    folded = given.strip().casefold()
    same = [name for name in names if name.strip().casefold() == folded]
    if len(same) == 1:
        return same[0]
    raise NotFound(
        "column_unknown",
        f"'{given[:LABEL_CHARS_MAX]}' is no column of {table.report.file}.",
        _hint_of(folded, names),
    )


def _hint_of(folded: str, names: Sequence[str]) -> str:
    by_folded = {name.strip().casefold(): name for name in names}
    close = difflib.get_close_matches(folded, by_folded, n=CLOSE_NAMES_MAX, cutoff=0.6)
    if close:
        return f"Did you mean {wording.listed([by_folded[name] for name in close])}?"
    return f"Its columns are {wording.listed(names, COLUMNS_OFFERED_MAX)}."


def _choice_of(path: Path) -> Choice:
    try:
        facts = path.stat()
    except OSError:
        # Deleted since it was listed: choosing it tells so.
        detail = ""
    else:
        age = wording.age(max(0.0, time.time() - facts.st_mtime))
        detail = f"{wording.size(facts.st_size)} · {age}"
    return Choice(value=str(path), label=path.name[:LABEL_CHARS_MAX], detail=detail)


def _unlikeliness(column: Column) -> tuple[int, int]:
    """Order columns by how unlikely a target they are; the sort keeps the file's order."""
    if column.kind in ("id", "constant", "empty", "date"):
        return (4, 0)
    if column.kind == "text":
        return (3, 0)
    words = column.name.casefold().replace("_", " ").replace("-", " ").split()
    if any(word in TARGET_WORDS for word in words):
        return (0, 0 if column.distinct == 2 else 1)
    if 2 <= column.distinct <= CLASSES_LIKELY_MAX:
        return (1, 0 if column.distinct == 2 else 1)
    return (2, 0 if column.kind == "number" else 1)


def _detail_of(column: Column) -> str:
    if column.kind == "number" and column.minimum is not None and column.maximum is not None:
        return f"{_plain_number(column.minimum)} to {_plain_number(column.maximum)}"
    if column.levels and column.distinct <= CLASSES_LIKELY_MAX:
        return wording.listed([value[:40] for value, _ in column.levels])
    return f"{column.kind.value}, {wording.count(column.distinct, 'value')}"


def _plain_number(value: float) -> str:
    """Write four digits without a comma: they are often years, 1959 to 2013."""
    told = wording.number(value)
    return told.replace(",", "") if abs(value) < 10_000 else told
