"""Whether a step has done what it was to do, as code sees it; what others judge is handed on."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from desktop.core.plan import json_shape, pattern
from desktop.core.plan.criteria import Judging, judged
from shared.plan import Criterion, CriterionKind, OutputType, Step, StepOutput
from tests.desktop.core.plan.plans import step

K = CriterionKind
TEXT = StepOutput(name="text", type=OutputType.TEXT)
FACTS = StepOutput(name="facts", type=OutputType.JSON)
FILE = StepOutput(name="table", type=OutputType.FILE)


def held_to(kind: CriterionKind, arg: str = "") -> Step:
    criteria = (Criterion(kind=kind, arg=arg),)
    return step(outputs=(TEXT, FACTS, FILE), success_criteria=criteria)


GOOD: dict[str, JsonValue] = {"text": "It is 828 m.", "facts": {"m": 828}, "table": "#1"}
CASES: dict[str, tuple[Step, dict[str, JsonValue], dict[str, object], str]] = {
    "all there": (held_to(K.NONEMPTY), GOOD, {}, ""),
    "blanks": (held_to(K.NONEMPTY), GOOD | {"text": " "}, {}, "It gave nothing as text."),
    "an empty list": (held_to(K.NONEMPTY), GOOD | {"facts": []}, {}, "It gave nothing as facts."),
    "zero is something": (held_to(K.NONEMPTY), GOOD | {"facts": 0}, {}, ""),
    "another one": (held_to(K.NONEMPTY, "text"), GOOD | {"facts": None}, {}, ""),
    "a file": (held_to(K.FILE_EXISTS), GOOD, {}, ""),
    "no file": (held_to(K.FILE_EXISTS), GOOD | {"table": ""}, {}, "It gave nothing as table."),
    "found": (held_to(K.REGEX, r"\d+ m"), GOOD, {}, ""),
    "not found": (held_to(K.REGEX, "km"), GOOD, {}, "Its text has nothing like 'km'."),
    "fits": (held_to(K.JSON_SCHEMA, '{"required":["m"]}'), GOOD, {}, ""),
    "does not fit": (
        held_to(K.JSON_SCHEMA, '{"required":["km"]}'),
        GOOD,
        {},
        "Its JSON does not fit: it has no 'km'.",
    ),
    "tests passed": (held_to(K.COMMAND_OK), GOOD, {"tests_after": {"is_good": True}}, ""),
    "tests failed": (
        held_to(K.COMMAND_OK),
        GOOD,
        {"tests_after": {"is_good": False}},
        "Its tests failed.",
    ),
    "no tests": (held_to(K.COMMAND_OK), GOOD, {"tests_after": None}, "No tests were run."),
}


@pytest.mark.parametrize("name", CASES)
def test_code_sees_what_code_can_see(name: str) -> None:
    one, outputs, result, fault = CASES[name]
    assert judged(one, outputs, result).faults == ((fault,) if fault else ())


def test_what_a_model_or_a_person_judges_is_handed_on() -> None:
    asked = step(
        success_criteria=(
            Criterion(kind=K.LLM_JUDGE, arg="Is it clear?"),
            Criterion(kind=K.HUMAN, arg="Is it right?"),
        )
    )
    told = judged(asked, {}, {})
    assert told.judgings == (Judging("model", "Is it clear?"), Judging("person", "Is it right?"))
    assert told.faults == ()


def test_a_pattern_that_keeps_others_busy_for_hours_is_searched_in_a_moment() -> None:
    began = time.process_time()
    assert not pattern.found("^(a+)+$", "a" * 90_000 + "b")
    assert time.process_time() - began < 5  # `re` would need longer than the world is old


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_text_is_a_pattern_or_is_told_to_be_none(wanted: str, text: str) -> None:
    if not pattern.fault(wanted):
        pattern.found(wanted, text)


SHAPES: dict[str, tuple[str, JsonValue, str]] = {
    "type": ('{"type":"object"}', [], "it is not of type object"),
    "no bool for a number": ('{"type":"integer"}', True, "it is not of type integer"),
    "below": (
        '{"properties":{"a":{"items":{"type":"string"}}}}',
        {"a": ["x", 1]},
        "it.a[1] is not of type string",
    ),
    "more": ('{"additionalProperties":false}', {"a": 1}, "it has 'a', which is not asked for"),
    "fewer": ('{"minItems":2}', [1], "it has fewer than 2 entries"),
    "longer": ('{"maxLength":1}', "ab", "it has more than 1 characters"),
    "less": ('{"minimum":3}', 2, "it is less than 3"),
    "none of": ('{"enum":["a",1]}', True, "it is none of the values allowed"),
    "pattern": ('{"pattern":"^a"}', "b", "it does not match its pattern"),
    "passed over": ('{"title":"x","description":"y"}', "b", ""),
    "fits": ('{"type":"array","items":{"type":"null"}}', [None], ""),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_value_is_held_against_a_small_schema(name: str) -> None:
    schema, told, why = SHAPES[name]
    assert json_shape.schema_fault(schema) == ""
    assert json_shape.fault(json_shape.read(schema), told) == why


@pytest.mark.parametrize(
    "schema",
    [
        "[]",
        "{",
        '{"$ref":"#"}',
        '{"type":["string"]}',
        '{"anyOf":[]}',
        '{"pattern":"(?=a)"}',
        '{"minimum":"1"}',
        '{"required":"a"}',
        '{"properties":[]}',
        '{"items":' * 8 + "{}" + "}" * 8,
        '{"title":"' + "x" * 3000 + '"}',
    ],
    ids=range(11),
)
def test_a_schema_that_is_not_understood_is_refused(schema: str) -> None:
    assert json_shape.schema_fault(schema)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
    max_leaves=8,
)


@given(json_values, json_values)
def test_no_schema_and_no_value_breaks_the_check(schema: JsonValue, told: JsonValue) -> None:
    text = json.dumps(schema)
    if not json_shape.schema_fault(text):
        json_shape.fault(json_shape.read(text), told)
