"""What a job may use, against what it has used."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.budget import Budget, BudgetLimits, Limit, Spent
from shared.kinds.code import CodeInputs
from shared.kinds.llm import UsageFacts


def used(read: int, written: int) -> UsageFacts:
    return UsageFacts(input_tokens=read, output_tokens=written)


def test_a_work_orders_limits_are_read() -> None:
    inputs = CodeInputs(tokens_max=5000, cost_usd_max=1.5, minutes_max=10)
    assert BudgetLimits.of(inputs) == BudgetLimits(
        tokens_max=5000, cost_usd_max=1.5, minutes_max=10
    )


def test_without_limits_nothing_is_over() -> None:
    budget = Budget(BudgetLimits(), 0.0)
    budget.charge(used(10**9, 10**9), 10**6)
    assert budget.excess(10**9) is None
    assert budget.seconds_left(5.0) is None


@pytest.mark.parametrize(
    ("limits", "limit", "words"),
    [
        (BudgetLimits(tokens_max=1000), Limit.TOKENS, "1,000 tokens; its budget is 1,000"),
        (BudgetLimits(cost_usd_max=0.5), Limit.MONEY, "$0.50; its budget is $0.50"),
        (BudgetLimits(minutes_max=2), Limit.MINUTES, "the 2 min of its budget"),
    ],
)
def test_a_limit_is_told_with_its_figures_when_it_is_reached(
    limits: BudgetLimits, limit: Limit, words: str
) -> None:
    budget = Budget(limits, 100.0)
    budget.charge(used(800, 199), 0.4999)
    assert budget.excess(219.9) is None
    budget.charge(used(1, 0), 0.0001)
    excess = budget.excess(220.0)
    assert excess is not None
    assert excess.limit is limit
    assert words in excess.message


def test_what_earlier_attempts_used_counts() -> None:
    before = Spent(usage=used(600, 300), cost_usd=0.3, calls=4, seconds=60.0)
    budget = Budget(BudgetLimits(tokens_max=1000), 0.0, before)
    budget.charge(used(50, 50), 0.1)
    spent = budget.spent(30.0)
    assert (spent.tokens, spent.calls, spent.seconds) == (1000, 5, 90.0)
    assert spent.cost_usd == pytest.approx(0.4)
    assert budget.excess(30.0) is not None


def test_a_call_without_a_price_is_said_and_not_taken_for_free() -> None:
    budget = Budget(BudgetLimits(), 0.0)
    budget.charge(used(10, 10), 0.25)
    assert budget.spent(0.0).cost_usd_known == 0.25
    budget.charge(used(10, 10), None)
    spent = budget.spent(0.0)
    assert (spent.cost_usd, spent.unpriced_calls, spent.cost_usd_known) == (0.25, 1, None)


@pytest.mark.parametrize(
    ("spent", "line"),
    [
        (Spent(), ""),
        (Spent(usage=used(12_000, 300)), "12,300 tokens"),
        (Spent(usage=used(1, 1), cost_usd=0.041), "2 tokens, $0.041"),
        (Spent(usage=used(1, 1), unpriced_calls=1), "2 tokens, price not known"),
        (Spent(usage=used(1, 1), cost_usd=2, unpriced_calls=1), "2 tokens, $2.00 and more"),
    ],
)
def test_what_was_used_is_said_in_a_line(spent: Spent, line: str) -> None:
    assert spent.line == line


def test_no_time_passes_while_any_question_is_open() -> None:
    budget = Budget(BudgetLimits(minutes_max=1), 0.0)
    budget.asking(10.0)
    budget.asking(20.0)
    budget.answered(500.0)
    assert budget.spent(900.0).seconds == 10.0
    assert budget.seconds_to_run(900.0) is None
    budget.answered(1000.0)
    assert budget.spent(1005.0).seconds == 15.0
    assert budget.seconds_to_run(1005.0) == 45.0


@given(
    st.lists(st.tuples(st.sampled_from(["ask", "answer", "work"]), st.floats(0, 1000)), max_size=40)
)
def test_time_is_the_sum_of_what_passed_with_no_question_open(
    steps: list[tuple[str, float]],
) -> None:
    budget, now, worked, questions = Budget(BudgetLimits(), 0.0), 0.0, 0.0, 0
    for what, seconds in steps:
        now += seconds
        worked += 0.0 if questions else seconds
        if what == "ask":
            budget.asking(now)
            questions += 1
        elif what == "answer" and questions:
            budget.answered(now)
            questions -= 1
    assert budget.spent(now).seconds == pytest.approx(worked)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=30))
def test_tokens_add_up_and_survive_being_written(calls: list[tuple[int, int]]) -> None:
    budget = Budget(BudgetLimits(), 0.0)
    for read, written in calls:
        budget.charge(used(read, written), 0.0)
    spent = Spent.model_validate_json(budget.spent(1.0).model_dump_json())
    assert spent.tokens == sum(map(sum, calls))
    assert spent.calls == len(calls)
