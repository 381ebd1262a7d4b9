"""plan: what only looks runs at once, all else is asked about; nothing is done above the yes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Message
from desktop.jobs.context import Postponed
from shared.errors import AppError
from shared.kinds import JsonObject
from shared.plan import PlanStage, StepState
from shared.questions import QuestionKind
from tests.desktop.jobs.plan.room import (
    CLOUD,
    LOCAL,
    a_plan,
    a_question,
    a_refactoring,
    a_step,
    a_world,
    clarify,
    is_judging,
    is_planning,
    planner,
    well,
)


def overloaded() -> LlmFault:
    return LlmFault(FaultClass.OVERLOADED, "Too busy.", endpoint="local", wait_seconds=5)


async def test_a_plan_that_only_looks_runs_without_a_question(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"), a_step("b"), a_step("c", "a", "b"))))
    output = await world.run()
    assert world.asked == []
    assert output.answer == "So it is [1]."
    assert [source.title for source in output.sources] == ["Do a"]
    assert [step.state for step in output.steps] == [StepState.DONE] * 3
    assert world.parts[2].inputs["text"] == "Said: Say what a is.\n\nSaid: Say what b is."
    assert world.running_max == 2
    stages = [stage for stage, _ in world.shown]
    assert stages[:2] == [PlanStage.PROPOSED, PlanStage.APPROVED]
    assert set(stages[2:]) == {PlanStage.RUNNING}
    assert [step.state for step in world.shown[-1][1].steps] == [StepState.DONE] * 3
    assert ("1 of 3: Do a, Do b", 0, 3) in world.told
    assert world.told[-1] == ("writing the answer", 3, 3)


async def test_usage_and_cost_are_those_of_the_plan_and_of_its_steps(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"))))
    output = await world.run()
    assert output.usage.input_tokens == 2 * 100 + 50
    assert output.usage.output_tokens == 2 * 20 + 10
    assert output.cost_usd == 0
    assert output.model == "local:tiny"


async def test_what_was_asked_and_answered_is_there_for_whoever_goes_on(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"))))
    output = await world.run("First.")
    assert output.earlier == "Asked: First.\nAnswered: So it is [1]."
    again = a_world(tmp_path / "again", planner(a_plan(a_step("a"))))
    more = await again.run("And then?", earlier=output.earlier)
    assert "Answered: So it is [1]." in again.speaker.asked[0][1][1].text
    assert more.earlier.startswith("Asked: First.")


async def test_questions_come_once_and_their_answers_reach_the_model(tmp_path: Path) -> None:
    asks = clarify(a_question("Which subject?", "Maths", "Physics"), a_question("Which file?"))
    world = a_world(
        tmp_path,
        planner(asks, asks, a_plan(a_step("a"))),
        replies={"clarify-1": "2", "clarify-2": "sheet.pdf"},
    )
    await world.run()
    assert world.keys_asked == ["clarify-1", "clarify-2"]
    assert world.asked[0].kind is QuestionKind.CLARIFICATION
    told = world.speaker.asked[1][1][1].text
    assert "Physics" in told
    assert "sheet.pdf" in told
    assert any("shape" in line for line in world.lines), "the second clarify is no plan"


async def test_a_plan_that_breaks_rules_goes_back_with_their_names(tmp_path: Path) -> None:
    bad = a_plan(a_step("a", kind="gpu.train"), a_step("b", "zz"))
    world = a_world(tmp_path, planner(bad, a_plan(a_step("a"))))
    await world.run()
    correction = world.speaker.asked[1][1][-1].text
    assert "[capability_unknown]" in correction
    assert "[depends_unknown]" in correction


async def test_three_bad_plans_are_the_end_and_the_rules_are_named(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner("I cannot."))
    with pytest.raises(AppError) as caught:
        await world.run()
    assert caught.value.code == "plan_invalid"
    assert "[reply_not_json]" in caught.value.message
    assert len(world.speaker.asked) == 3
    assert world.parts == {}


async def test_what_changes_things_is_asked_about_and_silence_is_no_yes(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_refactoring("r"))), replies={"approve-0": "Go"})
    output = await world.run()
    [asking] = world.asked
    assert asking.kind is QuestionKind.APPROVAL
    assert asking.default is None
    assert "1. Do r (code.refactor, runs programs)" in asking.text
    assert [choice.label for choice in asking.choices] == [
        "Go", "Change…", "Keep it local", "Reject",
    ]  # fmt: skip
    assert output.steps[0].state is StepState.DONE
    assert world.parts[0].inputs == {"repository": "shop", "instructions": "Say what r is."}


async def test_a_rejected_plan_does_nothing(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_refactoring("r"))), replies={"approve-0": "Reject"})
    output = await world.run()
    assert output.headline == "The plan was rejected; nothing was done."
    assert world.parts == {}
    assert world.shown[-1][0] is PlanStage.REJECTED


async def test_a_wish_in_plain_words_makes_another_plan_that_is_asked_about(tmp_path: Path) -> None:
    world = a_world(
        tmp_path,
        planner(a_plan(a_refactoring("r")), a_plan(a_step("a"))),
        replies={"approve-0": "Do not touch the code.", "approve-1": "Go"},
    )
    output = await world.run()
    assert world.keys_asked == ["approve-0", "approve-1"]
    assert "Do not touch the code." in world.speaker.asked[1][1][-1].text
    assert "Changed: Left out: Do r" in world.asked[1].text
    assert [step.kind for step in output.steps] == ["llm.ask"]


async def test_the_button_for_changes_asks_what_is_to_be_different(tmp_path: Path) -> None:
    world = a_world(
        tmp_path,
        planner(a_plan(a_refactoring("r"))),
        replies={"approve-0": "Change…", "change-0": "Less of it.", "approve-1": "Reject"},
    )
    await world.run()
    assert "Less of it." in world.speaker.asked[1][1][-1].text


async def test_five_changes_are_enough(tmp_path: Path) -> None:
    replies = {f"approve-{number}": "Other." for number in range(5)}
    world = a_world(
        tmp_path, planner(a_plan(a_refactoring("r"))), replies={**replies, "approve-5": "Reject"}
    )
    await world.run()
    assert not world.asked[-1].allow_text
    assert "Change…" not in {choice.label for choice in world.asked[-1].choices}


async def test_kept_local_by_a_word_it_is_planned_by_a_local_model(tmp_path: Path) -> None:
    world = a_world(
        tmp_path,
        planner(a_plan(a_step("d", kind="data.describe", instructions="", inputs=[
            {"name": "file", "value": "a.csv", "from_step": None, "from_output": None}
        ], outputs=[{"name": "headline", "type": "text"}]))),
        replies={"approve-0": "Keep it local"},
        endpoints=(LOCAL, CLOUD),
    )  # fmt: skip
    output = await world.run(model="openai:gpt-5")
    assert [model for model, _ in world.speaker.asked] == [
        "openai:gpt-5", "local:tiny", "local:tiny",
    ]  # fmt: skip
    assert output.is_local
    assert "OpenAI (api.openai.com)" in world.asked[0].text


async def test_kept_local_from_the_start_nothing_elsewhere_is_called(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"))), endpoints=(LOCAL, CLOUD))
    output = await world.run(local=True)
    assert {model for model, _ in world.speaker.asked} == {"local:tiny"}
    assert world.parts[0].inputs["local"] is True
    assert "No model outside this machine and its own network was used." in output.notes


async def test_a_model_elsewhere_is_refused_when_it_is_to_be_kept_local(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"))), endpoints=(LOCAL, CLOUD))
    with pytest.raises(AppError) as caught:
        await world.run(local=True, model="openai:gpt-5")
    assert caught.value.code == "model_not_local"
    assert world.speaker.asked == []


async def test_which_model_is_asked_only_where_there_are_several(tmp_path: Path) -> None:
    world = a_world(
        tmp_path,
        planner(a_plan(a_step("a"))),
        replies={"model": "local:tiny"},
        endpoints=(LOCAL, CLOUD),
    )
    await world.run()
    assert world.keys_asked == ["model"]


async def test_words_of_files_leave_only_with_a_yes(tmp_path: Path) -> None:
    reads = a_step("a", inputs=[
        {"name": "file", "value": "a.txt", "from_step": None, "from_output": None}
    ])  # fmt: skip
    world = a_world(
        tmp_path, planner(a_plan(reads)), replies={"approve-0": "Reject"}, endpoints=(CLOUD,)
    )
    await world.run()
    assert "What stands in the files it reads goes to OpenAI" in world.asked[0].text
    world = a_world(
        tmp_path / "allowed", planner(a_plan(reads)), endpoints=(CLOUD,), may_send_text=True
    )
    await world.run()
    assert world.asked == []


async def test_what_was_read_goes_to_no_address_without_a_yes(tmp_path: Path) -> None:
    reads = a_step("a", inputs=[
        {"name": "file", "value": "a.txt", "from_step": None, "from_output": None}
    ])  # fmt: skip
    finds = a_step("b", kind="web.search", depends_on=["a"], inputs=[
        {"name": "query", "value": None, "from_step": "a", "from_output": "text"}
    ])  # fmt: skip
    world = a_world(tmp_path, planner(a_plan(reads, finds)), replies={"approve-0": "Reject"})
    await world.run()
    assert "Words of what it has read may leave this computer with: Do b" in world.asked[0].text
    assert world.parts == {}


async def test_what_failed_is_planned_anew_and_what_is_done_is_not(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return "No such thing." if "bad" in str(inputs["question"]) else well(kind, inputs)

    world = a_world(
        tmp_path,
        planner(
            a_plan(a_step("a"), a_step("bad", "a"), a_step("c", "bad")),
            a_plan(a_step("other", "a"), a_step("end", "other")),
        ),
        does,
    )
    output = await world.run()
    assert world.asked == []
    assert output.replans == 1
    states = [(step.id, step.state) for step in output.steps]
    assert states == [
        ("a", "done"), ("bad", "failed"), ("c", "skipped"), ("other", "done"), ("end", "done"),
    ]  # fmt: skip
    assert world.done.count(0) == 1
    assert "No such thing." in world.speaker.asked[1][1][1].text
    assert PlanStage.REPLANNED in {stage for stage, _ in world.shown}
    assert not output.is_partial


async def test_a_new_plan_above_what_was_approved_is_asked_about(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return "No." if kind == "llm.ask" else well(kind, inputs)

    world = a_world(
        tmp_path,
        planner(a_plan(a_step("a")), a_plan(a_refactoring("r"))),
        does,
        replies={"approve-1": "Reject", "approve-2": "Reject"},
    )
    with pytest.raises(AppError) as caught:
        await world.run()
    assert caught.value.code == "plan_not_done"
    assert world.asked[0].text.startswith("The rest has to be done in another way: ")
    assert "code.refactor" not in {part.kind for part in world.parts.values()}


async def test_a_yes_to_one_thing_is_none_to_another_of_the_same_kind(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return "No." if inputs.get("repository") == "shop" else well(kind, inputs)

    other = [{"name": "repository", "value": "diary", "from_step": None, "from_output": None}]
    world = a_world(
        tmp_path,
        planner(
            a_plan(a_step("a"), a_refactoring("r", "a", instructions="Tidy.")),
            a_plan(a_refactoring("same", "a", instructions="Tidy.")),
            a_plan(a_refactoring("other", "a", instructions="Tidy.", inputs=other)),
        ),
        does,
        replies={"approve-0": "Go", "approve-2": "Reject"},
    )
    output = await world.run()
    assert world.keys_asked == ["approve-0", "approve-2"]
    assert output.is_partial
    assert {part.inputs.get("repository") for part in world.parts.values()} == {None, "shop"}


async def test_after_two_new_plans_what_is_there_is_the_answer(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return well(kind, inputs) if "good" in str(inputs["question"]) else "No."

    world = a_world(
        tmp_path,
        planner(
            a_plan(a_step("good"), a_step("b", "good")),
            a_plan(a_step("c", "good")),
            a_plan(a_step("d", "good")),
        ),
        does,
    )
    output = await world.run()
    assert output.replans == 2
    assert output.is_partial
    assert output.notes[0] == "⚠ 'Do d' failed: No."
    assert output.headline.startswith("1 of 2 steps done")


async def test_a_criterion_that_is_not_met_is_tried_again_and_says_why(tmp_path: Path) -> None:
    tries: list[str] = []

    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        tries.append(str(inputs["question"]))
        return {**well(kind, inputs), "text": "" if len(tries) == 1 else "There."}

    world = a_world(tmp_path, planner(a_plan(a_step("a", max_attempts=2))), does)
    output = await world.run()
    assert output.steps[0].state is StepState.DONE
    assert "It gave nothing as text." in tries[1]


async def test_a_model_judges_where_code_cannot_see(tmp_path: Path) -> None:
    judged = a_step("a", success_criteria=[{"kind": "llm_judge", "arg": "Is it kind?"}])
    world = a_world(tmp_path, planner(a_plan(judged), judge="NO, it is rude."))
    with pytest.raises(AppError) as caught:
        await world.run()
    assert "it is rude" in caught.value.message


async def test_a_person_judges_where_the_plan_says_so(tmp_path: Path) -> None:
    judged = a_step("a", success_criteria=[{"kind": "human", "arg": "Is it right?"}])
    world = a_world(tmp_path, planner(a_plan(judged)), replies={"judge-0-1": "yes"})
    await world.run()
    assert world.asked[0].kind is QuestionKind.APPROVAL
    assert "Is it right?" in world.asked[0].text
    assert "Said: Say what a is." in world.asked[0].text


async def test_a_budget_that_is_used_up_ends_it_with_what_is_there(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return {**well(kind, inputs), "usage": {"input_tokens": 5000, "output_tokens": 0}}

    plan = a_plan(a_step("a"), a_step("b", "a"))
    world = a_world(tmp_path, planner(plan), does, replies={"budget-1": "Stop here"})
    output = await world.run(tokens_max=4000)
    assert output.is_partial
    assert [step.state for step in output.steps] == [StepState.DONE, StepState.WAITING]
    assert "tokens would be more than 4,000" in output.notes[0]


async def test_a_person_may_give_more(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        return {**well(kind, inputs), "usage": {"input_tokens": 5000, "output_tokens": 0}}

    plan = a_plan(a_step("a"), a_step("b", "a"))
    world = a_world(tmp_path, planner(plan), does, replies={"budget-1": "Go on"})
    output = await world.run(tokens_max=4000)
    assert not output.is_partial
    assert world.asked[0].default == "stop"


async def test_an_answer_without_sources_is_asked_for_again(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a")), answer="Just so. [7]"))
    output = await world.run()
    assert output.answer == "Just so."
    assert "⚠ The model named no sources for what it says." in output.notes
    assert len(world.speaker.asked) == 3


async def test_an_answer_that_cannot_be_written_is_what_the_last_step_gave(tmp_path: Path) -> None:
    fault = LlmFault(FaultClass.CONTEXT_LENGTH, "Too long.", endpoint="local")
    world = a_world(tmp_path, planner(a_plan(a_step("a")), answer=fault))
    output = await world.run()
    assert output.answer == "Said: Say what a is. [1]"
    assert "Too long." in output.notes[0]


async def test_files_and_pages_that_steps_brought_are_named(tmp_path: Path) -> None:
    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        page: JsonObject = {"number": 1, "title": "A page", "url": "https://example.org/a"}
        return {**well(kind, inputs), "files": ["report.md"], "sources": [page]}

    world = a_world(tmp_path, planner(a_plan(a_step("a")), answer="So [1][2]."), does)
    output = await world.run()
    assert output.files == ("report.md",)
    told = [(source.number, source.title, source.url, source.file) for source in output.sources]
    assert told == [
        (1, "Do a", "", "report.md"), (2, "A page", "https://example.org/a", ""),
    ]  # fmt: skip


async def test_an_overloaded_model_puts_the_plan_off(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(overloaded()))
    with pytest.raises(Postponed):
        await world.run()
    world.speaker.says = planner(a_plan(a_step("a")))
    assert (await world.run(tries=1)).answer == "So it is [1]."


async def test_steps_that_run_end_before_a_plan_is_put_off(tmp_path: Path) -> None:
    plan = a_plan(
        a_step("a", success_criteria=[{"kind": "llm_judge", "arg": "Good?"}]),
        a_step("b"),
        a_step("c", "a", "b"),
    )
    is_away = True

    def says(messages: Sequence[Message]) -> str | LlmFault:
        if is_planning(messages):
            return plan
        return overloaded() if is_judging(messages) and is_away else "YES [1]."

    world = a_world(tmp_path, says)
    world.holds[1] = asyncio.Event()

    async def attempt() -> None:
        with pytest.raises(Postponed):
            await world.run()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(attempt())
        while len(world.speaker.asked) < 2:  # noqa: ASYNC110 - a model has no bell
            await asyncio.sleep(0)
        world.holds[1].set()
    assert world.cancelled == []
    is_away = False
    output = await world.run(tries=1)
    assert sorted(world.done) == [0, 1, 2]
    assert [step.state for step in output.steps] == [StepState.DONE] * 3


async def test_a_cancelled_plan_takes_its_steps_along(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"), a_step("b"), a_step("c", "a", "b"))))
    world.holds = {0: asyncio.Event(), 1: asyncio.Event()}
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        attempt = group.create_task(world.run())
        while world.running < 2:  # noqa: ASYNC110 - steps have no bell
            await asyncio.sleep(0)
        attempt.cancel()
    assert sorted(world.cancelled) == [0, 1]


async def test_files_of_the_task_and_repositories_are_named_to_the_model(tmp_path: Path) -> None:
    world = a_world(tmp_path, planner(a_plan(a_step("a"))))
    (world.files / "shop" / ".git").mkdir(parents=True)
    (world.files / "acme report.md").write_text("The secret is 4711.")
    await world.run("Analyze the report of acme.")
    told = world.speaker.asked[0][1][1].text
    assert "acme report.md" in told
    assert "shop (a git repository)" in told
    assert "4711" not in told
