"""Looking at local tables: what is in a file, and what is wrong with it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.kinds import FILE_HELP, Inputs, Kind, Output


class DescribeInputs(Inputs):
    file: str | None = Field(default=None, description=FILE_HELP)


class ColumnFacts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kind: str
    """number, category, text, date, id, constant or empty."""
    missing_share: float
    """0..1."""
    distinct: int
    sample: str
    """A short look at the values: range, or the most common levels."""


class DescribeOutput(Output):
    rows: int
    columns: tuple[ColumnFacts, ...]


KINDS = (
    Kind(
        name="data.describe",
        summary="Say what is in a table: columns, kinds, gaps, trouble",
        inputs=DescribeInputs,
        output=DescribeOutput,
        idempotent=True,
        timeout_seconds=600,
    ),
)
