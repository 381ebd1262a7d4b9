"""What does not fit in a definition, in words: the place, its line, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pydantic import ValidationError

from desktop.core.llm import definition_text
from desktop.core.llm.definition_text import Place
from shared.errors import BadInput
from shared.plain_text import plain_line

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FAULTS_SHOWN_MAX = 3
SHOWN_CHARS_MAX = 80

KnownAt = Callable[[Place], list[str]]
"""The fields that what stands at a place may have."""

_SAID: Mapping[str, str] = {
    "missing": "is missing; add it",
    "string_type": "has to be text; put it in quotes",
    "string_too_short": "is empty; write something, or leave it out",
    "string_too_long": "is too long; it may have {max_length:,} characters",
    "string_pattern_mismatch": (
        "may have letters, digits, '.', '_' and '-' alone, and begins with a letter"
    ),
    "tuple_type": "has to be a list; begin each of its lines with '- '",
    "dict_type": "has to be names with values, as in 'name: value'",
    "model_type": "has to be names with values, as in 'name: value'",
    "too_long": "has too many entries; it may have {max_length:,}",
    "too_short": "is empty; it needs at least one entry",
    "bool_type": "has to be true or false",
    "int_type": "has to be a whole number, without quotes",
    "float_type": "has to be a number, without quotes",
    "literal_error": "has to be {expected}",
    "greater_than": "has to be more than {gt:g}",
    "greater_than_equal": "has to be at least {ge:g}",
    "less_than": "has to be less than {lt:,g}",
    "less_than_equal": "may be at most {le:,g}",
    "value_error": "{error}",
}


def wrong(error: ValidationError, known_at: KnownAt, raw: bytes = b"") -> BadInput:
    """Tell what does not fit.

    Args:
        error: of the definition's types.
        known_at: which fields there could be instead of one that is not known.
        raw: the file's content; without it there are no lines.
    """
    faults = _telling(error.errors(include_url=False, include_input=False))
    lines = definition_text.lines_of(raw)
    told = [_told(fault, known_at, lines) for fault in faults[:FAULTS_SHOWN_MAX]]
    if len(faults) > FAULTS_SHOWN_MAX:
        told.append(f"and {len(faults) - FAULTS_SHOWN_MAX:,} more")
    return BadInput(
        "definition_wrong",
        f"The definition does not fit: {'; '.join(told)}" + ("" if told[-1][-1] == "?" else "."),
        definition_text.HINT,
    )


def wrong_at(place: str, what: str, hint: str = definition_text.HINT) -> BadInput:
    """Tell what shows only when the parts are put together."""
    return BadInput("definition_wrong", f"The definition does not fit: {place} {what}.", hint)


def place_of(place: Place) -> str:
    """Write a place as people do: "scenarios[3].prompt"."""
    told = "".join(
        f"[{part}]" if isinstance(part, int) else f".{shown(str(part))}" for part in place
    )
    return told.removeprefix(".") or "the definition"


def shown(text: str) -> str:
    one_line = plain_line(text)
    return one_line if len(one_line) <= SHOWN_CHARS_MAX else f"{one_line[:SHOWN_CHARS_MAX]}…"


def _telling(faults: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out lists that are too short only because an entry of theirs does not fit."""
    return [
        fault
        for fault in faults
        if fault["type"] != "too_short"
        or not any(
            len(other["loc"]) > len(fault["loc"])
            and other["loc"][: len(fault["loc"])] == fault["loc"]
            for other in faults
        )
    ]


def _told(fault: ErrorDetails, known_at: KnownAt, lines: Mapping[Place, int]) -> str:
    place = _as_written(fault["loc"])
    line = definition_text.line_of(lines, place)
    where = place_of(place) + (f" (line {line})" if line else "")
    if fault["type"] == "extra_forbidden":
        return f"{where} is not known; {_near(str(place[-1]), known_at(place[:-1]))}"
    said = _SAID.get(fault["type"])
    if said is None:
        return f"{where} does not fit: {fault['msg'][:1].lower()}{shown(fault['msg'][1:])}"
    return f"{where} {said.format_map(fault.get('ctx', {}))}"


def _as_written(place: Place) -> Place:
    """Leave out what only our types put between: the two ways to vary, and marks of keys."""
    return tuple(
        part
        for at, part in enumerate(place)
        if part != "[key]" and not (at and place[at - 1] == "vary" and part in ("each", "rows"))
    )


def _near(given: str, names: list[str]) -> str:
    close = difflib.get_close_matches(given.casefold(), names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"there can be {', '.join(names)}"
