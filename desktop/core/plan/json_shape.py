"""A small, bounded part of JSON Schema, enough to say what a step's output looks like.

Known are type, properties, required, additionalProperties (yes or no), items, enum, minItems,
maxItems, minLength, maxLength, minimum, maximum and pattern; titles and descriptions are passed
over. Anything else is a fault, so that nobody believes that it was checked. No references, so a
check ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from pydantic import JsonValue

from desktop.core.plan import pattern

CHARS_MAX = 2000
DEPTH_MAX = 6
PLACE_CHARS_MAX = 60

Shape = Mapping[str, JsonValue]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NUMBERS = ("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum")
_PASSED_OVER = frozenset({"title", "description", "$schema", "default", "examples"})


def read(text: str) -> Shape:
    """Read a schema that has no `schema_fault`; one that is none fits everything."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def schema_fault(text: str) -> str:
    """Say why a schema cannot be used; empty when it can."""
    if len(text) > CHARS_MAX:
        return f"it has more than {CHARS_MAX:,} characters"
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return next(_faults(told, 0), "")


def _faults(schema: object, depth: int) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield "a schema has to be an object"
    elif depth > DEPTH_MAX:
        yield f"it is more than {DEPTH_MAX} deep"
    else:
        for word, value in schema.items():
            if word not in _PASSED_OVER:
                yield from _word_faults(word, value, depth)


def _word_faults(word: str, value: object, depth: int) -> Iterator[str]:
    if word == "properties" and isinstance(value, dict):
        for below in value.values():
            yield from _faults(below, depth + 1)
    elif word == "items":
        yield from _faults(value, depth + 1)
    elif word == "pattern" and isinstance(value, str):
        why = pattern.fault(value)
        if why:
            yield f"its pattern cannot be used: {why}"
    elif word not in _WANTED:
        yield f"'{word[:40]}' is not known here"
    elif not _WANTED[word][0](value):
        yield f"{word} has to be {_WANTED[word][1]}"


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_NUMBER = (_is_number, "a number")
_WANTED: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "type": (
        lambda value: isinstance(value, str) and value in _TYPES,
        f"one of {', '.join(_TYPES)}",
    ),
    "properties": (lambda value: isinstance(value, dict), "an object"),
    "required": (_is_names, "a list of names"),
    "enum": (lambda value: isinstance(value, list) and bool(value), "a list of values"),
    "additionalProperties": (lambda value: isinstance(value, bool), "true or false"),
    "pattern": (lambda value: isinstance(value, str), "a text"),
    **dict.fromkeys(_NUMBERS, _NUMBER),
}


def fault(schema: Shape, value: JsonValue, place: str = "it") -> str:
    """Say where a value does not fit a schema without fault; empty when it fits."""
    return next(_misfits(schema, value, place[:PLACE_CHARS_MAX]), "")


def _misfits(schema: Shape, value: JsonValue, place: str) -> Iterator[str]:
    wanted = schema.get("type")
    if isinstance(wanted, str) and not _is_of(wanted, value):
        yield f"{place} is not of type {wanted}"
        return
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_is_same(value, one) for one in allowed):
        yield f"{place} is none of the values allowed"
    match value:
        case dict():
            yield from _in_object(schema, value, place)
        case list():
            yield from _bounded(schema, "Items", len(value), f"{place} has", "entries")
            items = schema.get("items")
            if isinstance(items, dict):
                for index, one in enumerate(value):
                    yield from _misfits(items, one, f"{place}[{index}]"[-PLACE_CHARS_MAX:])
        case str():
            yield from _bounded(schema, "Length", len(value), f"{place} has", "characters")
            wanted = schema.get("pattern")
            if isinstance(wanted, str) and not pattern.found(wanted, value):
                yield f"{place} does not match its pattern"
        case int() | float() if not isinstance(value, bool):
            yield from _bounded(schema, "imum", value, f"{place} is", "")
        case _:
            pass


def _in_object(schema: Shape, value: Mapping[str, JsonValue], place: str) -> Iterator[str]:
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in value:
            yield f"{place} has no '{str(name)[:40]}'"
    properties = schema.get("properties")
    known = properties if isinstance(properties, dict) else {}
    for name, below in known.items():
        if name in value and isinstance(below, dict):
            yield from _misfits(below, value[name], f"{place}.{name}"[-PLACE_CHARS_MAX:])
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in known:
                yield f"{place} has '{name[:40]}', which is not asked for"


def _bounded(schema: Shape, word: str, size: float, says: str, unit: str) -> Iterator[str]:
    checks: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
        (f"min{word}", lambda size, bound: size < bound, "fewer than" if unit else "less than"),
        (f"max{word}", lambda size, bound: size > bound, "more than"),
    )
    for name, is_over, words in checks:
        bound = schema.get(name)
        if isinstance(bound, int | float) and is_over(size, bound):
            yield f"{says} {words} {bound:g} {unit}".rstrip()


def _is_of(wanted: str, value: JsonValue) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES.get(wanted, ()))


def _is_same(value: JsonValue, other: JsonValue) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)
