"""plan, killed wherever it touches the world: it goes on, and nobody is asked or billed twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from desktop.jobs.plan.state import LATEST_NAMES, Stage, State, StateFile
from shared.kinds import JsonObject
from shared.kinds.plan import PlanOutput
from tests.desktop.jobs.plan.room import (
    Killed,
    World,
    a_plan,
    a_question,
    a_refactoring,
    a_step,
    a_world,
    clarify,
    planner,
    well,
)

DOINGS_MAX = 400


def a_long_life(folder: Path) -> World:
    """A task in which all that can happen does: questions, changes, a failure, more money."""

    def does(kind: str, inputs: JsonObject) -> JsonObject | str:
        if "bad" in str(inputs.get("question", "")):
            return "No such thing."
        return well(kind, inputs)

    judged = a_step("b", success_criteria=[{"kind": "llm_judge", "arg": "Is it good?"}])
    return a_world(
        folder,
        planner(
            clarify(a_question("Which one?", "This", "That")),
            "I would rather talk.",
            a_plan(a_refactoring("r"), a_step("a", kind="llm.ask")),
            a_plan(a_step("a"), judged, a_refactoring("r"), a_step("bad", "a", "b")),
            # The same words as were approved: others would be asked about again.
            a_plan(
                a_step("better", "a"),
                a_refactoring("again", "better", instructions="Say what r is."),
            ),
        ),
        does,
        replies={
            "clarify-1": "This",
            "approve-0": "Look first.",
            "approve-1": "Go",
            "budget-1": "Go on",
        },
    )


async def test_killed_anywhere_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = a_long_life(tmp_path / "whole")
    expected = await whole.run(jobs_max=5)
    assert set(whole.keys_asked) == {
        "clarify-1", "approve-0", "approve-1", "budget-1",
    }  # fmt: skip
    doings = 0
    for doings in range(DOINGS_MAX):
        world = a_long_life(tmp_path / f"killed-{doings}")
        world.doings_left = doings
        try:
            output = await world.run(jobs_max=5)
        except Killed:
            world.doings_left = None
            output = await world.run(jobs_max=5)
        else:
            break
        what = f"killed after {doings} doings"
        assert world.keys_asked == whole.keys_asked, what
        assert Counter(world.done) == Counter(whole.done), what
        assert len(world.speaker.asked) == len(whole.speaker.asked), what
        assert timeless(output) == timeless(expected), what
    assert doings > 30


def timeless(output: PlanOutput) -> PlanOutput:
    return output.model_copy(update={"seconds": 0.0, "headline": ""})


async def test_killed_again_and_again_it_still_gets_there(tmp_path: Path) -> None:
    whole = a_long_life(tmp_path / "whole")
    expected = await whole.run(jobs_max=5)
    world = a_long_life(tmp_path / "killed")
    for deaths in range(DOINGS_MAX):
        world.doings_left = 4 + deaths // 8
        try:
            output = await world.run(jobs_max=5)
        except Killed:
            continue
        break
    else:
        pytest.fail("it never got there")
    assert deaths > 10
    assert Counter(world.done) == Counter(whole.done)
    assert world.keys_asked == whole.keys_asked
    assert output.answer == expected.answer


def test_a_state_that_is_broken_is_no_state(tmp_path: Path) -> None:
    state = StateFile(tmp_path, State())
    state.put(today="Sunday")
    before = state.now
    state.put(ending="All is done.")
    assert StateFile(tmp_path, State()).now == state.now
    (tmp_path / LATEST_NAMES[0]).write_text('{"version": 1, "today":')
    assert StateFile(tmp_path, State()).now == before
    (tmp_path / LATEST_NAMES[1]).write_text("")
    assert StateFile(tmp_path, State()).now == State()


def test_what_a_power_cut_takes_is_not_what_was_approved(tmp_path: Path) -> None:
    state = StateFile(tmp_path, State())
    state.put(is_lasting=True, stage=Stage.RUNNING)
    approved = state.now
    state.put(today="Sunday")
    state.put(ending="All is done.")
    for name in LATEST_NAMES:
        (tmp_path / name).write_text("")
    assert StateFile(tmp_path, State()).now == approved
