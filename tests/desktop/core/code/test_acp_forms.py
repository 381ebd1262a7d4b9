"""An agent's form as questions, and the answers as its content."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import JsonValue

from desktop.core.code.acp import forms, reading
from desktop.core.code.acp.events import FormField
from shared.kinds import JsonObject
from shared.questions import QuestionKind

COLOURS = [{"const": "#f00", "title": "Red"}, {"const": "#00f", "title": "Blue"}]


def fields(required: tuple[str, ...] = (), **properties: Any) -> tuple[FormField, ...]:
    schema: JsonObject = {"properties": properties, "required": list(required)}
    found = reading.fields_of(schema)
    assert found is not None
    return found


def only(*args: Any, **properties: Any) -> forms.FormQuestion:
    (question,) = forms.questions_of("Well?", fields(*args, **properties), nth=0)
    return question


@pytest.mark.parametrize(
    ("schema", "answer", "content"),
    [
        ({"type": "string"}, "words", {"x": "words"}),
        ({"type": "integer"}, "12", {"x": 12}),
        ({"type": "integer"}, "12.5", None),
        ({"type": "integer"}, "9" * 5000, None),
        ({"type": "number"}, "12.5", {"x": 12.5}),
        ({"type": "number"}, "nan", None),
        ({"type": "boolean"}, "yes", {"x": True}),
        ({"type": "boolean"}, "No", {"x": False}),
        ({"type": "boolean"}, "perhaps", None),
        ({"type": "string", "oneOf": COLOURS}, "#f00", {"x": "#f00"}),
        ({"type": "string", "oneOf": COLOURS}, "blue", {"x": "#00f"}),
        ({"type": "string", "oneOf": COLOURS}, "2", {"x": "#00f"}),
        ({"type": "string", "oneOf": COLOURS}, "green", None),
        ({"type": "string", "enum": ["a", "b"]}, "b", {"x": "b"}),
        ({"type": "string", "enum": ["a"], "enumNames": ["Alpha"]}, "alpha", {"x": "a"}),
        ({"type": "array", "items": {"anyOf": COLOURS}}, "Red, #00f", {"x": ["#f00", "#00f"]}),
        ({"type": "array", "items": {"enum": ["a, b", "c"]}}, "a, b", {"x": ["a, b"]}),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "a, z", None),
    ],
)
def test_an_answer_is_what_the_field_wants_or_nothing(
    schema: JsonObject, answer: str, content: JsonObject | None
) -> None:
    assert forms.content_of(only(("x",), x=schema), answer) == content


def test_what_need_not_be_answered_can_be_left_open() -> None:
    question = only(x={"type": "string"})
    assert [choice.label for choice in question.asking.choices] == ["Leave it open"]
    assert forms.content_of(question, forms.SKIPPED) == {}


def test_a_text_after_a_choice_is_the_same_question() -> None:
    question = only(
        q={"type": "string", "title": "Colour", "oneOf": COLOURS},
        q_custom={"type": "string", "title": "Other"},
    )

    assert question.asking.allow_text
    assert forms.content_of(question, "Red") == {"q": "#f00"}
    assert forms.content_of(question, "green") == {"q_custom": "green"}


def test_a_text_with_a_name_of_its_own_is_a_question_of_its_own() -> None:
    questions = forms.questions_of(
        "Two things.",
        fields(
            colour={"type": "string", "oneOf": COLOURS},
            name={"type": "string", "description": "What is it called?"},
        ),
        nth=0,
    )

    assert [q.field.name for q in questions] == ["colour", "name"]
    assert questions[1].asking.text == "The agent asks: Two things.\nWhat is it called?"
    assert questions[0].asking.key != questions[1].asking.key


@pytest.mark.parametrize(
    ("schema", "default"),
    [
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "string", "oneOf": COLOURS, "default": "#f00"}, "#f00"),
        ({"type": "string", "oneOf": COLOURS, "default": "green"}, None),
        ({"type": "boolean", "default": True}, "yes"),
        ({"type": "integer", "default": 3}, "3"),
        ({"type": "array", "items": {"anyOf": COLOURS}, "default": ["#f00", "#00f"]}, "#f00, #00f"),
        ({"type": "string"}, None),
    ],
)
def test_the_agents_default_is_taken_and_without_one_the_job_waits(
    schema: JsonObject, default: str | None
) -> None:
    question = only(("x",), x=schema)
    assert question.asking.default == default
    if default is not None:
        assert forms.content_of(question, default) is not None


def test_a_form_without_fields_is_a_yes_or_no_and_silence_is_a_no() -> None:
    (question,) = forms.questions_of("Go on?", (), nth=0)

    assert question.asking.kind is QuestionKind.CLARIFICATION, "it allows nothing"
    assert question.asking.default == forms.REFUSED


def test_what_acts_is_taken_out_of_what_people_read() -> None:
    question = only(x={"type": "string", "oneOf": [{"const": "a", "title": "\x1b[2JA\nB"}]})
    assert question.asking.choices[0].label == "\ufffd[2JA B"


def test_a_long_form_fits_a_question() -> None:
    options = [{"const": str(n) + "x" * 9000, "title": "y" * 900} for n in range(300)]
    (question,) = forms.questions_of(
        "m" * 90_000, fields(x={"type": "string", "oneOf": options}), nth=0
    )

    assert len(question.asking.choices) == 50
    value = question.asking.choices[3].value
    content = forms.content_of(question, value)
    assert content is not None
    assert str(content["x"]).startswith("3x")


@pytest.mark.parametrize(
    "properties",
    [
        {"x": {"type": "object"}},
        {f"f{n}": {"type": "string"} for n in range(20)},
    ],
    ids=["strange", "too many"],
)
def test_a_form_that_asks_too_much_is_none(properties: dict[str, JsonValue]) -> None:
    schema: JsonObject = {"properties": properties, "required": ["x"]}
    assert reading.fields_of(schema) is None
