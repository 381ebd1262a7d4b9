"""Which agents a machine has: those that answer in a box; remembered until a program changes."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from desktop.core.code.agent_profiles import AgentProfile, profile_of, profiles_of
from desktop.core.code.rules import CodeRules, CustomAgent, SandboxChoice
from desktop.jobs.code.agents import FILE_NAME, known_agents, run
from desktop.jobs.code.programs import own_agent, program_of
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.sandbox.choosing import choose
from shared.errors import NotFound
from shared.kinds.code import AgentFacts, AgentsInputs
from tests.desktop.jobs.code.agent_world import FAKE
from tests.desktop.jobs.fake_shared import shared_of

SCRIPT = """\
#!{python} -I
import runpy, sys
{more}
runpy.run_path({fake!r}, run_name="__main__")
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with an agent, as an installer makes one."""
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copy(FAKE, folder / "fake.py")
    write_agent(folder / "agent")
    return folder


def write_agent(path: Path, more: str = "") -> None:
    fake = str(path.parent / "fake.py")
    path.write_text(SCRIPT.format(python=sys.executable, fake=fake, more=more))
    path.chmod(0o755)


def rules(*agents: CustomAgent, sandbox: SandboxChoice = SandboxChoice.AUTO) -> CodeRules:
    names = tuple(agent.name for agent in agents)
    return CodeRules(agents=agents, agents_allowed=names, sandbox=sandbox)


async def look(rules: CodeRules, folder: Path, *, is_fresh: bool = False) -> AgentFacts:
    sandbox: Sandbox = await choose(rules)
    (facts,) = await known_agents(rules, sandbox, folder, is_fresh=is_fresh)
    return facts


@pytest.mark.parametrize("sandbox", [SandboxChoice.AUTO, SandboxChoice.NONE])
async def test_an_agent_that_greets_is_ready(
    programs: Path, tmp_path: Path, sandbox: SandboxChoice
) -> None:
    mine = CustomAgent(name="mine", command=(str(programs / "agent"),))
    facts = await look(rules(mine, sandbox=sandbox), tmp_path / "data")

    assert facts == AgentFacts(name="mine", title="mine", version="0.1", is_ready=True)
    assert [path.name for path in (tmp_path / "data").iterdir()] == [FILE_NAME], "no folder is left"


async def test_what_is_known_is_not_looked_for_until_the_program_changes(
    programs: Path, tmp_path: Path
) -> None:
    mine = rules(CustomAgent(name="mine", command=(str(programs / "agent"),)))
    await look(mine, tmp_path / "data")
    (programs / "fake.py").unlink()
    assert (await look(mine, tmp_path / "data")).is_ready
    write_agent(programs / "agent", more="sys.exit('another version')")
    assert not (await look(mine, tmp_path / "data")).is_ready


async def test_whoever_wants_it_has_everything_looked_for_again(
    programs: Path, tmp_path: Path
) -> None:
    mine = rules(CustomAgent(name="mine", command=(str(programs / "agent"),)))
    await look(mine, tmp_path / "data")
    (programs / "fake.py").unlink()
    assert not (await look(mine, tmp_path / "data", is_fresh=True)).is_ready


async def test_an_agent_that_is_mended_is_found(programs: Path, tmp_path: Path) -> None:
    mine = rules(CustomAgent(name="mine", command=(str(programs / "agent"),)))
    write_agent(programs / "agent", more="sys.exit('needs a newer node')")
    facts = await look(mine, tmp_path / "data")
    assert not facts.is_ready
    assert "needs a newer node" in facts.sentence

    write_agent(programs / "agent")
    assert (await look(mine, tmp_path / "data")).is_ready


async def test_a_headless_agent_is_ready_when_it_starts(programs: Path, tmp_path: Path) -> None:
    write_agent(programs / "less", more="print('less 2.5.1'); sys.exit(0)")
    less = CustomAgent(name="less", command=(str(programs / "less"), "{prompt}"), is_headless=True)
    facts = await look(rules(less), tmp_path / "data")

    assert (facts.is_ready, facts.version) == (True, "2.5.1")


async def test_a_file_that_is_no_memory_is_not_believed(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / FILE_NAME).write_text('{"mine": 7}')
    mine = rules(CustomAgent(name="mine", command=(str(programs / "agent"),)))
    assert (await look(mine, tmp_path / "data")).is_ready


async def test_the_job_tells_what_is_there_and_how_to_get_the_rest(tmp_path: Path) -> None:
    context = shared_of(tmp_path)
    context.code = CodeRules(agents_allowed=("goose",), sandbox=SandboxChoice.NONE)
    output = await run(context, AgentsInputs())

    assert output.headline == "No coding agent is ready here."
    assert output.sandbox == "none"
    assert [(agent.name, agent.is_ready) for agent in output.agents] == [("goose", False)]
    assert "Install goose" in output.agents[0].sentence


def test_a_program_that_is_not_there_is_named_with_its_installer(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        program_of(profile_of("qwen", profiles_of(CodeRules())), search=str(tmp_path))

    assert caught.value.code == "agent_missing"
    assert "npm install -g @qwen-code/qwen-code" in caught.value.hint


def test_a_program_of_npm_is_shown_with_all_packages_and_with_node(tmp_path: Path) -> None:
    package = tmp_path / "lib/node_modules/@x/agent/dist/index.js"
    node = tmp_path / "node/bin/node"
    for path, words in ((package, "#!/usr/bin/env node\n"), (node, "")):
        path.parent.mkdir(parents=True)
        path.write_text(words)
        path.chmod(0o755)
    link = tmp_path / "bin/agent"
    link.parent.mkdir()
    link.symlink_to(package)

    program = program_of(agent(str(link)), search=f"{link.parent}{os.pathsep}{node.parent}")

    assert program.path == link
    assert program.folders == (link.parent, tmp_path / "lib/node_modules", node.parent)


def test_a_program_of_a_virtual_environment_is_shown_with_what_it_stands_on(
    tmp_path: Path,
) -> None:
    base, venv = tmp_path / "base", tmp_path / "venv"
    for path in (base / "bin/python3", venv / "bin/python"):
        path.parent.mkdir(parents=True)
        path.write_text("")
        path.chmod(0o755)
    (venv / "pyvenv.cfg").write_text(f"home = {base}/bin\nversion = 3.12\n")
    script = venv / "bin/aider"
    script.write_text(f"#!{venv}/bin/python\n")
    script.chmod(0o755)

    assert program_of(agent(str(script))).folders == (venv / "bin", venv, base)


def test_our_own_agent_needs_no_variable_that_others_would_inherit() -> None:
    profile = profile_of("builtin", profiles_of(CodeRules()))
    assert not any(name.startswith("PYTHON") for name in profile.env)
    assert program_of(profile).path == Path(own_agent()[0])


def agent(program: str) -> AgentProfile:
    return AgentProfile(name="x", title="X", command=(program,))
