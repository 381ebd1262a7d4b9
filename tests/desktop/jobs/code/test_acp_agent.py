"""Our client against an agent that misbehaves, as real processes."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from desktop.core.code.acp.events import AgentUsage, StopReason
from desktop.core.code.acp.v1 import Codec
from desktop.core.code.agent_profiles import AgentProfile
from desktop.jobs.code.acp.client import Client, Patience
from desktop.jobs.code.acp.process import ERRORS_BYTES_MAX, AgentProcess
from desktop.jobs.code.driver import Road
from shared.errors import AppError, NotAllowed
from shared.kinds.code import Level
from shared.questions import Asking, QuestionKind
from tests.desktop.jobs.code.agent_world import FAKE, World, is_alive


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_turn_ends_with_the_agents_words_and_its_count(world: World) -> None:
    async with world.agent("plan") as agent:
        ended = await agent.prompt("Mend it")

    assert ended.reason is StopReason.END_TURN
    assert ended.text == "All is done."
    assert ended.usage == AgentUsage(input_tokens=10, output_tokens=2)
    assert (agent.version, agent.session_id, agent.road) == ("0.1", "session-1", Road.NEW)
    assert world.told == [("plan", 1, 2)]
    assert world.sent("session/prompt")[0]["prompt"] == [{"type": "text", "text": "Mend it"}]


async def test_no_files_and_no_terminals_are_offered_but_forms(world: World) -> None:
    async with world.agent():
        pass

    greeting = world.sent("initialize")[0]
    assert greeting["protocolVersion"] == 1
    assert greeting["clientCapabilities"] == {
        "fs": {"readTextFile": False, "writeTextFile": False},
        "terminal": False,
        "elicitation": {"form": {}},
    }


async def test_noise_between_messages_is_passed_over(world: World) -> None:
    async with world.agent("garbage") as agent:
        assert (await agent.prompt("x")).is_over


async def test_a_request_that_nobody_knows_is_answered(world: World) -> None:
    async with world.agent("unknown") as agent:
        ended = await agent.prompt("x")

    assert 'unknown: {"error": -32601}' in ended.text


async def test_a_line_of_many_megabytes_is_a_message(world: World) -> None:
    async with world.agent("huge") as agent:
        ended = await agent.prompt("x")

    assert ended.tools == 1
    assert world.lines[0] == "› Write a big file"


async def test_a_flood_of_standard_error_stops_nobody_and_fills_no_disk(world: World) -> None:
    async with world.agent("flood") as agent:
        assert (await agent.prompt("x")).is_over

    files = list(world.folder.glob("errors.log*"))
    sizes = [file.stat().st_size for file in files]
    assert len(files) == 2
    assert all(size <= ERRORS_BYTES_MAX + 64 * 1024 for size in sizes)


async def test_the_log_of_a_turn_is_bounded(world: World) -> None:
    async with world.agent("chatter") as agent:
        ended = await agent.prompt("x")

    assert ended.tools == 2000
    assert len(world.lines) == 500
    assert world.lines[-1] == "The agent does more than is written here."


@pytest.mark.parametrize("behaviour", ["silent", "mute on start"])
async def test_an_agent_that_never_greets_is_given_up(world: World, behaviour: str) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent(behaviour, patience=Patience(start=0.5)):
            pass

    assert caught.value.code == "agent_silent"
    assert caught.value.retryable


async def test_an_agent_that_falls_silent_in_a_turn_is_given_up(world: World) -> None:
    async with world.agent("mute in turn", patience=Patience(silence=0.4, cancel=0.1)) as agent:
        with pytest.raises(AppError) as caught:
            await agent.prompt("x")

    assert caught.value.code == "agent_silent"


async def test_a_person_may_think_longer_than_an_agent_may_be_silent(world: World) -> None:
    async def slow(asking: Asking) -> str:
        await asyncio.sleep(1.3)  # that is what is tested
        return "#f00"

    world.ask = slow  # type: ignore[method-assign]
    async with world.agent("form", patience=Patience(silence=1.0)) as agent:
        ended = await agent.prompt("x")

    assert '"#f00"' in ended.text


async def test_an_agent_has_all_its_time_again_after_an_answer() -> None:
    nobody = cast("AgentProcess", None)
    client = Client(nobody, Codec("1"), Patience(silence=0.5))
    with client.while_asking():
        time.sleep(0.55)  # noqa: ASYNC251 - a person's time

    assert client._silence_left() > 0


async def test_an_agent_that_dies_is_told_with_its_last_words(world: World) -> None:
    async with world.agent("dies") as agent:
        with pytest.raises(AppError) as caught:
            await agent.prompt("x")

    assert caught.value.code == "agent_died"
    assert "status 9" in caught.value.message
    assert "panic: out of memory" in caught.value.message


async def test_an_agent_that_cannot_start_is_told_without_what_acts(world: World) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent("dead"):
            pass

    assert caught.value.code == "agent_died"
    assert "no such module" in caught.value.message
    assert "\x1b" not in caught.value.message


async def test_a_program_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent(command=("/no/such/agent",)):
            pass

    assert caught.value.code == "agent_missing"


async def test_another_version_of_the_protocol_is_refused(world: World) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent("from the future"):
            pass

    assert caught.value.code == "agent_protocol"


async def test_an_agent_that_wants_a_sign_in_says_so(world: World) -> None:
    with pytest.raises(NotAllowed) as caught:
        async with world.agent("signed out"):
            pass

    assert caught.value.code == "agent_signed_out"


async def test_a_refused_session_is_told_with_its_details(world: World) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent("no session"):
            pass

    assert caught.value.code == "agent_refused_session"
    assert "disk is \ufffd[2Jfull" in caught.value.message


@pytest.mark.parametrize("behaviours", [("grandchildren",), ("grandchildren", "stubborn")])
async def test_nobody_is_left_behind(world: World, behaviours: tuple[str, ...]) -> None:
    async with world.agent(*behaviours) as agent:
        await agent.prompt("x")
        assert len(world.left()) == 3

    assert world.left() == []


async def test_nobody_is_left_behind_when_the_job_is_cancelled(world: World) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with world.agent("grandchildren", "waits for cancel", "stubborn") as agent:
            turn = agent.prompt("x")
            started.set()
            await turn

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await started.wait()
        await until(lambda: len(world.left()) == 3)
        task.cancel()

    assert world.left() == []
    assert world.sent("session/cancel") == [{"sessionId": "session-1"}]


async def test_options_are_chosen_by_their_kind_alone(world: World) -> None:
    async with world.agent("permission") as agent:
        ended = await agent.prompt("x")

    assert '"optionId": "reject"' in ended.text, "it is the one of the kind allow_once"
    assert world.asked == []


async def test_without_a_box_a_person_is_asked_and_no_answer_is_a_no(world: World) -> None:
    async with world.agent("permission", is_isolated=False) as agent:
        ended = await agent.prompt("x")

    asking = world.asked[0]
    assert asking.kind is QuestionKind.APPROVAL
    assert asking.text == "Fake wants to run a command:\nrm -rf build"
    assert [choice.label for choice in asking.choices] == ["Allow once", "Refuse"]
    assert asking.default == "reject_once"
    assert '"optionId": "allow"' in ended.text, "it is the one of the kind reject_once"


async def test_what_was_allowed_once_is_asked_again(world: World) -> None:
    world.answers["run a command"] = "allow_once"
    async with world.agent("permission", "permission", level=Level.HUMAN_REQUIRED) as agent:
        await agent.prompt("x")

    first, second = world.asked
    assert first.key != second.key


async def test_a_resumed_agent_asks_by_the_same_key(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        world = World(tmp_path / name)
        async with world.agent("form") as agent:
            await agent.prompt("x")
        keys.append(world.asked[0].key)

    assert keys[0] == keys[1]


async def test_a_form_is_a_question_with_its_options_and_its_default(world: World) -> None:
    world.answers["Which colour?"] = "#f00"
    async with world.agent("form") as agent:
        ended = await agent.prompt("x")

    asking = world.asked[0]
    assert [(c.value, c.label) for c in asking.choices] == [("#f00", "Red"), ("#00f", "Blue")]
    assert asking.default == "#00f"
    assert '{"action": "accept", "content": {"colour": "#f00"}}' in ended.text


async def test_an_answer_that_fits_nothing_is_asked_three_times(world: World) -> None:
    world.answers["Which colour?"] = "loud"
    async with world.agent("form") as agent:
        ended = await agent.prompt("x")

    assert len({asking.key for asking in world.asked}) == 3
    assert '{"action": "decline"}' in ended.text


async def test_a_form_that_nobody_can_fill_in_is_declined(world: World) -> None:
    async with world.agent("odd form") as agent:
        ended = await agent.prompt("x")

    assert world.asked == []
    assert '{"action": "decline"}' in ended.text


async def test_a_question_that_is_taken_back_is_not_waited_for(world: World) -> None:
    async def never(asking: Asking) -> str:
        return await asyncio.Future[str]()

    world.ask = never  # type: ignore[method-assign]
    async with world.agent("withdraws") as agent:
        ended = await agent.prompt("x")

    assert 'withdrawn: {"error": -32800}' in ended.text


@pytest.mark.parametrize("behaviour", ["permission", "form"])
async def test_a_cancelled_turn_leaves_no_request_open(world: World, behaviour: str) -> None:
    asked = asyncio.Event()

    async def never(asking: Asking) -> str:
        asked.set()
        return await asyncio.Future[str]()

    world.ask = never  # type: ignore[method-assign]
    async with (
        world.agent(behaviour, "waits for cancel", is_isolated=False) as agent,
        asyncio.TaskGroup() as tasks,
    ):
        turn = tasks.create_task(agent.prompt("x"))
        await asked.wait()
        await agent.cancel()

    assert turn.result().reason is StopReason.CANCELLED
    words = {"permission": {"outcome": {"outcome": "cancelled"}}, "form": {"action": "cancel"}}
    assert [note["result"] for note in world.notes if "result" in note] == [words[behaviour]]


async def test_a_cancel_that_is_ignored_ends_the_turn_all_the_same(world: World) -> None:
    async with (
        world.agent("mute in turn", patience=Patience(cancel=0.2)) as agent,
        asyncio.TaskGroup() as tasks,
    ):
        turn = tasks.create_task(failure_of(agent.prompt("x")))
        await until(lambda: world.sent("session/prompt"))
        await agent.cancel()

    assert turn.result().code == "agent_silent"


async def test_what_asking_raises_ends_the_turn(world: World) -> None:
    async def refuse(asking: Asking) -> str:
        raise NotAllowed("not_here", "Nobody may be asked here.")

    world.ask = refuse  # type: ignore[method-assign]
    async with world.agent("form") as agent:
        assert (await failure_of(agent.prompt("x"))).code == "not_here"


ROADS = {
    "resume": (("resumes",), Road.RESUME),
    "load, for resume is only said": ((), Road.LOAD),
    "load, for resume kills": (("dies on resume",), Road.LOAD),
    "new": (("forgets",), Road.NEW),
}


@pytest.mark.parametrize(("behaviours", "road"), ROADS.values(), ids=ROADS)
async def test_an_old_session_is_gone_on_with_by_the_first_road_that_works(
    world: World, behaviours: tuple[str, ...], road: Road
) -> None:
    async with world.agent(*behaviours, session_id="session-1") as agent:
        ended = await agent.prompt("x")

    assert agent.road is road
    assert ended.text == "All is done.", "what is told again by session/load is not heard"


async def test_a_session_that_was_only_promised_is_told_as_lost(world: World) -> None:
    async with world.agent("resumes", "forgot all", session_id="session-1") as agent:
        lost = await failure_of(agent.prompt("x"))

    assert lost.code == "agent_lost_session"
    async with world.agent("resumes", "forgot all") as agent:
        assert (await agent.prompt("x")).is_over


@pytest.mark.parametrize(("is_isolated", "mode"), [(True, "yolo"), (False, "ask")])
async def test_the_mode_is_the_profiles(world: World, is_isolated: bool, mode: str) -> None:
    profile = fake_profile(mode="yolo", mode_unboxed="ask")
    async with world.agent(profile=profile, is_isolated=is_isolated):
        pass

    set_to = [params["modeId"] for params in world.sent("session/set_mode")]
    assert (set_to or ["ask"]) == [mode], "it begins in the mode ask"


async def test_without_a_box_no_agent_works_in_another_mode(world: World) -> None:
    with pytest.raises(AppError) as caught:
        async with world.agent(
            profile=fake_profile(mode="", mode_unboxed="careful"), is_isolated=False
        ):
            pass

    assert caught.value.code == "agent_mode"


async def test_what_the_block_raises_comes_out_as_it_is(world: World) -> None:
    with pytest.raises(KeyError):
        async with world.agent():
            raise KeyError("mine")


async def test_the_agent_ends_with_its_block(world: World) -> None:
    async with world.agent() as agent:
        pid = agent._line.pid

    assert not is_alive(pid)


def fake_profile(*, mode: str, mode_unboxed: str) -> AgentProfile:
    return AgentProfile(
        name="fake",
        title="Fake",
        command=(sys.executable, "-I", str(FAKE)),
        mode=mode,
        mode_unboxed=mode_unboxed,
    )


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what only another process knows."""
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def failure_of(turn: object) -> AppError:
    with pytest.raises(AppError) as caught:
        await turn  # type: ignore[misc]
    return caught.value
