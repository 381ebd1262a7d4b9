"""Questions of agents as people get them: bounded, plain, the same one under the same key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from desktop.core.code.human_question import OPTIONS_MAX, HumanQuestion
from shared.plain_text import plain
from shared.questions import QuestionKind

TEXT = st.text(max_size=300)


def test_a_question_keeps_what_it_says() -> None:
    asking = HumanQuestion(
        question="Round up?", options=("up", "down"), default="up", why="Prices."
    ).asking()
    assert asking.kind is QuestionKind.CLARIFICATION
    assert asking.text == "The agent asks: Round up?\n\nWhy: Prices."
    assert [choice.value for choice in asking.choices] == ["up", "down"]
    assert asking.default == "up"
    assert asking.allow_text


@pytest.mark.parametrize(
    "told", [{}, {"question": ""}, {"question": None}, {"question": "x" * 20_001}]
)
def test_without_a_question_there_is_none(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HumanQuestion.model_validate(told)


def test_what_is_left_out_may_be_null() -> None:
    told = {"question": "a?", "options": None, "default": None, "why": None, "more": 1}
    assert HumanQuestion.model_validate(told).asking().default is None


def test_the_key_is_the_questions_however_it_is_spaced_and_reasoned() -> None:
    first = HumanQuestion(question="Which  one?", why="a", default="x")
    assert first.key == HumanQuestion(question="which one?\n", why="b").key
    assert first.key != HumanQuestion(question="Which two?").key
    assert first.key != HumanQuestion(question="Which one?", options=("a",)).key


@given(question=TEXT.filter(bool), options=st.lists(TEXT, max_size=50), why=TEXT, default=TEXT)
def test_whatever_a_model_says_becomes_a_question_or_a_refusal(
    question: str, options: list[str], why: str, default: str
) -> None:
    asking = HumanQuestion(
        question=question, options=tuple(options), why=why, default=default
    ).asking()
    assert asking.text == plain(asking.text)
    assert len(asking.choices) <= OPTIONS_MAX
    assert len({choice.value for choice in asking.choices}) == len(asking.choices)
    assert asking.default != ""
