"""What can be asked for: kinds by their verbs, their fields, and what a typed line says of them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from desktop.gui.language import tr
from shared.kinds import JsonObject, Kind, parse_inputs
from shared.kinds.catalogue import BUILT_IN
from shared.kinds.plan import PLAN

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".parquet")
FOR_A_TABLE = ("ml.train", "ml.predict", "data.describe", "files.head")
FOR_A_FILE = ("files.send",)
WORDS_MIN = 3
WORDS_SURE = 5
"""Of a line that begins with a verb; commands are shorter."""
HIDDEN = {PLAN: ("earlier", "tokens_max", "jobs_max")}
"""Inputs that nobody fills by hand."""


class Shape(StrEnum):
    """What a field looks like."""

    TEXT = "text"
    FILE = "file"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    name: str
    label: str
    shape: Shape
    choices: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line that a person typed."""

    kind: Kind | None
    """None when its first word is no verb."""
    values: Mapping[str, str] = field(default_factory=dict)
    """By field, what the other words say."""


def verb_of(kind: Kind) -> str:
    return kind.name.rpartition(".")[2]


def summary_of(kind: Kind) -> str:
    """Say what a kind does, in the person's language where it is known."""
    told = {
        "data.describe": tr("Say what is in a table: columns, gaps, trouble"),
        "files.send": tr("Hand a file of a computer over to the chat"),
        "files.head": tr("Show the first rows of a table"),
        "machine.autostart": tr("Start the worker at login, or no longer"),
        "plan": tr("Say in your own words what is to be done"),
        "web.research": tr("Answer a question from the web, with its sources"),
        "ml.train": tr("Train a model on a table"),
        "ml.predict": tr("Predict a table with a trained model"),
        "ml.models": tr("List the models of a computer"),
        "ml.model": tr("Tell about one model, and draw its plots"),
    }
    return told.get(kind.name, kind.summary)


def kinds_for(typed: str, kinds: Mapping[str, Kind] = BUILT_IN) -> tuple[Kind, ...]:
    """Find the kinds that a line may mean: by the beginning of a verb, then by words."""
    first = typed.strip().removeprefix("/").split(" ")[0].casefold()
    offered = [kind for kind in kinds.values() if kind.is_offered]
    if not first:
        return tuple(offered)
    starting = [kind for kind in offered if verb_of(kind).startswith(first)]
    by_words = [
        kind
        for kind in offered
        if kind not in starting and first in f"{kind.name} {summary_of(kind)}".casefold()
    ]
    return (*starting, *by_words)


def said(typed: str, kinds: Mapping[str, Kind] = BUILT_IN) -> Said:
    """Read a line: "/train flights.csv arrival", "predict model=3 new.csv"."""
    words = _split(typed.strip().removeprefix("/"))
    verb = words[0].casefold() if words else ""
    kind = next((k for k in kinds.values() if verb in (verb_of(k), k.name)), None)
    if PLAN in kinds and is_task(typed, is_verb=kind is not None):
        return Said(kind=kinds[PLAN], values={"task": typed.strip()})
    if kind is None:
        return Said(kind=None)
    return Said(kind=kind, values=_placed(words[1:], fields_of(kind)))


def is_task(typed: str, *, is_verb: bool) -> bool:
    """Say whether a line is a task in plain words.

    Args:
        typed: the line.
        is_verb: whether its first word is what a kind is called: "describe the three largest risks
            of it" is a task all the same, "describe sales.csv" is not.
    """
    line = typed.strip()
    words = line.split()
    if line.startswith("/") or len(words) < WORDS_MIN:
        return False
    names = any(_is_table(word) or "=" in word for word in words)
    return not is_verb or (len(words) >= WORDS_SURE and not names)


def fields_of(kind: Kind) -> tuple[Field, ...]:
    hidden = HIDDEN.get(kind.name, ())
    fields = kind.inputs.model_fields.items()
    return tuple(_field(name, info) for name, info in fields if name not in hidden)


def inputs_of(kind: Kind, texts: Mapping[str, str]) -> JsonObject:
    """Make inputs of what stands in the fields; empty ones are left out, and will be asked.

    Raises:
        BadInput: `inputs_invalid`.
    """
    raw: JsonObject = {}
    for one in fields_of(kind):
        text = texts.get(one.name, "").strip()
        if not text or text == one.default:
            continue
        raw[one.name] = (text == "true") if one.shape is Shape.SWITCH else text
    checked = parse_inputs(kind, raw)
    given: JsonObject = checked.model_dump(mode="json", include=set(raw))
    return given


def line_of(kind: Kind, inputs: JsonObject) -> str:
    """Say a request as it could have been typed: "train flights.csv arrival"."""
    words = [str(v) for v in inputs.values() if isinstance(v, str)]
    if kind.is_named_by_words:
        return words[0] if words else kind.summary
    return " ".join((verb_of(kind), *words))


def _field(name: str, info: FieldInfo) -> Field:
    shape, choices = _shape(name, info.annotation)
    default = "" if info.default is None else str(info.default)
    if shape is Shape.SWITCH:
        default = default.casefold()
    return Field(name=name, label=_label(name), shape=shape, choices=choices, default=default)


def _shape(name: str, annotation: object) -> tuple[Shape, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return Shape.CHOICE, tuple(str(value) for value in get_args(annotation))
    if annotation is bool:
        return Shape.SWITCH, ()
    if annotation in (int, float):
        return Shape.NUMBER, ()
    return (Shape.FILE if name == "file" else Shape.TEXT), ()


def _label(name: str) -> str:
    told = {
        "task": tr("What is to be done"),
        "local": tr("Use no model elsewhere"),
        "cost_usd_max": tr("Dollars at most"),
        "seconds_max": tr("Seconds at most"),
        "file": tr("File"),
        "target": tr("Column to predict"),
        "budget_seconds": tr("Seconds to train"),
        "name": tr("Name of the model"),
        "seed": tr("Seed of chance"),
        "model": tr("Model"),
        "plot": tr("Draw its plots"),
        "switch": tr("Switch"),
    }
    return told.get(name, name.replace("_", " ").capitalize())


def _placed(words: list[str], fields: tuple[Field, ...]) -> dict[str, str]:
    """Give each word its field: by name, by its look, or the next one that is free."""
    by_name = {one.name: one for one in fields}
    values: dict[str, str] = {}
    rest: list[str] = []
    file = next((one for one in fields if one.shape is Shape.FILE), None)
    for word in words:
        name, sign, value = word.partition("=")
        if sign and name in by_name:
            values[name] = value
        elif word in by_name and by_name[word].shape is Shape.SWITCH:
            values[word] = "true"
        elif file is not None and file.name not in values and _is_table(word):
            values[file.name] = word
        else:
            rest.append(word)
    free = [one for one in fields if one.name not in values and one.shape is not Shape.SWITCH]
    return values | {one.name: word for one, word in zip(free, rest, strict=False)}


def _is_table(word: str) -> bool:
    return word.casefold().endswith(TABLE_SUFFIXES)


def _split(text: str) -> list[str]:
    """Cut a line into words; a backslash is part of a path, and a quote may stay open."""
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()
