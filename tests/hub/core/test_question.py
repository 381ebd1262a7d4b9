"""Questions: the first answer counts, and what happens when none comes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.question import Question, QuestionState, about_interruption, run_out, settle
from shared.errors import BadInput, Conflict
from shared.ids import ConversationId, JobId, PersonId, QuestionId
from tests.makers import NOON, make_asking


def question(default: str | None = None) -> Question:
    return Question(
        question_id=QuestionId("q"),
        job_id=JobId("j"),
        person_id=PersonId("anna"),
        conversation=ConversationId(""),
        asking=make_asking(default=default),
        asked_at=NOON,
        expires_at=NOON,
    )


@pytest.mark.parametrize("reply", ["2", "churn.csv", "CHURN", "/data/churn.csv"])
def test_an_answer_may_be_a_number_a_label_or_a_value(reply: str) -> None:
    settled = settle(question(), reply, "anna")
    assert settled.state is QuestionState.ANSWERED
    assert settled.answer is not None
    assert settled.answer.value == "/data/churn.csv"


def test_the_second_answer_is_told_who_was_first() -> None:
    with pytest.raises(Conflict) as caught:
        settle(settle(question(), "1", "anna on Telegram"), "2", "bert")
    assert caught.value.code == "question_answered"
    assert "anna on Telegram" in caught.value.message
    assert "sales.csv" in caught.value.message


def test_an_unfit_answer_names_the_fit_ones() -> None:
    with pytest.raises(BadInput) as caught:
        settle(question(), "nonsense", "anna")
    assert caught.value.code == "answer_unfit"
    assert "sales.csv, churn.csv" in caught.value.hint


def test_a_parked_question_can_be_answered_and_a_closed_one_cannot() -> None:
    parked = run_out(question())
    assert parked.state is QuestionState.PARKED
    assert settle(parked, "1", "anna").state is QuestionState.ANSWERED
    with pytest.raises(Conflict) as caught:
        settle(replace(question(), state=QuestionState.CLOSED), "1", "anna")
    assert caught.value.code == "question_closed"


def test_the_default_is_taken_by_nobody_in_particular() -> None:
    ended = run_out(question(default="/data/sales.csv"))
    assert ended.answer is not None
    assert (ended.answer.value, ended.answer.by) == ("/data/sales.csv", "default")


def test_an_interruption_is_asked_about_with_all_that_is_known() -> None:
    asking = about_interruption(2, "anna-pc was stopped.", ("Pushed a branch.",))
    assert "anna-pc was stopped. Pushed a branch." in asking.text
    assert [choice.value for choice in asking.choices] == ["retry", "done", "give_up"]
    assert asking.default is None
    assert len(about_interruption(1, "x" * 400, ("y" * 5000,)).text) <= 4000
