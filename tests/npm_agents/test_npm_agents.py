"""Real agents mend a real bug, ask a person, and go on after they were killed in mid-question."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from desktop.core.code.agent_profiles import profiles_of
from desktop.core.code.rules import CodeRules, CustomAgent
from desktop.jobs.code.driver import Road
from shared.errors import AppError
from tests.npm_agents.world import BUG, KEY, MENDED, NpmWorld, npm_world, there

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
AGENTS = ("claude", "codex", "gemini", "opencode", "qwen")
ASKING = ("claude", "codex", "gemini", "opencode")
"""Those that offer the tools of a server to their model."""
EDIT = (
    {"read": "calc.py"},
    {"edit": "calc.py", "old": "a - b", "new": "a + b"},
    {"say": "Mended."},
)
ASK = ({"ask": "Which sign is it?", "options": ["+", "-"], "why": "The name says add."},)
WRITE = ({"read": "calc.py"}, {"edit": "calc.py", "old": "a - b", "new": "a + b"})


@pytest.fixture(autouse=True)
def _told(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Print how long each took: figures are half of what these tests are for."""
    start = time.monotonic()
    yield
    with capsys.disabled():
        print(f"\n  {request.node.name}: {time.monotonic() - start:.1f} s", end="")


def figure(capsys: pytest.CaptureFixture[str], words: str) -> None:
    with capsys.disabled():
        print(f"\n    {words}", end="")


@pytest.mark.parametrize("name", AGENTS)
async def test_an_agent_mends_a_bug(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with npm_world(name, *EDIT) as world:
        begun = time.monotonic()
        async with world.agent() as agent:
            ready = time.monotonic()
            ended = await agent.prompt("Mend add in calc.py.")
            turn = time.monotonic() - ready
            figure(
                capsys, f"{name} {agent.version}: ready {ready - begun:.1f} s, turn {turn:.1f} s"
            )

        assert world.code == MENDED, told(world)
        assert ended.is_over
        assert world.spent.calls > 0
        assert_no_key_was_given(world)


async def test_an_owners_command_works_without_a_protocol(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """OpenCode as a headless agent: what the policy's [[code.agents]] says, and nothing else."""
    config = {
        "model": "deskhand/{model}",
        "provider": {
            "deskhand": {
                "npm": "@ai-sdk/openai-compatible",
                "options": {"baseURL": "{gateway}/v1", "apiKey": "none"},
                "models": {"{model}": {}},
            }
        },
    }
    own = CustomAgent(
        name="once",
        command=("opencode", "run", "{prompt}"),
        env={
            "OPENCODE_CONFIG_CONTENT": json.dumps(config),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
        },
        is_headless=True,
    )
    (profile, *_) = profiles_of(CodeRules(agents=(own,)))
    with npm_world(profile, *EDIT) as world:
        world.answers["registry"] = "deny"
        begun = time.monotonic()
        async with world.agent() as agent:
            ended = await agent.prompt("Mend add in calc.py; it's -- $HOME `wrong`.")
            figure(capsys, f"opencode run: {time.monotonic() - begun:.1f} s")

        assert world.code == MENDED, told(world)
        assert ended.is_over
        assert "Mended." in ended.text


@pytest.mark.parametrize("name", ASKING)
async def test_an_agent_asks_a_person(name: str) -> None:
    script = (*ASK, {"write": "answer.txt", "text": "{last_result}"}, {"say": "Asked."})
    with npm_world(name, *script) as world:
        world.answers["Which sign"] = "+ of course"
        async with world.agent() as agent:
            await agent.prompt("Ask which sign it is.")

        assert [asking.text for asking in world.asked] == [
            "Which sign is it?\n\nWhy: The name says add."
        ], told(world)
        assert "+ of course" in (world.clone / "answer.txt").read_text(), told(world)


@pytest.mark.parametrize("name", ASKING)
async def test_an_agent_goes_on_after_it_was_killed_in_mid_question(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with npm_world(name, *ASK, *WRITE, {"say": "Mended."}) as world:
        session_id = await killed_while_asking(world)
        assert world.code == BUG

        world.answers["Which sign"] = "+"
        async with world.agent(session_id) as agent:
            await agent.prompt('You asked: "Which sign is it?" The answer is: +. Go on.')
            figure(capsys, f"{name}: gone on with by {agent.road}")

        assert world.code == MENDED, told(world)
        assert len(world.keys_seen()) == 1, "what was asked before is the same question"
        if agent.road is not Road.NEW:
            assert agent.session_id == session_id


@pytest.mark.parametrize("name", AGENTS)
async def test_an_agent_goes_on_after_it_was_killed_in_a_command(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with npm_world(name, {"run": "touch begun; sleep 120"}, *EDIT) as world:
        begun = world.clone / "begun"
        async with world.agent() as agent, asyncio.TaskGroup() as tasks:
            turn = tasks.create_task(failure_of(agent, "Mend add in calc.py."))
            async with asyncio.timeout(120):
                while not begun.exists() and not turn.done():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            world.kill()
        assert turn.result() == "agent_died", told(world)

        world.model.script(*(there(step, world.clone) for step in ({"run": "true"}, *EDIT)))
        async with world.agent(agent.session_id) as agent:
            await agent.prompt("You were interrupted. Go on.")
            figure(capsys, f"{name}: gone on with by {agent.road}")

        assert world.code == MENDED, told(world)


async def killed_while_asking(world: NpmWorld) -> str:
    """Have the agent ask, and kill it before anybody answers; return its session."""
    async with world.agent() as agent:
        session_id = agent.session_id
        async with asyncio.TaskGroup() as tasks:
            turn = tasks.create_task(failure_of(agent, "Mend add in calc.py; ask which sign."))
            asked = tasks.create_task(world.is_asked.wait())
            await asyncio.wait({turn, asked}, return_when=asyncio.FIRST_COMPLETED, timeout=120)
            assert world.asked, told(world)
            world.kill()
        assert turn.result() == "agent_died"
    return session_id


async def failure_of(agent: Any, words: str) -> str:
    try:
        return repr(await agent.prompt(words))
    except AppError as error:
        return error.code


def assert_no_key_was_given(world: NpmWorld) -> None:
    """The worker's key is with the model's requests, and nowhere in what the agent could read."""
    assert all(KEY in json.dumps(dict(one.headers)) for one in world.model.asked)
    for path in (world.place / "home").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert KEY.encode() not in path.read_bytes(), path


def told(world: NpmWorld) -> str:
    """Say what there is to be known about a failure."""
    errors = world.place / "errors.log"
    tail = errors.read_text(errors="replace")[-3000:] if errors.exists() else ""
    requests = [(one.method, one.path, len(one.text)) for one in world.model.requests[-20:]]
    return f"\nlog: {world.lines}\nrequests: {requests}\nerrors: {tail}"
