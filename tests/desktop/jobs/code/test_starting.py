"""Agents of both sorts are started by their profile; configuration goes into the home alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desktop.core.code.acp.events import StopReason
from desktop.core.code.agent_profiles import AgentProfile, FilledProfile
from desktop.jobs.code.driver import Road, TurnEnd
from desktop.jobs.code.headless import HeadlessAgent
from desktop.jobs.code.starting import started, write_files
from shared.errors import AppError
from tests.desktop.jobs.code.agent_world import FAKE, World, is_alive

CONFIG = FilledProfile(argv=(), env={}, files={".agent/deep/config.json": "{}"})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def headless(script: str) -> AgentProfile:
    command = (sys.executable, "-I", "-c", script, "{prompt}")
    return AgentProfile(name="less", title="Less", command=command, is_headless=True)


async def turn(world: World, profile: AgentProfile, prompt: str = "Mend it") -> TurnEnd:
    async with started(world.assignment(profile=profile), world.ask, world) as agent:
        return await agent.prompt(prompt)


async def test_an_agent_that_speaks_acp_is_started_with_its_configuration(world: World) -> None:
    profile = AgentProfile(
        name="fake",
        title="Fake",
        command=(sys.executable, "-I", str(FAKE)),
        files={".fake/config": "model={model}"},
    )
    ended = await turn(world, profile)

    assert ended.is_over
    assert (world.folder / "home/.fake/config").read_text() == "model=tiny"


async def test_a_headless_agent_gets_the_task_and_ends_by_itself(world: World) -> None:
    ended = await turn(world, headless("import sys; print('did', sys.argv[1])"), "It's\n$HOME")

    assert ended.reason is StopReason.END_TURN
    assert ended.text == "did It's\n$HOME"
    assert world.lines == ["did It's", "$HOME"]


async def test_a_headless_agent_that_fails_says_why(world: World) -> None:
    ended = await turn(world, headless("import sys; sys.exit('no model')"))

    assert ended.reason is StopReason.REFUSAL
    assert ended.text == "no model"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("import os; os.kill(os.getpid(), 11)", "agent_died"),
        ("import sys; sys.exit(127)", "agent_died"),
        ("import os, time; os.close(1); time.sleep(60)", "agent_died"),
    ],
    ids=["killed", "not found", "goes on without a word"],
)
async def test_a_headless_agent_that_breaks_is_an_error(
    world: World, script: str, code: str
) -> None:
    with pytest.raises(AppError) as caught:
        await turn(world, headless(script))

    assert caught.value.code == code


async def test_a_headless_agent_does_not_start_where_nothing_holds_it(world: World) -> None:
    assignment = world.assignment(profile=headless("open('did', 'w')"), is_isolated=False)
    with pytest.raises(AppError) as caught:
        async with started(assignment, world.ask, world) as agent:
            await agent.prompt("x")

    assert caught.value.code == "agent_needs_sandbox"
    assert list((world.folder / "clone").iterdir()) == []


async def test_a_headless_agent_that_is_silent_is_ended(world: World) -> None:
    script = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    agent = HeadlessAgent(world.assignment(profile=headless(script)), world, silence_seconds=0.5)
    with pytest.raises(AppError) as caught:
        await agent.prompt("x")

    assert caught.value.code == "agent_silent"
    assert not is_alive(int((world.folder / "clone/pid").read_text()))
    assert agent.road is Road.NEW


async def test_a_headless_agents_flood_is_bounded(world: World) -> None:
    ended = await turn(world, headless("for n in range(3000): print('line', n)"))

    assert ended.text.endswith("line 2999")
    assert len(world.lines) == 500


def test_configuration_is_written_anew(tmp_path: Path) -> None:
    for _ in range(2):
        write_files(CONFIG, tmp_path)

    assert (tmp_path / ".agent/deep/config.json").read_text() == "{}"


@pytest.mark.parametrize("planted", [".agent", ".agent/deep", ".agent/deep/config.json"])
def test_no_planted_link_leads_our_writing_elsewhere(tmp_path: Path, planted: str) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (home / planted).parent.mkdir(parents=True)
    (home / planted).symlink_to(
        elsewhere if planted != next(iter(CONFIG.files)) else elsewhere / "f"
    )

    write_files(CONFIG, home)

    assert [path for path in elsewhere.rglob("*") if path.is_file()] == []
    assert (home / ".agent/deep/config.json").resolve().is_relative_to(home.resolve())


def test_a_planted_folder_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".agent/deep/config.json/x").mkdir(parents=True)
    write_files(CONFIG, tmp_path)
    assert (tmp_path / ".agent/deep/config.json").is_file()
