"""Reads a model's reply as a plan or as questions; what it cannot read it tells as faults.

Models put fences and sentences around JSON, and leave out the wrapping. They are not asked again
for that. Only a bounded part of a reply is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from desktop.core.plan.fault import Fault, Rule
from shared.plain_text import plain_line
from shared.plan import Clarify, Plan

REPLY_CHARS_MAX = 200_000
STARTS_MAX = 20
"""Places in a reply where an object may begin."""
FAULTS_MAX = 8
MARKS = frozenset({"goal", "steps", "final", "questions"})
"""One of these is in whatever is meant as a plan or as questions."""

_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)
_CLARIFY: TypeAdapter[Clarify] = TypeAdapter(Clarify)

Read = Plan | Clarify | tuple[Fault, ...]


def read_reply(text: str) -> Read:
    """Read a reply; faults say what the model has to write instead."""
    if len(text) > REPLY_CHARS_MAX:
        return (
            Fault(
                Rule.REPLY_TOO_LONG,
                "",
                f"The reply has {len(text):,} characters; {REPLY_CHARS_MAX:,} may be. Be shorter.",
            ),
        )
    told = next(_objects(text), None)
    if told is None:
        return (Fault(Rule.REPLY_NOT_JSON, "", "Reply with one JSON object and nothing else."),)
    return _parsed(told)


def _objects(text: str) -> Iterator[dict[str, object]]:
    """Find objects of a reply that are plans or questions, wherever they begin."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    place = -1
    for _ in range(STARTS_MAX):
        place = text.find("{", place + 1)
        if place < 0:
            return
        try:
            told, _end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            continue
        if not isinstance(told, dict):
            continue
        wrapped = told.get("reply")
        told = wrapped if isinstance(wrapped, dict) else told
        if not MARKS.isdisjoint(told):
            yield told


def _no_constant(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _parsed(told: dict[str, object]) -> Read:
    kind = told.get("type", "clarify" if "questions" in told else "plan")
    told = told | {"type": kind}
    try:
        if kind == "clarify":
            return _CLARIFY.validate_json(json.dumps(told))
        return _PLAN.validate_json(json.dumps(told))
    except (ValidationError, ValueError) as error:
        return tuple(_faults(error, told))


def _faults(error: ValueError, told: dict[str, object]) -> Iterator[Fault]:
    if not isinstance(error, ValidationError):
        yield Fault(Rule.REPLY_NOT_JSON, "", "Reply with one JSON object and nothing else.")
        return
    for one in error.errors(include_url=False, include_context=False)[:FAULTS_MAX]:
        yield Fault(Rule.SHAPE, _step_of(one, told), f"{_place(one)}: {one['msg']}.")


def _place(error: ErrorDetails) -> str:
    return plain_line(".".join(str(part) for part in error["loc"]))[:100] or "the reply"


def _step_of(error: ErrorDetails, told: dict[str, object]) -> str:
    """Name the step that an error is in, where it has a name."""
    steps, place = told.get("steps"), error["loc"]
    if len(place) < 2 or place[0] != "steps" or not isinstance(steps, list):
        return ""
    index = place[1]
    step = steps[index] if isinstance(index, int) and index < len(steps) else None
    name = step.get("id") if isinstance(step, dict) else None
    return plain_line(name)[:64] if isinstance(name, str) else ""
