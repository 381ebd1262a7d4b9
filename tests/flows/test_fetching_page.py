"""docs/keys-and-fetching.md tells enough: its worker, copied from the page, does a job."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from hub.app import running
from hub.core.access import Scope
from hub.settings import Settings
from tests.flows.fetching import Owner

PAGE = Path(__file__).resolve().parents[2] / "docs" / "keys-and-fetching.md"

pytestmark = pytest.mark.flow


async def test_the_worker_of_the_page_fetches_a_job_and_completes_it(tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    settings = Settings(data=tmp_path, port=0, host="127.0.0.1")
    async with (
        running(settings) as hub,
        httpx.AsyncClient(base_url=hub.settings.local_url, trust_env=False) as http,
    ):
        person = (await hub.services.registry.people())[0].person_id
        key = await hub.services.keys.issue(person, Scope.WORKER)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program,
            env={**os.environ, "HUB_URL": hub.settings.local_url, "REGISTER_KEY": key},
        )  # fmt: skip
        try:
            owner = Owner(http, settings.admin_key_file.read_text().strip())
            told = await owner.call("POST", "/queue/jobs", {"kind": "ml.models"})
            job = await owner.until(told.json()["job_id"], "succeeded", "failed")
        finally:
            worker.kill()
            await worker.wait()
    assert job["result"] == {"headline": "No models here.", "models": []}


def test_the_page_names_every_scope() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == {scope.value for scope in Scope}
