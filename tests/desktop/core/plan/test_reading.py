"""Replies of models are read as plans or questions, whatever stands around them."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.plan.fault import Rule
from desktop.core.plan.reading import REPLY_CHARS_MAX, read_reply
from desktop.core.plan.schema import reply_schema
from shared.plan import Clarify, Permission, Plan
from tests.desktop.core.plan.plans import good_plans, plan, scope, step

PLAN = plan()
TEXT = PLAN.model_dump_json()
ASKED = {
    "type": "clarify",
    "questions": [{"text": "Which file?", "choices": [], "default": None}],
    "why": "Two fit.",
}


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f'{{"reply": {TEXT}}}',
        f"```json\n{TEXT}\n```",
        f"Here {{is}} the plan:\n{TEXT}\nGood luck!",
        f"<think>{{hm}}</think>{TEXT}",
        TEXT.replace('"type":"plan",', ""),
    ],
    ids=["alone", "wrapped", "fenced", "with sentences", "after thoughts", "without its type"],
)
def test_a_plan_is_found_in_a_reply(reply: str) -> None:
    assert read_reply(reply) == PLAN


def test_questions_are_read() -> None:
    read = read_reply(json.dumps({"reply": ASKED}))
    assert isinstance(read, Clarify)
    assert read.questions[0].text == "Which file?"


def rules_of(reply: str) -> list[Rule]:
    read = read_reply(reply)
    assert isinstance(read, tuple)
    return [fault.rule for fault in read]


def test_what_is_no_plan_is_told() -> None:
    assert rules_of("I cannot do that.") == [Rule.REPLY_NOT_JSON]
    assert rules_of("{" * 100_000) == [Rule.REPLY_NOT_JSON]
    assert rules_of(" " * (REPLY_CHARS_MAX + 1)) == [Rule.REPLY_TOO_LONG]
    assert rules_of(TEXT.replace("1000", "NaN")) == [Rule.REPLY_NOT_JSON]
    assert rules_of(json.dumps(ASKED | {"questions": ASKED["questions"] * 4})) == [Rule.SHAPE]  # type: ignore[operator]


def test_a_fault_of_shape_names_the_step_and_the_place() -> None:
    told = json.loads(TEXT)
    told["steps"][1]["max_attempts"] = 9
    read = read_reply(json.dumps(told))
    assert isinstance(read, tuple)
    assert (read[0].rule, read[0].step) == (Rule.SHAPE, "b")
    assert "steps.1.max_attempts" in read[0].sentence


@given(st.text(alphabet='{}[]":,plantype01 \n', max_size=200))
def test_no_reply_breaks_the_reader(reply: str) -> None:
    read_reply(reply)


@given(good_plans())
def test_a_written_plan_is_read_as_it_was(one: Plan) -> None:
    assert read_reply(f"Sure!\n{one.model_dump_json()}") == one


def all_objects(schema: object) -> list[dict[str, object]]:
    if isinstance(schema, list):
        return [found for one in schema for found in all_objects(one)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "object" else []
    return own + [found for one in schema.values() for found in all_objects(one)]


@pytest.mark.parametrize("chars_max", [0, 200], ids=["for providers", "bounded"])
def test_the_schema_is_what_all_providers_take(chars_max: int) -> None:
    schema = reply_schema(scope(), text_chars_max=chars_max)
    objects = all_objects(schema)
    assert len(objects) == 8
    for one in objects:
        assert one["required"] == list(one["properties"])  # type: ignore[call-overload]
        assert one["additionalProperties"] is False
    text = json.dumps(schema)
    assert "$ref" not in text
    assert ("maxItems" in text) is bool(chars_max)


def test_the_schema_names_what_is_offered_and_allowed_now() -> None:
    text = json.dumps(reply_schema(scope(cap=Permission.WRITE), may_clarify=False))
    assert '["code.bugfix", "data.describe", "llm.ask", "web.research", "web.search"]' in text
    assert '["read", "write"]' in text
    assert "clarify" not in text


@pytest.mark.parametrize("reply", [json.loads(TEXT), ASKED], ids=["a plan", "questions"])
def test_plans_and_questions_fit_the_schema(reply: dict[str, object]) -> None:
    jsonschema_rs.validate(reply_schema(scope()), {"reply": reply})


def test_a_bounded_schema_has_names_that_are_free() -> None:
    done = {"s1": step("s1"), "s3": step("s3")}
    schema = reply_schema(scope(done=done), may_clarify=False, text_chars_max=9, steps_max=2)
    text = json.dumps(schema)
    assert '"id": {"type": "string", "enum": ["s2", "s4"]}' in text
    assert '"final": {"type": "string", "enum": ["s2", "s4", "s1", "s3"]}' in text
