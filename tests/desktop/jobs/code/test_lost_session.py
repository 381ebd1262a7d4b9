"""A job whose agent takes up its session after a stop, and then does not know it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from desktop.core.code.rules import CodeRules, CustomAgent
from shared.kinds.code import Level
from tests.desktop.jobs.code.agent_world import FAKE
from tests.desktop.jobs.code.work_world import MODEL, PlayedPerson, world_of


def agent_in(folder: Path) -> CustomAgent:
    folder.mkdir()
    shutil.copy(FAKE, folder / "fake.py")
    program = folder / "agent"
    program.write_text(
        f"#!{sys.executable} -I\nimport runpy\n"
        f"runpy.run_path({str(folder / 'fake.py')!r}, run_name='__main__')\n"
    )
    program.chmod(0o755)
    return CustomAgent(
        name="mine", command=(str(program), "resumes", "forgot all", "form", "writes")
    )


async def test_it_is_told_all_again_and_the_answer_is_not_asked_twice(tmp_path: Path) -> None:
    with world_of(tmp_path, ()) as world:
        mine = agent_in(tmp_path / "programs")
        world.rules = CodeRules(model=MODEL, agents=(mine,))
        order: dict[str, Any] = {"agent": "mine", "level": Level.AUTONOMOUS}
        await world.stopped("code.feature", PlayedPerson(), **order)
        assert world.state().agent_session == "session-1"

        person = PlayedPerson({"Which colour?": "Red"})
        output = await world.run("code.feature", person, **order)

    assert len(person.asked) == 1
    assert [file.path for file in output.files_changed] == ["colour.txt"]
    assert any("does not know it" in line for line in world.contexts[-1].plain.lines)
