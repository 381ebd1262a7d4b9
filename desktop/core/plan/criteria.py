"""Sees whether a step has done what it was to do: by code where it can be, else by asking.

What a model or a person has to judge is returned, not done. Nothing that a plan says is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from desktop.core.plan import json_shape, pattern
from shared.plan import Criterion, CriterionKind, OutputType, Step

SEARCHED_CHARS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Judging:
    """What somebody has to say of a step's outputs, after code had no objection."""

    by: Literal["model", "person"]
    question: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is seen of a step that ended well."""

    faults: tuple[str, ...]
    """Sentences, one for each criterion that is not met."""
    judgings: tuple[Judging, ...]
    """To be had when there are no faults."""


def judged(step: Step, outputs: Mapping[str, JsonValue], result: Mapping[str, object]) -> Verdict:
    """Check a step's success criteria.

    Args:
        step: which has ended well.
        outputs: by name (`binding.outputs_of`).
        result: its job's whole result, for facts of the kind itself (`tests_after`).
    """
    faults: list[str] = []
    judgings: list[Judging] = []
    for criterion in step.success_criteria:
        match criterion.kind:
            case CriterionKind.LLM_JUDGE:
                judgings.append(Judging("model", criterion.arg))
            case CriterionKind.HUMAN:
                judgings.append(Judging("person", criterion.arg))
            case _:
                faults.append(_fault(criterion, step, outputs, result))
    return Verdict(tuple(filter(None, faults)), tuple(judgings))


def _fault(
    criterion: Criterion,
    step: Step,
    outputs: Mapping[str, JsonValue],
    result: Mapping[str, object],
) -> str:
    match criterion.kind:
        case CriterionKind.NONEMPTY:
            return _empty(_named(criterion, step, None), outputs)
        case CriterionKind.FILE_EXISTS:
            return _empty(_named(criterion, step, OutputType.FILE), outputs)
        case CriterionKind.REGEX:
            return _unfound(criterion.arg, _first(step, OutputType.TEXT, outputs))
        case CriterionKind.JSON_SCHEMA:
            return _misshapen(criterion.arg, _first(step, OutputType.JSON, outputs))
        case CriterionKind.COMMAND_OK:
            return _untested(result)
        case CriterionKind.LLM_JUDGE | CriterionKind.HUMAN:
            raise AssertionError(f"{criterion.kind} is not seen by code")


def _named(criterion: Criterion, step: Step, type_: OutputType | None) -> list[str]:
    names = [one.name for one in step.outputs if type_ is None or one.type is type_]
    return [criterion.arg] if criterion.arg in names else names


def _empty(names: list[str], outputs: Mapping[str, JsonValue]) -> str:
    empty = [name for name in names if _is_empty(outputs.get(name))]
    return f"It gave nothing as {', '.join(empty)}." if empty else ""


def _is_empty(value: JsonValue) -> bool:
    return not value.strip() if isinstance(value, str) else value is None or value in ([], {})


def _first(step: Step, type_: OutputType, outputs: Mapping[str, JsonValue]) -> JsonValue:
    names = [one.name for one in step.outputs if one.type is type_]
    return outputs.get(names[0]) if names else None


def _unfound(wanted: str, text: JsonValue) -> str:
    shown = text if isinstance(text, str) else ""
    if pattern.found(wanted, shown[:SEARCHED_CHARS_MAX]):
        return ""
    return f"Its text has nothing like '{wanted[:100]}'."


def _misshapen(schema: str, value: JsonValue) -> str:
    fault = json_shape.fault(json_shape.read(schema), value)
    return f"Its JSON does not fit: {fault}." if fault else ""


def _untested(result: Mapping[str, object]) -> str:
    suite = result.get("tests_after")
    is_good = suite.get("is_good") if isinstance(suite, Mapping) else None
    if is_good is True:
        return ""
    return "Its tests failed." if is_good is False else "No tests were run."
