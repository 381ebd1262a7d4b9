"""Our client against an agent of the protocol's own SDK, as processes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from desktop.core.code.acp.events import AgentUsage
from desktop.core.code.acp.v1 import McpServer
from desktop.core.code.agent_profiles import AgentProfile
from desktop.jobs.code.driver import Road
from tests.desktop.jobs.code.agent_world import World

BY_SDK = Path(__file__).parents[3] / "acp_agents" / "by_sdk.py"
PROFILE = AgentProfile(
    name="sdk", title="Sdk", command=(sys.executable, str(BY_SDK)), mode="careful"
)
SERVER = McpServer(name="deskhand", command="true", env=(("A", "b"),))


async def test_every_part_of_a_turn_is_understood_by_the_sdk(tmp_path: Path) -> None:
    world = World(tmp_path, answers={"Size": "Small"})
    async with world.agent(profile=PROFILE, servers=(SERVER,)) as agent:
        ended = await agent.prompt("Mend it")

    assert json.loads(ended.text) == {
        "prompt": "Mend it",
        "servers": ["deskhand"],
        "outcome": {"outcome": "selected", "optionId": "2"},
        "form": {"action": "accept", "content": {"size": "s", "count": 2}},
    }
    assert ended.is_over
    assert ended.usage == AgentUsage(input_tokens=3, output_tokens=2)
    assert (agent.version, agent.session_id) == ("9", "s-1")
    assert world.told == [("plan", 1, 2)]
    assert "› Edit a.py" in world.lines


async def test_a_session_of_the_sdks_is_gone_on_with(tmp_path: Path) -> None:
    world = World(tmp_path, answers={"Size": "L"})
    async with world.agent(profile=PROFILE, session_id="s-0") as agent:
        assert (await agent.prompt("Go on")).is_over

    assert (agent.road, agent.session_id) == (Road.RESUME, "s-0")
