"""A form for a kind's inputs, made from its JSON Schema, and the inputs read from what was sent.

A field that is left empty is no input: the executor asks for it, or takes its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import JsonValue, ValidationError

from shared.errors import BadInput
from shared.kinds import JsonObject, Kind

PREFIX = "input."
"""Before the name of an input, in the names of fields."""
VALUE_CHARS_MAX = 4000
"""Where the kind itself allows more, it counts."""
PROSE_CHARS_MIN = 4000
"""A text that may be so long wants room."""
_UNITS = ("seconds", "minutes", "hours", "bytes", "share")


class Shape(StrEnum):
    TEXT = "text"
    PROSE = "prose"
    """Text of several lines."""
    NUMBER = "number"
    WHOLE = "whole"
    TICK = "tick"
    CHOICE = "choice"
    LINES = "lines"
    """A list: one item a line."""
    JSON = "json"
    """What no simple field can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputField:
    name: str
    label: str
    help: str
    shape: Shape
    default: str
    """What is taken when it is left empty; empty when it is asked, or made."""
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    value: str = ""
    """As typed; "on" for a box that is ticked."""
    fault: str = ""
    chars_max: int = VALUE_CHARS_MAX

    @property
    def field(self) -> str:
        return PREFIX + self.name


def fields_of(kind: Kind) -> tuple[InputField, ...]:
    """Make the empty form of a kind."""
    schema = kind.inputs.model_json_schema()
    definitions = schema.get("$defs", {})
    return tuple(
        _field(name, told, definitions) for name, told in schema.get("properties", {}).items()
    )


def filled(fields: tuple[InputField, ...], inputs: JsonObject) -> tuple[InputField, ...]:
    """Fill a form with the inputs of a job that was."""
    return tuple(
        replace(field, value=_written(field, inputs[field.name])) if field.name in inputs else field
        for field in fields
    )


def typed(fields: tuple[InputField, ...], sent: Mapping[str, str]) -> tuple[InputField, ...]:
    """Fill a form with what was typed, faults and all."""
    return tuple(replace(field, value=sent.get(field.field, "")) for field in fields)


def read(kind: Kind, fields: tuple[InputField, ...]) -> tuple[JsonObject, tuple[InputField, ...]]:
    """Read the inputs of a form, and the form with what is wrong at each field."""
    inputs: JsonObject = {}
    faults: dict[str, str] = {}
    for field in fields:
        try:
            if (value := _value(field)) is not None:
                inputs[field.name] = value
        except BadInput as error:
            faults[field.name] = error.message
    try:
        kind.inputs.model_validate(inputs)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            name = str(fault["loc"][0]) if fault["loc"] else ""
            faults.setdefault(name, _sentence(fault["msg"]))
    return inputs, tuple(replace(field, fault=faults.get(field.name, "")) for field in fields)


def _field(name: str, told: JsonObject, definitions: JsonObject) -> InputField:
    bare = _bare(told, definitions)
    default = told.get("default")
    return InputField(
        name=name,
        label=_title(name, told) or _label(name),
        help=str(told.get("description", bare.get("description", ""))),
        shape=_shape(bare, default),
        default="" if default is None or default is False else _text(default),
        choices=tuple(_text(choice) for choice in _choices(bare)),
        least=_bound(bare, "minimum", "exclusiveMinimum"),
        most=_bound(bare, "maximum", "exclusiveMaximum"),
        chars_max=max(_chars_max(bare), VALUE_CHARS_MAX),
    )


def _title(name: str, told: JsonObject) -> str:
    """What the kind itself calls an input; the schema's own makeshift title is none."""
    title = str(told.get("title", ""))
    return "" if title == name.replace("_", " ").title() else title


def _chars_max(bare: JsonObject) -> int:
    most = bare.get("maxLength")
    return most if isinstance(most, int) else 0


def _bare(told: JsonObject, definitions: JsonObject) -> JsonObject:
    """What a value must be if it is there at all: null left out, names followed."""
    options = told.get("anyOf")
    if isinstance(options, list):
        real = [o for o in options if isinstance(o, dict) and o.get("type") != "null"]
        if len(real) == 1:
            return _bare(real[0], definitions)
    name = told.get("$ref")
    if isinstance(name, str):
        found = definitions.get(name.rpartition("/")[2])
        return found if isinstance(found, dict) else {}
    return told


def _shape(bare: JsonObject, default: JsonValue) -> Shape:
    if _choices(bare):
        return Shape.CHOICE
    items = bare.get("items")
    match bare.get("type"):
        case "string":
            return Shape.PROSE if _chars_max(bare) >= PROSE_CHARS_MIN else Shape.TEXT
        case "number":
            return Shape.NUMBER
        case "integer":
            return Shape.WHOLE
        case "boolean":
            return Shape.CHOICE if default is True else Shape.TICK
        case "array" if isinstance(items, dict) and items.get("type") == "string":
            return Shape.LINES
        case _:
            return Shape.JSON


def _choices(bare: JsonObject) -> list[JsonValue]:
    choices = bare.get("enum")
    if isinstance(choices, list):
        return choices
    if bare.get("type") == "boolean" and bare.get("default") is True:
        return [True, False]
    return [bare["const"]] if "const" in bare else []


def _bound(bare: JsonObject, *names: str) -> str:
    return next((_text(bare[name]) for name in names if name in bare), "")


def _label(name: str) -> str:
    words = name.split("_")
    if len(words) > 1 and words[-1] in _UNITS:
        return f"{' '.join(words[:-1]).capitalize()} ({words[-1]})"
    return " ".join(words).capitalize()


def _value(field: InputField) -> JsonValue | None:
    """Read one field; None when it says nothing.

    Raises:
        BadInput: `input_unfit`.
    """
    text = field.value if field.shape in (Shape.TEXT, Shape.PROSE) else field.value.strip()
    if not text.strip():
        return None
    if len(text) > field.chars_max:
        raise BadInput("input_unfit", f"At most {field.chars_max:,} characters fit here.")
    try:
        match field.shape:
            case Shape.TICK:
                return True
            case Shape.NUMBER:
                return float(text.replace(",", ""))
            case Shape.WHOLE:
                return int(text.replace(",", ""))
            case Shape.LINES:
                return [line.strip() for line in text.splitlines() if line.strip()]
            case Shape.JSON:
                value: JsonValue = json.loads(text)
                return value
            case Shape.CHOICE if field.choices == ("yes", "no"):
                return text == "yes"
            case _:
                return text.strip()
    except (ValueError, RecursionError):
        wanted = {Shape.NUMBER: "a number", Shape.WHOLE: "a whole number"}
        raise BadInput("input_unfit", f"This must be {wanted.get(field.shape, 'JSON')}.") from None


def _written(field: InputField, value: JsonValue) -> str:
    match field.shape:
        case Shape.TICK:
            return "on" if value else ""
        case Shape.LINES if isinstance(value, list):
            return "\n".join(_text(item) for item in value)
        case Shape.JSON:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return _text(value)


def _text(value: JsonValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case None:
            return ""
        case _:
            return str(value)


def _sentence(message: str) -> str:
    """Say what pydantic says as a sentence of its own."""
    plain = message.removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return f"{plain[:1].upper()}{plain[1:]}."
