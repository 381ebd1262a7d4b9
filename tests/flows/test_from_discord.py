"""From a code to a file of predictions in Discord: real hub, real worker, real job."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flows.discord_home import DiscordHome

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module", autouse=True)
def _discord() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.flows.discord_home")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[DiscordHome]:
    from tests.flows.discord_home import open_discord_home

    async with open_discord_home(tmp_path) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_from_a_code_to_a_file_of_predictions(home: DiscordHome) -> None:
    from tests.flows.discord_home import link_account
    from tests.flows.phone import connect_laptop, train_and_predict

    await home.start_hub()
    await link_account(home)
    await home.run("desktop", "samples", str(home.documents))
    await connect_laptop(home)
    trained, predicted = await train_and_predict(home)

    assert trained.text.startswith("arrival (flights) model ready: AUC 0.")
    settled = [m for m in home.desk.messages if "Training on anna-pc took" in m.text]
    assert [(m.shown.edits > 0, m.shown.labels) for m in settled] == [(True, [])]
    assert not any(m.shown.files for m in home.desk.messages if not m.text.startswith("Your code"))
    await home.phone.tap(predicted, "Send me the file")
    await home.discord.until(lambda: bool(home.desk.messages[-1].shown.files), 60)
    on_disk = home.documents / "flights_new.predictions.csv"
    assert home.desk.messages[-1].shown.files == {on_disk.name: on_disk.read_bytes()}
    assert home.discord.refusals(429) == home.discord.refusals(400) == []
    assert all(asked.is_answered for asked in home.discord.state.interactions.values())
    # No promise was left open, and nothing was said twice.
    assert not any(m.is_thinking for m in home.discord.state.messages.values())
    assert len([m for m in home.desk.messages if "model ready" in m.text]) == 1
