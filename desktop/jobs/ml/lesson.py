"""What is to be learnt from a table: task, usable columns, rows, and the warnings that go with it.

Reading and judging the table is left to `desktop.jobs.data`, learning to `training`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from desktop.jobs import wording
from desktop.jobs.data import guards
from desktop.jobs.data.leakage import leaks
from desktop.jobs.data.schema import Schema
from desktop.jobs.data.table import ColumnKind
from desktop.jobs.ml.manifest import Source
from desktop.jobs.ml.model_files import JsonDict
from shared.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from desktop.jobs.data.table import Table
    from desktop.jobs.ml.features import Task
    from shared.kinds.ml import TrainInputs

USED = frozenset({ColumnKind.NUMBER, ColumnKind.CATEGORY, ColumnKind.TEXT, ColumnKind.DATE})
CELL_BYTES = 32
"""What a cell costs at the height of training: single and double precision copies of a fold."""
MEMORY_SHARE = 0.6
"""Of the memory a job may use that the cells may take; the rest is for libraries and trees."""
ROWS_KEPT_MIN = 1_000
NAME_CHARS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is to be learnt: a table and its target."""

    name: str
    """The model's."""
    frame: pd.DataFrame
    """Rows whose target is known."""
    columns: Mapping[str, str]
    """The columns to use: name -> kind."""
    target: str
    task: Task
    schema: JsonDict
    source: Source
    warnings: tuple[str, ...]
    """Told with the model, without a leading sign."""
    seed: int
    budget_seconds: float


def lesson_of(table: Table, target: str, path: Path, inputs: TrainInputs) -> Lesson:
    """Decide what to learn from a table.

    Raises:
        BadInput: what `guards.check_target` raises; `columns_none`.
    """
    task = guards.check_target(table, target)
    found = guards.warnings_for(table, target)
    columns = _usable(table, target, {one.column for one in found if one.drop})
    frame = table.frame.loc[table.frame[target].notna(), [*columns, target]].reset_index(drop=True)
    known_too_much = leaks(frame, columns, frame[target].to_numpy(), task, inputs.seed)
    return Lesson(
        name=name_of(inputs.name, path.stem, target),
        frame=frame,
        columns=columns,
        target=target,
        task=task,
        schema=Schema.of(table, columns=list(columns), target=target).model_dump(mode="json"),
        source=Source(
            name=table.report.file, size_bytes=table.report.file_bytes, sha256=table.report.sha256
        ),
        warnings=tuple(
            dict.fromkeys(
                (
                    *(one.sentence for one in known_too_much),
                    *(one.sentence for one in found),
                    *table.report.warnings,
                )
            )
        ),
        seed=inputs.seed,
        budget_seconds=inputs.budget_seconds,
    )


def _usable(table: Table, target: str, left_out: set[str | None]) -> dict[str, str]:
    """Choose the columns to learn from: name -> kind."""
    used = {
        column.name: column.kind.value
        for column in table.columns
        if column.name != target and column.kind in USED and column.name not in left_out
    }
    if not used:
        raise BadInput(
            "columns_none",
            f"{table.report.file} has no column that could tell anything about '{target}'.",
            "Use a file with further columns of numbers, categories, dates or text.",
        )
    return used


def within_memory(lesson: Lesson, memory_bytes: int) -> Lesson:
    """Take a random part of the rows when all of them would not fit into the memory."""
    cells = MEMORY_SHARE * memory_bytes / CELL_BYTES
    most = max(ROWS_KEPT_MIN, int(cells / (len(lesson.columns) + 1)))
    rows = len(lesson.frame)
    if rows <= most:
        return lesson
    told = (
        f"learnt from a random part of {most:,} of {rows:,} rows, to stay within the "
        f"{wording.size(memory_bytes)} of memory this job may use"
    )
    part = lesson.frame.sample(most, random_state=lesson.seed).reset_index(drop=True)
    return replace(lesson, frame=part, warnings=(told, *lesson.warnings))


def name_of(given: str | None, file_stem: str, target: str) -> str:
    """Name the model: as asked, or by its target and file."""
    if given is not None and given.strip():
        return given.strip()[:NAME_CHARS_MAX]
    if file_stem.casefold() == target.casefold():
        return target[:NAME_CHARS_MAX]
    return f"{target} ({file_stem})"[:NAME_CHARS_MAX]
