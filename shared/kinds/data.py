"""Looking at local tables: what is in a file, and what is wrong with it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shared.kinds import FILE_HELP, Inputs, Kind, Output
from shared.kinds.llm import LOCAL_HELP, MODEL_HELP, ModelName, UsageFacts, listed
from shared.plan import OutputType, Permission, PlanFace

FILES_MAX = 5
ROWS_TOLD_MAX = 40
"""Of a computed table in a result; the machine keeps more."""


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


class AnalyzeInputs(Inputs):
    file: str | None = Field(default=None, max_length=4096, description=FILE_HELP)
    files: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), max_length=FILES_MAX - 1, description="Further tables, with commas between."
    )
    question: str | None = Field(
        default=None, max_length=4000, description="What you want to know of it."
    )
    model: ModelName | None = Field(default=None, description=MODEL_HELP)
    local: bool = Field(default=False, description=LOCAL_HELP)


class AnalyzedTable(BaseModel):
    """A table that was computed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | bool | int | float | None, ...], ...] = Field(
        default=(), max_length=ROWS_TOLD_MAX
    )
    rows_total: int = Field(default=0, ge=0)


class AnalyzedNumber(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    value: int | float
    unit: str = ""


class AnalyzeOutput(Output):
    text: str = ""
    """The answer in words, composed from what was computed."""
    numbers: tuple[AnalyzedNumber, ...] = ()
    tables: tuple[AnalyzedTable, ...] = ()
    unfounded: tuple[str, ...] = ()
    """Figures of the answer that stand in nothing that was computed."""
    code: str = ""
    """What was run, or its beginning."""
    rounds: int = Field(default=1, ge=1)
    """How often code was written until it ran."""
    model: str = ""
    usage: UsageFacts = UsageFacts()
    cost_usd: float | None = None


KINDS = (
    Kind(
        name="data.describe",
        summary="Say what is in a table: columns, kinds, gaps, trouble",
        inputs=DescribeInputs,
        output=DescribeOutput,
        idempotent=True,
        timeout_seconds=600,
        planned=PlanFace(
            permission=Permission.READ,
            takes={"file": "The table, a file in an allowed folder."},
            gives={"headline": OutputType.TEXT, "columns": OutputType.JSON},
            files=("file",),
        ),
    ),
    Kind(
        name="data.analyze",
        summary="Answer a question about tables by computing it: /analyze FILE QUESTION",
        inputs=AnalyzeInputs,
        output=AnalyzeOutput,
        idempotent=True,
        resumable=True,
        timeout_seconds=3600,
        # It mostly waits for a model; how many of its boxes run at once is limited there.
        takes_slot=False,
        is_shared=True,
        named_by=("file", "question"),
        words_input="question",
        planned=PlanFace(
            # What runs has no effect outside of its box.
            permission=Permission.READ,
            words="question",
            takes={
                "file": "The table, a file in an allowed folder.",
                "files": "Further tables, with commas between them.",
            },
            gives={
                "text": OutputType.TEXT,
                "tables": OutputType.JSON,
                "numbers": OutputType.JSON,
            },
            uses_model=True,
        ),
    ),
)
