"""What the code of a model hands over: one JSON document, bounded, of tables, numbers and charts.

It is written by a stranger's program in a box. Nothing else that it leaves there is looked at.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shared.errors import BadInput

TABLES_MAX = 12
ROWS_MAX = 200
"""Of a table that is handed over; the code keeps the first."""
COLUMNS_MAX = 30
NUMBERS_MAX = 60
CHARTS_MAX = 6
POINTS_MAX = 2_000
SERIES_MAX = 8
BARS_MAX = 10
NAME_CHARS_MAX = 80
CELL_CHARS_MAX = 200
RESULT_BYTES_MAX = 4 * 1000 * 1000

Name = Annotated[str, Field(max_length=NAME_CHARS_MAX)]
Figure = Annotated[float, Field(allow_inf_nan=False)]
Cell = Annotated[str, Field(max_length=CELL_CHARS_MAX)] | bool | int | Figure | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Tabled(_Part):
    name: Name
    columns: Annotated[tuple[Name, ...], Field(max_length=COLUMNS_MAX, strict=False)]
    rows: Annotated[
        tuple[
            Annotated[tuple[Cell, ...], Field(max_length=COLUMNS_MAX, strict=False)],
            ...,
        ],
        Field(max_length=ROWS_MAX, strict=False),
    ]
    rows_total: int = Field(ge=0, le=10**12)
    """The table had so many before it was cut."""

    @model_validator(mode="after")
    def _is_square(self) -> Tabled:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has another length than the columns")
        return self


class Numbered(_Part):
    name: Name
    value: Figure | int
    unit: Annotated[str, Field(max_length=20)] = ""


class Line(_Part):
    """One series of a chart of lines or dots."""

    name: Name
    y: Annotated[tuple[Figure | int, ...], Field(max_length=POINTS_MAX, strict=False)]
    x: Annotated[tuple[Figure | int, ...], Field(max_length=POINTS_MAX, strict=False)]

    @model_validator(mode="after")
    def _is_paired(self) -> Line:
        if len(self.x) != len(self.y):
            raise ValueError("x and y differ in length")
        return self


class Chart(_Part):
    """A picture that the worker paints."""

    form: Literal["bar", "line", "scatter", "hist"]
    title: Name
    x_label: Name = ""
    y_label: Name = ""
    words: Annotated[
        tuple[Annotated[str, Field(max_length=NAME_CHARS_MAX)], ...],
        Field(max_length=POINTS_MAX, strict=False),
    ] = ()
    """Of bars: their names. Of lines: what stands at x = 0, 1, 2 …; empty for plain numbers."""
    values: Annotated[tuple[Figure | int, ...], Field(max_length=POINTS_MAX, strict=False)] = ()
    """Of bars; of a histogram the counts."""
    edges: Annotated[tuple[Figure | int, ...], Field(max_length=POINTS_MAX, strict=False)] = ()
    """Of a histogram: one more than counts."""
    lines: Annotated[tuple[Line, ...], Field(max_length=SERIES_MAX, strict=False)] = ()

    @model_validator(mode="after")
    def _fits_its_form(self) -> Chart:
        if self.form == "bar" and len(self.words) != len(self.values):
            raise ValueError("bars and their names differ in number")
        if self.form == "hist" and len(self.edges) != len(self.values) + 1:
            raise ValueError("a histogram has one more edge than counts")
        return self


class Results(_Part):
    tables: Annotated[tuple[Tabled, ...], Field(max_length=TABLES_MAX, strict=False)] = ()
    numbers: Annotated[tuple[Numbered, ...], Field(max_length=NUMBERS_MAX, strict=False)] = ()
    charts: Annotated[tuple[Chart, ...], Field(max_length=CHARTS_MAX, strict=False)] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.tables or self.numbers)


def read_results(content: bytes) -> Results:
    """Read what came out of a box.

    Raises:
        BadInput: `results_invalid`, in words for whoever wrote the code.
    """
    try:
        return Results.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))[:NAME_CHARS_MAX]
        raise BadInput(
            "results_invalid",
            f"What the code handed over cannot be used: {place}: {fault['msg'][:200]}.",
            "Hand over tables, numbers and charts with the functions of `out` alone.",
        ) from None


def as_text(results: Results, chars_max: int) -> str:
    """Write tables and numbers for a model, as much of them as there is room for."""
    parts = [
        f"{one.name} = {one.value!r}{' ' if one.unit else ''}{one.unit}" for one in results.numbers
    ]
    for table in results.tables:
        head = f"Table {table.name} ({len(table.rows)} of {table.rows_total} rows):"
        lines = [" | ".join(map(_cell, row)) for row in (table.columns, *table.rows)]
        parts.append("\n".join([head, *lines]))
    told = "\n\n".join(parts)
    return told if len(told) <= chars_max else f"{told[:chars_max]}\n(cut here)"


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
