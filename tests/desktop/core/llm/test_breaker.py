"""The breaker: who is stopped, who is told, and what closes it."""

from __future__ import annotations

from desktop.core.llm.breaker import CREDIT_SECONDS, Breaker, Refusal

KEY = Refusal(code="AUTH_ERROR", message="OpenAI does not accept this key.")
CREDIT = Refusal(code="QUOTA", message="No credit is left.", may_pass=True)


def test_the_first_refusal_stops_everybody_and_is_the_only_news() -> None:
    breaker = Breaker()
    assert breaker.blocks(0.0) is None
    assert breaker.refused(KEY, 0.0, 1.0)
    assert breaker.blocks(1.0) == KEY
    assert not breaker.refused(KEY, 0.5, 1.5)


def test_a_call_that_left_before_the_refusal_does_not_close_it() -> None:
    breaker = Breaker()
    breaker.refused(CREDIT, 1.0, 2.0)
    breaker.good(1.5, 3.0)
    assert breaker.blocks(3.0) == CREDIT


def test_a_person_closes_it_and_what_was_in_flight_does_not_open_it() -> None:
    breaker = Breaker()
    breaker.refused(KEY, 0.0, 1.0)
    breaker.reset(2.0)
    assert breaker.blocks(2.0) is None
    assert not breaker.refused(KEY, 0.5, 2.5)
    assert breaker.blocks(2.5) is None
    assert breaker.refused(KEY, 2.6, 3.0)


def test_a_wrong_key_never_becomes_right_by_itself() -> None:
    breaker = Breaker()
    breaker.refused(KEY, 0.0, 1.0)
    assert breaker.blocks(1e9) == KEY


def test_after_a_while_one_call_finds_out_whether_there_is_credit_again() -> None:
    breaker = Breaker()
    breaker.refused(CREDIT, 0.0, 1.0)
    assert breaker.blocks(CREDIT_SECONDS) == CREDIT
    later = 1.0 + CREDIT_SECONDS
    assert breaker.blocks(later) is None
    breaker.started()
    assert breaker.blocks(later) == CREDIT
    assert not breaker.refused(CREDIT, later, later + 1)
    assert breaker.blocks(later + 2) == CREDIT


def test_credit_that_is_back_lets_everybody_go() -> None:
    breaker = Breaker()
    breaker.refused(CREDIT, 0.0, 1.0)
    later = 1.0 + CREDIT_SECONDS
    breaker.started()
    breaker.good(later, later + 1)
    assert breaker.blocks(later + 1) is None


def test_a_trial_that_says_nothing_leaves_the_trial_to_the_next() -> None:
    breaker = Breaker()
    breaker.refused(CREDIT, 0.0, 1.0)
    later = 1.0 + CREDIT_SECONDS
    breaker.started()
    breaker.gave_up()
    assert breaker.blocks(later) is None


def test_calls_that_go_while_it_is_closed_are_no_trial() -> None:
    breaker = Breaker()
    breaker.started()
    breaker.refused(CREDIT, 0.0, 1.0)
    assert breaker.blocks(1.0 + CREDIT_SECONDS) is None
