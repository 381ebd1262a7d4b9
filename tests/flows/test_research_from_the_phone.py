"""A question is answered from the web, from a chat: real hub, worker, child, sandbox and site."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web_sites.site import Site, article, running

if TYPE_CHECKING:
    from tests.flows.phone import Home

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

SECONDS = 90.0
FACT = "Honey bees make 30 kg of honey a year in a good hive. "


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.flows.phone")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running() as opened:
        opened.page("/honey", article("Honey", FACT * 5))
        found = [
            {"url": f"http://127.0.0.1:{opened.port}/honey", "title": "Honey"},
            {"url": "http://10.0.0.1/inside", "title": "Inside"},
        ]
        told = json.dumps({"results": found})
        opened.page("/search", told, media_type="application/json")
        yield opened


@pytest.fixture
async def home(tmp_path: Path, site: Site) -> AsyncIterator[Home]:
    from tests.flows.phone import connect_laptop, link_phone, open_home

    async with open_home(tmp_path) as opened:
        policy = tmp_path / "laptop" / "policy.toml"
        policy.parent.mkdir()
        policy.write_text(
            f'folders = ["{opened.documents}"]\n[web]\nsearch = "searxng"\n'
            f'searxng_url = "http://127.0.0.1:{site.port}"\nprivate_hosts = ["127.0.0.1"]\n'
            "pause_seconds = 0\n"
        )
        await opened.start_hub()
        await link_phone(opened)
        await connect_laptop(opened)
        yield opened


async def test_a_question_is_answered_with_its_sources(home: Home, site: Site) -> None:
    home.phone.say("/research How much honey do bees make?")
    told = await home.phone.reads("30 kg of honey", SECONDS)
    assert "No model took part" in told.text
    assert f"[1] Honey: http://127.0.0.1:{site.port}/honey" in told.text
    assert "1 more could not be read." in told.text
    assert site.urls == ["127.0.0.1/search?q=How+much+honey+do+bees+make%3F&format=json",
                         "127.0.0.1/honey"]  # fmt: skip
