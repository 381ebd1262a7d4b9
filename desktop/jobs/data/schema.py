"""What a model needs of a file: which columns, of which kind, with which values.

Made from the training table and stored with the model. A file to predict is checked against it:
repaired where one meaning is plain, refused where a column is missing, warned about where
predictions would silently get worse. How a single column is repaired is left to `conform`.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from desktop.jobs import wording
from desktop.jobs.data.conform import Finding, Severity, conform
from desktop.jobs.data.profile import ColumnProfile
from desktop.jobs.data.table import Column, Table
from shared.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

COLUMNS_TOLD_MAX = 5
CLOSE_NAMES_MAX = 2

__all__ = ["Finding", "Repaired", "Schema", "Severity", "check_and_repair"]


class Schema(BaseModel):
    """The columns of a training table that its model uses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: Literal[1] = 1
    rows: int
    target: str | None = None
    """The column that is predicted; a file may have it, it is not used."""
    columns: tuple[ColumnProfile, ...]

    @classmethod
    def of(
        cls, table: Table, *, columns: Sequence[str] | None = None, target: str | None = None
    ) -> Schema:
        """Describe a training table.

        Args:
            table: the training table.
            columns: the columns the model uses; None takes all but the target.
            target: the column to predict.
        """
        if columns is None:
            columns = [column.name for column in table.columns if column.name != target]
        profiles = [ColumnProfile.of(table.column(name), table.frame[name]) for name in columns]
        return cls(rows=len(table.frame), target=target, columns=tuple(profiles))

    @property
    def as_columns(self) -> tuple[Column, ...]:
        """What `reading.read_table` takes as `columns`, to read a new file the same way."""
        return tuple(profile.as_column for profile in self.columns)


@dataclass(frozen=True, slots=True)
class Repaired:
    """A file as the model wants it, and what was found on the way."""

    frame: pd.DataFrame
    """The schema's columns in its order: number float64, date datetime64[ns], others str."""
    findings: tuple[Finding, ...]
    unseen_rows: int
    """Rows with at least one category never seen in training."""


def check_and_repair(table: Table, schema: Schema) -> Repaired:
    """Make a new table fit a model, or say why it cannot.

    Raises:
        BadInput: `file_without_rows`; `column_missing`; `column_ambiguous`.
    """
    import pandas as pd

    if not len(table.frame):
        raise BadInput(
            "file_without_rows",
            f"{table.report.file} has a header and no rows.",
            "Choose a file with rows in it.",
        )
    names = _matched([column.name for column in table.columns], schema, table.report.file)
    findings = list(_of_names(table, schema, names))
    unseen = np.zeros(len(table.frame), dtype=bool)
    parts: dict[str, pd.Series] = {}
    for wanted in schema.columns:
        name = names[wanted.name]
        conformed = conform(table.frame[name], table.column(name), wanted)
        parts[wanted.name] = conformed.values
        findings += conformed.findings
        unseen |= conformed.unseen
    frame = pd.DataFrame(parts, index=table.frame.index)
    return Repaired(frame, tuple(findings), int(unseen.sum()))


def fold(name: str) -> str:
    """Take away what people vary in a column's name: case, blanks, underscores, dashes, dots."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-.\ufeff]+", "", plain) or plain


def _matched(found: Sequence[str], schema: Schema, file: str) -> Mapping[str, str]:
    """Find each needed column in a file: name at training -> name in the file."""
    names = {column.name: column.name for column in schema.columns if column.name in found}
    left = [name for name in found if name not in names]
    missing: list[str] = []
    wanted = [column.name for column in schema.columns if column.name not in names]
    folded = [fold(name) for name in wanted]
    for name, key in zip(wanted, folded, strict=True):
        fitting = [other for other in left if fold(other) == key]
        if len(fitting) > 1:
            raise BadInput(
                "column_ambiguous",
                f"The model needs the column '{name}', and {file} has {wording.listed(fitting)}.",
                f"Rename the right one to '{name}'.",
            )
        if fitting and folded.count(key) == 1:
            names[name] = fitting[0]
        else:
            missing.append(name)
    if missing:
        raise _missing(missing, [name for name in left if name not in names.values()], file)
    return names


def _missing(missing: Sequence[str], left: Sequence[str], file: str) -> BadInput:
    one = len(missing) == 1
    what = f"column{'' if one else 's'} {wording.listed(missing, COLUMNS_TOLD_MAX)}"
    instead = wording.listed(left, COLUMNS_TOLD_MAX) if left else "no other column"
    by_folded = {fold(name): name for name in left}
    close = [
        by_folded[key]
        for name in missing
        for key in difflib.get_close_matches(fold(name), by_folded, CLOSE_NAMES_MAX, cutoff=0.75)
    ]
    hint = "Add it to the file." if one else "Add them to the file."
    if close:
        hint = f"If {wording.listed(close)} is meant, rename it to {wording.listed(missing)}."
    return BadInput(
        "column_missing",
        f"{file} lacks the {what} that the model needs; beside the others it has {instead}.",
        hint,
    )


def _of_names(table: Table, schema: Schema, names: Mapping[str, str]) -> Iterator[Finding]:
    """Tell what was done about names, order and columns that are too many."""
    for wanted, name in names.items():
        if wanted != name:
            yield Finding(Severity.NOTE, wanted, f"'{name}' was taken for '{wanted}'.")
    used = set(names.values())
    there = [column.name for column in table.columns]
    order = [name for name in there if name in used]
    if order != [names[column.name] for column in schema.columns]:
        yield Finding(Severity.NOTE, None, "The columns were put in the order of training.")
    extra = [name for name in there if name not in used]
    targets = [
        name for name in extra if schema.target is not None and fold(name) == fold(schema.target)
    ]
    for name in targets:
        sentence = f"'{name}' is what is predicted; the values in the file were not used."
        yield Finding(Severity.NOTE, schema.target, sentence)
    rest = [name for name in extra if name not in targets]
    if rest:
        listed = wording.listed(rest, COLUMNS_TOLD_MAX)
        yield Finding(Severity.NOTE, None, f"The model does not use {listed}.")
