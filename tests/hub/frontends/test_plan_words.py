"""What people read of a plan, in a chat and on its page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.core.view import Progress
from hub.frontends.plan_words import bounds, progress_text, step_lines, told
from hub.frontends.web.plan_part import shown_plan
from hub.frontends.wording import progress_view, view_of
from shared.events import JobPlanned
from shared.kinds.plan import PlanOutput, Source
from shared.plan import Permission, PlanStage, ShownPlan, ShownStep, StepState
from tests.hub.frontends.test_wording import FACTS, JOB, PLAN

NASTY = '<b>x</b>\u202e"\x1b[31m'


def test_progress_is_one_message_whose_steps_tick_off() -> None:
    facts = replace(FACTS, kind="plan", title="sum up the report")
    view = progress_view(Progress(stage="", done=1, total=2), facts, PLAN)
    assert view.text.splitlines() == [
        "Working on anna-pc ▓▓░░░ 1 of 2 steps",
        "✓ 1 Read the report (anna-pc)",
        "▸ 2 Sum it up",
    ]
    assert view.is_status
    assert [button.label for button in view.buttons] == ["Stop"]


def test_a_plan_says_what_it_takes_at_most() -> None:
    assert bounds(PLAN) == "2 steps, about 3 min, at most $0.40"
    local = PLAN.model_copy(update={"is_local": True, "cost_usd": 0.0})
    assert bounds(local) == "2 steps, about 3 min, no model elsewhere"


@pytest.mark.parametrize("stage", PlanStage, ids=str)
def test_a_plan_makes_no_message_of_its_own(stage: PlanStage) -> None:
    body = JobPlanned(job_id=JOB, attempt=1, fence=1, stage=stage, plan=PLAN)
    assert view_of(body, FACTS) is None, "the question and the progress show it"


def test_a_step_that_failed_says_why() -> None:
    step = ShownStep(
        id="a", number=1, title="Search", kind="web.research", state=StepState.FAILED,
        note="No search engine answered.",
    )  # fmt: skip
    assert step_lines(ShownPlan(goal="x", steps=(step,))) == [
        "✗ 1 Search: No search engine answered."
    ]


def test_an_answer_comes_with_its_sources_and_links_to_pages_alone() -> None:
    output = PlanOutput(
        headline="Three risks.",
        goal="x",
        answer="Debt [1].\nRates [2].",
        sources=(
            Source(number=1, step="a", title="The report", file="report.pdf"),
            Source(number=2, step="b", title="News", url="https://example.org/n"),
            Source(number=3, step="b", title="Bad", url="javascript:alert(1)"),
        ),
    )
    found = told(output, JOB)
    assert found is not None
    lines, buttons = found
    assert lines == [
        "Debt [1].",
        "Rates [2].",
        "[1] The report (report.pdf)",
        "[2] News (https://example.org/n)",
        "[3] Bad (javascript:alert(1))",
    ]
    assert [(button.label, button.url) for button in buttons] == [
        ("[2] News", "https://example.org/n")
    ]


def test_what_models_wrote_is_shown_as_plain_text() -> None:
    step = ShownStep(id="a", number=1, title=NASTY, kind="x", worker=NASTY, note=NASTY)
    plan = ShownPlan(goal=NASTY, steps=(step,), assumptions=(NASTY,))
    shown = shown_plan(PlanStage.APPROVED, plan)
    texts = [progress_text(plan, ""), shown.goal, *shown.assumptions]
    texts += [shown.rows[0].title, shown.rows[0].note, shown.rows[0].worker]
    for text in texts:
        assert "\u202e" not in text
        assert "\x1b" not in text


def test_a_page_numbers_steps_and_names_what_each_waits_for() -> None:
    steps = tuple(
        ShownStep(id=name, number=10 + n, title=name, kind="llm.ask", depends_on=needs,
                  permission=Permission.WRITE if name == "d" else Permission.READ)
        for n, (name, needs) in enumerate(
            {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c", "gone")}.items()
        )
    )  # fmt: skip
    shown = shown_plan(PlanStage.APPROVED, ShownPlan(goal="x", steps=steps))
    assert [row.number for row in shown.rows] == [1, 2, 3, 4]
    assert [row.needs for row in shown.rows] == ["", "after 1", "after 1", "after 2 and 3"]
    assert shown.drawing is not None
    assert len(shown.drawing.boxes) == 4
    assert len(shown.drawing.ways) == 4
