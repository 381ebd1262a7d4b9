"""What to say before training: whether the target can be learnt, and what to mind in the columns.

Columns that know too much are in `leakage`; reading and kinds of columns are in `columns`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from desktop.jobs import wording
from desktop.jobs.data.table import Column, ColumnKind, Table
from shared.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["binary", "multiclass", "regression"]

COLUMNS_MIN = 2
ROWS_MIN = 20
"""Rows with a target: fewer cannot be split into folds that mean anything."""
CLASS_ROWS_MIN = 2
CLASSES_MAX = 100
CLASSES_OF_NUMBERS_MAX = 10
"""Whole numbers with at most this many different values are classes, as grades are."""
RARE_SHARE = 0.05
DUPLICATES_SHARE = 0.01
DUPLICATES_ROWS_MAX = 200_000
"""Of larger tables the first rows are looked at: comparing all would take a second copy."""
COMBINATIONS_PER_ROW = 100
"""Where the columns allow fewer different rows than this for each row, copies are chance."""
GROUPS_MIN = 10
GROUP_ROWS_MIN = 2.0
"""Rows in which each id stands on average, for the column to name groups."""
ID_NAME = re.compile(r"(?:^|[_\W])(?:id|uuid|guid)$|[a-z](?:Id|ID)$", re.ASCII)
TIMES_MIN = 20
"""Different dates; fewer are in order by chance, or are no course of time."""


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the word people know for it; used as guards.Warning
    column: str | None
    """None when it is about the whole table."""
    sentence: str
    """Without a leading sign."""
    drop: bool
    """Whether the column is to be left out of training."""


def check_shape(table: Table) -> None:
    """Refuse a table from which no column can be learnt, before anybody is asked for one.

    Raises:
        BadInput: `too_few_rows`, `columns_none`.
    """
    rows = table.report.sampled_of or table.report.rows
    if rows < ROWS_MIN:
        raise BadInput(
            "too_few_rows",
            f"{table.report.file} has only {wording.count(rows, 'row')}; "
            f"at least {ROWS_MIN} are needed, and some hundred are better.",
            "Use a file with more rows.",
        )
    if len(table.columns) < COLUMNS_MIN:
        raise BadInput(
            "columns_none",
            f"{table.report.file} has only {wording.count(len(table.columns), 'column')}; "
            "one is predicted from the others.",
            "Use a table with more columns.",
        )


def check_target(table: Table, target: str) -> Task:
    """Decide what kind of prediction a column asks for.

    Two different values are classes; so are whole numbers with up to CLASSES_OF_NUMBERS_MAX
    different values of which each stands in at least CLASS_ROWS_MIN rows.

    Raises:
        BadInput: `target_empty`, `target_infinite`, `target_is_date`, `target_is_id`,
            `target_constant`, `too_few_rows`, `too_many_classes`, `class_too_small`.
        KeyError: the table has no such column.
    """
    column, values = table.column(target), table.frame[target]
    known = values.dropna()
    _check_known(column, known, table)
    counts = known.value_counts()
    if column.kind is ColumnKind.NUMBER:
        if not np.isfinite(known.to_numpy(dtype=np.float64)).all():
            raise BadInput(
                "target_infinite",
                f"'{target}' has infinite values, which cannot be learnt.",
                "Leave these cells empty: rows without a target are not used.",
            )
        is_few = len(counts) <= CLASSES_OF_NUMBERS_MAX and column.is_integer
        if len(counts) > 2 and not (is_few and counts.min() >= CLASS_ROWS_MIN):
            return "regression"
    _check_classes(target, counts)
    return "binary" if len(counts) == 2 else "multiclass"


def _check_known(column: Column, known: pd.Series, table: Table) -> None:
    name, rows = column.name, len(table.frame)
    if not len(known):
        raise BadInput(
            "target_empty",
            f"'{name}' has no value in any of the {wording.count(rows, 'row')}.",
            "Choose another column to predict, or fill this one in for past rows.",
        )
    if column.kind is ColumnKind.ID:
        raise _is_id(name)
    if column.kind is ColumnKind.DATE:
        raise BadInput(
            "target_is_date",
            f"'{name}' is a date; numbers and classes can be predicted, dates cannot.",
            "Add a column with the number of days until then and predict that.",
        )
    if len(known) < ROWS_MIN:
        raise BadInput(
            "too_few_rows",
            f"Only {wording.count(len(known), 'row')} of {table.report.file} "
            f"{'has' if len(known) == 1 else 'have'} a value in '{name}'; "
            f"at least {ROWS_MIN} are needed, and some hundred are better.",
            "Use a file with more rows.",
        )
    has_gaps = len(known) < rows
    if known.nunique() == 1:
        raise BadInput(
            "target_constant",
            f"'{name}' is {_shown(known.iloc[0])} in every row{' that has a value' * has_gaps}, so "
            "there is nothing to learn.",
            "Use a file with rows of every outcome, or choose another column.",
        )


def _check_classes(name: str, counts: pd.Series) -> None:
    rows = int(counts.sum())
    if len(counts) == rows:
        raise _is_id(name)
    if len(counts) > CLASSES_MAX:
        raise BadInput(
            "too_many_classes",
            f"'{name}' has {len(counts):,} different values in {wording.count(rows, 'row')}; "
            f"up to {CLASSES_MAX} classes can be predicted.",
            "Choose another column, or group its values into fewer classes.",
        )
    rare = [_written(level) for level, count in counts.items() if count < CLASS_ROWS_MIN]
    if rare:
        raise BadInput(
            "class_too_small",
            f"In '{name}' {wording.listed(rare)} "
            f"{'stands' if len(rare) == 1 else 'stand'} in one row only; "
            f"each class needs at least {CLASS_ROWS_MIN} rows.",
            "Add rows of these classes, take them out, or merge them with another class.",
        )


def _is_id(name: str) -> BadInput:
    return BadInput(
        "target_is_id",
        f"'{name}' differs in every row, like an id: it cannot be predicted from other columns.",
        "Choose another column.",
    )


def _shown(value: object) -> str:
    written = _written(value)
    return f"'{written}'" if isinstance(value, str) else written


def _written(value: object) -> str:
    is_number = isinstance(value, float | np.floating)
    return f"{value:.15g}" if is_number else str(value)


def warnings_for(table: Table, target: str) -> tuple[Warning, ...]:
    """List what a person should know before trusting a model of this table."""
    found: list[Warning] = []
    for column in table.columns:
        if column.name != target:
            found += _of_column(column, table.frame[column.name])
    kept = [
        column for column in table.columns if column.name not in {w.column for w in found if w.drop}
    ]
    found += _of_target(table.column(target), table.frame[target])
    found += _of_duplicates(table, kept)
    found += _of_time(table, kept)
    return tuple(found)


def _of_column(column: Column, values: pd.Series) -> Iterator[Warning]:
    name = column.name
    match column.kind:
        case ColumnKind.ID:
            yield Warning(name, f"column `{name}` looks like an id, left out", drop=True)
        case ColumnKind.EMPTY:
            yield Warning(name, f"column `{name}` is empty, left out", drop=True)
        case _ if column.distinct <= 1 and column.missing_share == 0:
            yield Warning(name, f"column `{name}` has one value only, left out", drop=True)
        case _ if _is_group(column, values):
            rows = (1 - column.missing_share) * len(values) / column.distinct
            yield Warning(
                name,
                f"each `{name}` stands in about {rows:.0f} rows: the score may be too good for "
                "ones the model has not met",
                drop=False,
            )
        case ColumnKind.NUMBER if np.isinf(values.to_numpy(dtype=np.float64)).any():
            sentence = f"column `{name}` has infinite values, taken as missing"
            yield Warning(name, sentence, drop=False)


def _is_group(column: Column, values: pd.Series) -> bool:
    """Tell whether a column names things that each stand in several rows, like a patient."""
    if column.kind is ColumnKind.NUMBER and not column.is_integer:
        return False
    if not ID_NAME.search(column.name.strip()) or column.distinct < GROUPS_MIN:
        return False
    return bool(values.notna().sum() >= GROUP_ROWS_MIN * column.distinct)


def _of_target(column: Column, values: pd.Series) -> Iterator[Warning]:
    name, missing = column.name, int(values.isna().sum())
    if missing:
        rows = wording.count(missing, "row")
        verb = "is" if missing == 1 else "are"
        yield Warning(name, f"{rows} without a value in `{name}` {verb} not used", drop=False)
    counts = values.value_counts()
    is_classes = column.kind is not ColumnKind.NUMBER or len(counts) == 2
    if not is_classes or len(counts) < 2:
        return
    rare, rows_of_rare = counts.index[-1], int(counts.iloc[-1])
    share = rows_of_rare / int(counts.sum())
    if share < RARE_SHARE:
        yield Warning(
            name,
            f"only {wording.share(share)} of the rows ({rows_of_rare:,}) have {_shown(rare)} in "
            f"`{name}`: the share of right answers says little, look at the score",
            drop=False,
        )


def _of_duplicates(table: Table, kept: list[Column]) -> Iterator[Warning]:
    """Tell of rows that stand twice, unless so few columns make rows alike by chance."""
    frame = table.frame[[column.name for column in kept]].head(DUPLICATES_ROWS_MAX)
    # As logarithms: the product of many columns is more than a float holds.
    combinations_log = sum(math.log(max(1, column.distinct)) for column in kept)
    if combinations_log < math.log(COMBINATIONS_PER_ROW * max(1, len(frame))):
        return
    twice = int(frame.duplicated().sum())
    if twice >= DUPLICATES_SHARE * len(frame) and twice:
        verb = "is a copy of another" if twice == 1 else "are copies of others"
        is_whole = len(frame) == len(table.frame)
        where = "" if is_whole else f" of the first {DUPLICATES_ROWS_MAX:,}"
        yield Warning(
            None,
            f"{wording.count(twice, 'row')}{where} ({wording.share(twice / len(frame))}) {verb}: "
            "a model may look better than it is",
            drop=False,
        )


def _of_time(table: Table, kept: list[Column]) -> Iterator[Warning]:
    """Tell of a table in the order of time: rows to predict come later than all of it."""
    for column in kept:
        if column.kind is not ColumnKind.DATE or column.distinct < TIMES_MIN:
            continue
        dates = table.frame[column.name].dropna()
        if dates.is_monotonic_increasing or dates.is_monotonic_decreasing:
            first, last = dates.min().date(), dates.max().date()
            yield Warning(
                column.name,
                f"rows are in the order of `{column.name}` ({first} to {last}), and the score is "
                "of rows picked at random: later rows may be harder to predict",
                drop=False,
            )
