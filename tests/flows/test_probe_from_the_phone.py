"""Models are probed and asked from a chat: real hub, real worker, a real server of models."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.llm_servers.llamacpp import LlamaServer

if TYPE_CHECKING:
    from tests.flows.phone import Home

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SECONDS = 90.0
MESSAGES_MAX = 8
"""Of a run: the request's answer, its status, its end, statistics with their pictures."""


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.flows.phone")


@pytest.fixture
async def home(tmp_path: Path, llama: LlamaServer) -> AsyncIterator[Home]:
    from tests.flows.phone import connect_laptop, link_phone, open_home

    async with open_home(tmp_path) as opened:
        policy = tmp_path / "laptop" / "policy.toml"
        policy.parent.mkdir()
        policy.write_text(
            f'folders = ["{opened.documents}"]\n[[llm.endpoints]]\nname = "local"\n'
            f'base_url = "{llama.base_url}"\nis_local = true\n'
        )
        await opened.start_hub()
        await link_phone(opened)
        await connect_laptop(opened)
        yield opened


async def test_a_run_from_begin_to_transcript(home: Home) -> None:
    before = len(home.phone.messages)
    home.phone.say("/probe dilemmas local:tiny,local:tiny2 scenarios=10")
    ended = await home.phone.reads("answered.\n", SECONDS)
    assert "local:tiny: " in ended.text
    assert "First transcript" in ended.labels
    told = await home.phone.reads("value wins", SECONDS)
    assert "tiny2" in told.text
    assert len(home.phone.messages) - before <= MESSAGES_MAX, "its twenty probes are quiet"
    await home.phone.tap(ended, "First transcript")
    shown = await home.phone.reads("Asked:", SECONDS)
    assert "Answered:" in shown.text
    home.phone.say("/runs")
    listed = await home.phone.reads("20 of 20", SECONDS)
    assert "local:tiny, local:tiny2" in listed.text


async def test_a_file_is_read_by_a_model_that_is_chosen(home: Home) -> None:
    (home.documents / "minutes.txt").write_text("Anna brings the cake. Ben brings the tea.")
    home.phone.say("/ask summarize minutes.txt")
    asked = await home.phone.reads("Which model?", SECONDS)
    await home.phone.tap(asked, "local:tiny2")
    told = await home.phone.reads("has summarized minutes.txt:", SECONDS)
    assert told.text.startswith("local:tiny2 ")
