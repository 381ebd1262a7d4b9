"""One job over three frontends: started in Telegram, watched in a browser, answered in Matrix.

The browser is real, and so is the homeserver, whose room is encrypted; Telegram is a server that is
typed by another library. With `-s` it tells how long the other copies took.
"""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest
from playwright.async_api import expect

from shared.environment import Environment
from shared.ids import QuestionId, short
from tests.browser.surfing import Surf
from tests.conformance.test_frontends import WHICH_FILE
from tests.hub.frontends.world import HastyClock, open_world
from tests.matrix_servers.synapse import Synapse

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.conformance.telegram_door")
    importlib.import_module("tests.conformance.matrix_door")


async def test_what_is_answered_in_one_place_is_answered_in_all(
    surf: Surf, synapse: Synapse, tmp_path: Path
) -> None:
    from tests.conformance import matrix_door, telegram_door
    from tests.conformance.doors import bubble
    from tests.fakes.bot_api import open_bot_api

    async with (
        open_bot_api() as bot_api,
        open_world(
            tmp_path,
            Environment(clock=HastyClock()),
            **telegram_door.settings(bot_api),
            **matrix_door.settings(synapse),
        ) as world,
    ):
        owner = (await world.hub.services.registry.people())[0].person_id
        worker = await world.pair()
        async with (
            worker.online(),
            telegram_door.open_telegram_door(world, bot_api, owner) as telegram,
            matrix_door.open_matrix_door(world, synapse, owner, is_encrypted=True) as matrix,
        ):
            # Started in Telegram …
            await telegram.say("/models")
            grant = await worker.any_grant()
            await worker.starts(grant)
            await worker.asks(grant, WHICH_FILE, QUESTION)
            asked = await bubble(telegram, lambda b: b.text.startswith("Which file?"))
            assert asked.labels == ["a.csv", "b.csv"]
            # … watched in a browser …
            card = await world.hub.services.views.job(owner, grant.job_id)
            watcher = await surf.someone(world.hub)
            await watcher.goes(f"/tasks/{card.job.task_id}")
            page = watcher.page
            await expect(page.get_by_role("button", name="b.csv")).to_be_visible()
            # … and answered in Matrix.
            began = time.monotonic()
            answered = "Answered by you on Matrix"
            _, in_telegram, in_browser = await asyncio.gather(
                matrix.say(f"#{short(grant.job_id)} 2"),
                _seconds(began, bubble(telegram, lambda b: answered in b.text)),
                _seconds(began, expect(page.get_by_text(answered).first).to_be_visible()),
            )
            print(f"Telegram {in_telegram:.2f} s, browser {in_browser:.2f} s")
            [edited] = [b for b in telegram.bubbles if b.text.startswith("Which file?")]
            assert edited.text == f"Which file?\n{answered}: b.csv"
            assert edited.labels == []
            await expect(page.get_by_role("button", name="b.csv")).to_have_count(0)
            await worker.succeeds(grant, {"headline": "No models yet.", "models": []})
            await bubble(telegram, lambda b: b.is_final and b.text.startswith("No models yet."))
            await expect(page.get_by_text("Done in").first).to_be_visible()
            # Nobody asked for it there.
            assert [b for b in matrix.bubbles if "No models yet" in b.text] == []


async def _seconds(began: float, waiting: Awaitable[object]) -> float:
    await waiting
    return time.monotonic() - began
