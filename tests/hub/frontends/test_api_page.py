"""What docs/api.md says is true: its example runs, its addresses and codes exist."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

from hub.core.access import Scope
from tests.flows.programs import ROOT
from tests.hub.frontends.test_api import YES_OR_NO
from tests.hub.frontends.test_console import QUESTION
from tests.hub.frontends.world import World, until

PAGE = (ROOT / "docs" / "api.md").read_text()


def example() -> str:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


async def test_the_example_runs_as_it_stands(world: World, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example())
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "HUB_URL": world.url, "HUB_KEY": world.admin_key,
    }  # fmt: skip
    worker = await world.pair()
    async with worker.online():
        program = await asyncio.create_subprocess_exec(
            sys.executable, str(script), env=environment, stdout=asyncio.subprocess.PIPE
        )
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.asks(grant, YES_OR_NO, QUESTION)
        question_id = QUESTION
        while True:
            question = await world.hub.services.views.question(question_id)
            if question is not None and question.answer is not None:
                break
            await asyncio.sleep(0.02)
        assert question.answer.value == "yes"
        await worker.succeeds(grant, {"headline": "Two models."})
        await until(lambda: worker.acked == len(worker.log))
        told, _ = await program.communicate()
    assert (program.returncode, told.decode().strip()) == (0, "Two models.")


async def test_every_address_on_the_page_is_one_of_the_api(world: World) -> None:
    paths = (await world.rest.get("/openapi.json")).json()["paths"]
    named = re.findall(r"`(?:GET|POST|PATCH|DELETE) (/[^`?]+)`", PAGE)
    assert len(named) >= 4
    assert [path for path in named if f"/api/v1{path}" not in paths] == []


def test_every_scope_of_keys_is_on_the_page() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert told == {scope.value for scope in Scope}
