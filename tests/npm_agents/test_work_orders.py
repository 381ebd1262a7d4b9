"""Whole work orders with real agents: from the order to the pushed branch, from red to green."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from desktop.core.code.rules import CodeRules
from desktop.core.llm.types import Endpoint, Format
from desktop.jobs.code.samples import till
from desktop.jobs.code.samples.building import build
from shared.kinds.code import Level
from tests.desktop.jobs.code.work_world import FIX, MODEL, PlayedPerson, World
from tests.llm_servers.scripted import running
from tests.npm_agents.test_npm_agents import AGENTS, ASKING
from tests.npm_agents.world import place_for_work

pytestmark = [pytest.mark.agents, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
REACHED: Mapping[str, tuple[Format, str]] = {
    "claude": (Format.ANTHROPIC, ""),
    "gemini": (Format.GOOGLE, ""),
}
"""The format of its model's endpoint, and what follows the address; else chat and responses."""


@dataclass
class NpmOrders(World):
    agent: str = ""

    @property
    def endpoint(self) -> Endpoint:
        format_, path = REACHED.get(self.agent, (Format.OPENAI, "/v1"))
        base = f"{self.model.address}{path}"
        return Endpoint(
            name="local", base_url=base, format=format_, is_local=True, models=("scripted",)
        )


@pytest.fixture
def orders() -> Iterator[NpmOrders]:
    with place_for_work() as place, running() as model:
        (place / "files").mkdir()
        repository = build(place / "files", till.NAME, till.FILES)
        yield NpmOrders(place, model, repository, CodeRules(model=MODEL))


def by_shell(step: Mapping[str, object]) -> Mapping[str, object]:
    """Read and edit by commands: the script does not know the clone's path, and some ask for it."""
    if "read" in step:
        return {"run": f"cat {step['read']}"}
    if "edit" in step:
        path, old, new = step["edit"], step["old"], step["new"]
        code = f"t = open({path!r}).read(); open({path!r}, 'w').write(t.replace({old!r}, {new!r}))"
        return {"run": f"python3 -c {shlex.quote(code)}"}
    return step


@pytest.mark.parametrize("name", AGENTS)
async def test_a_bug_is_mended_and_its_branch_pushed(
    orders: NpmOrders, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    orders.agent = name
    plain = [by_shell(step) for step in FIX if "ask" not in step]
    orders.model.script(*(FIX if name in ASKING else plain))
    person = PlayedPerson({till.QUESTION: till.UTC})

    begun = time.monotonic()
    output = await orders.run("code.bugfix", person, agent=name, level=Level.AUTONOMOUS)
    with capsys.disabled():
        print(f"\n    {name}: order to pushed branch {time.monotonic() - begun:.1f} s", end="")

    assert output.tests_before is not None
    assert output.tests_after is not None
    assert (output.tests_before.failed, output.tests_after.failed) == (3, 0)
    assert orders.branches() == {output.branch: output.commit}
    assert [asking.kind.value for asking in person.asked] == ["clarification"] * (name in ASKING)
    assert "astimezone(UTC)" in orders.repository.show(output.branch, "till/report.py")
