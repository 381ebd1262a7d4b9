"""What a probe run is made of, as people write it: a preamble, scenarios, models, repeats.

    text ─ definition_text ─▶ values ─ parse ─▶ Definition ─ scenarios.expand ─▶ plain scenarios

Here are the fields and their limits; every fault names its place and what to do. What `vary`,
`swap` and what scenarios share make of it is in `scenarios`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_serializer,
)

from desktop.core.llm import definition_fault, definition_text
from shared.finite import FiniteObject
from shared.kinds import JsonObject
from shared.kinds.llm import MODELS_MAX, NAME_CHARS_MAX, REPEATS_MAX

SCENARIOS_MAX = 20_000
"""Also of what is written; `vary` makes more of them, up to as many."""
TEXT_CHARS_MAX = 100_000
"""Of one prompt, follow-up or preamble."""
FOLLOWUPS_MAX = 50
OPTIONS_MAX = 26
LABEL_CHARS_MAX = 100
VARIABLES_MAX = 10
VALUES_MAX = 1000
"""Of one variable."""
TOKENS_MAX = 1_000_000

ID = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

Text = Annotated[StrictStr, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
Id = Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=ID)]
Label = Annotated[StrictStr, Field(min_length=1, max_length=LABEL_CHARS_MAX)]
Number = Annotated[float, Field(strict=True)]


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OptionFields(Strict):
    """One answer that a scenario offers."""

    label: Label
    """What the model is to reply with."""
    value: Label
    """What it stands for in the statistics."""
    text: Annotated[StrictStr, Field(max_length=TEXT_CHARS_MAX)] = ""
    """What it says; options with a text are shown to the model as a list."""


def _as_options(raw: object) -> object:
    """Turn `A: honesty` and `A: {value: honesty, text: ...}` into the list that they mean."""
    if not isinstance(raw, Mapping):
        return raw
    return [
        {"label": label, **told} if isinstance(told, Mapping) else {"label": label, "value": told}
        for label, told in raw.items()
    ]


def _are_apart(options: tuple[OptionFields, ...]) -> tuple[OptionFields, ...]:
    labels = [option.label.strip().casefold() for option in options]
    if len(set(labels)) < len(labels):
        raise ValueError("needs labels that differ by more than upper and lower case")
    if len(options) == 1:
        raise ValueError("needs at least two options, or none at all")
    return options


def _as_rows(raw: object) -> object:
    """Turn `who: [a, b]` into a list of its own, so that both ways to vary are one."""
    return {"each": raw} if isinstance(raw, Mapping) else {"rows": raw}


_LABELLED: Any = (
    Annotated[dict[Label, Label], Field(description="label: value")]
    | Annotated[
        dict[Label, dict[Literal["value", "text"], str]],
        Field(description="label: {value, text}"),
    ]
    | list[OptionFields]
)
Options = Annotated[
    tuple[OptionFields, ...],
    BeforeValidator(_as_options, json_schema_input_type=_LABELLED),
    AfterValidator(_are_apart),
    Field(max_length=OPTIONS_MAX),
]
Variable = Annotated[StrictStr, Field(max_length=40, pattern=VARIABLE)]
Words = Annotated[StrictStr, Field(max_length=TEXT_CHARS_MAX)]


class VaryFields(Strict):
    """Which scenarios a template makes: every combination of `each`, or `rows` as they stand."""

    each: dict[
        Variable, Annotated[tuple[Words, ...], Field(min_length=1, max_length=VALUES_MAX)]
    ] = Field(default_factory=dict, max_length=VARIABLES_MAX)
    rows: tuple[Annotated[dict[Variable, Words], Field(max_length=VARIABLES_MAX)], ...] = Field(
        default=(), max_length=SCENARIOS_MAX
    )

    @model_serializer
    def _as_written(self) -> dict[str, list[str]] | list[dict[str, str]]:
        if self.rows:
            return [dict(row) for row in self.rows]
        return {name: list(values) for name, values in self.each.items()}


Vary = Annotated[
    VaryFields,
    BeforeValidator(
        _as_rows,
        json_schema_input_type=dict[Variable, list[Words]] | list[dict[Variable, Words]],
    ),
]


def _as_text(raw: object) -> object:
    return str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw


Version = Annotated[
    StrictStr,
    BeforeValidator(_as_text, json_schema_input_type=str | int),
    Field(max_length=40),
]


class SamplingFields(Strict):
    """What is asked of the sampler; what is left out is left to the provider."""

    temperature: Annotated[Number, Field(ge=0, le=5)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    seed: Annotated[StrictInt, Field(ge=0, lt=2**31)] | None = None
    tokens_max: Annotated[StrictInt, Field(ge=1, le=TOKENS_MAX)] | None = None
    response_schema: FiniteObject | None = None


class ScenarioFields(Strict):
    """A scenario, or with `vary` a template of several."""

    id: Id
    prompt: Text
    followups: tuple[Text, ...] = Field(default=(), max_length=FOLLOWUPS_MAX)
    options: Options | None = None
    swap: StrictBool | None = None
    cluster: Id | None = None
    metadata: FiniteObject = Field(default_factory=dict)
    preamble: Annotated[StrictStr, Field(max_length=TEXT_CHARS_MAX)] | None = None
    preamble_as: Literal["system", "user"] | None = None
    sampling: SamplingFields | None = None
    vary: Vary | None = None


class Definition(Strict):
    """A whole definition, checked field by field."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=100)]
    version: Version = ""
    description: Annotated[StrictStr, Field(max_length=TEXT_CHARS_MAX)] = ""
    preamble: Annotated[StrictStr, Field(max_length=TEXT_CHARS_MAX)] = ""
    preamble_as: Literal["system", "user"] = "system"
    sampling: SamplingFields = SamplingFields()
    models: tuple[Annotated[StrictStr, Field(min_length=1, max_length=NAME_CHARS_MAX)], ...] = (
        Field(default=(), max_length=MODELS_MAX)
    )
    repeats: Annotated[StrictInt, Field(ge=1, le=REPEATS_MAX)] = 1
    options: Options = ()
    swap: StrictBool = False
    scenarios: tuple[ScenarioFields, ...] = Field(min_length=1, max_length=SCENARIOS_MAX)


def read(raw: bytes) -> Definition:
    """Read a definition file's content.

    Raises:
        BadInput: `definition_unreadable`, `definition_wrong` with places and lines.
        LimitReached: `definition_too_large`.
    """
    return parse(definition_text.read_text(raw), raw)


def parse(values: JsonObject, raw: bytes = b"") -> Definition:
    """Check a definition's values.

    Args:
        values: as read from a file, or as a job's inputs bring them.
        raw: the file's content, from which faults get their lines.

    Raises:
        BadInput: `definition_wrong`, naming each place and what to do.
    """
    try:
        return Definition.model_validate(values)
    except ValidationError as error:
        raise definition_fault.wrong(error, known_at, raw) from None


def digest(definition: Definition) -> str:
    """Return the SHA-256 of what a definition says, whatever its text looked like."""
    return hashlib.sha256(snapshot(definition).encode()).hexdigest()


def snapshot(definition: Definition) -> str:
    """Write a definition as JSON that `parse` takes: the same content gives the same text."""
    # Names stay in their order: it is that of the scenarios that `vary` makes.
    told = definition.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def known_at(place: tuple[str | int, ...], root: type[BaseModel] = Definition) -> list[str]:
    """List the fields that what stands at a place may have."""
    at = root
    for part in place:
        at = _BELOW.get(str(part), at)
    return [name for name in at.model_fields if (at, name) != (OptionFields, "label")]


_BELOW: Mapping[str, type[BaseModel]] = {
    "scenarios": ScenarioFields,
    "sampling": SamplingFields,
    "options": OptionFields,
}
