"""The first five minutes from a phone: real hub, real worker, real job; only Telegram is fake."""

from __future__ import annotations

import csv
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.flows.phone import Home

pytestmark = pytest.mark.flow


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.flows.phone")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    from tests.flows.phone import open_home

    async with open_home(tmp_path) as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_from_start_to_a_file_of_predictions_with_buttons_alone(home: Home) -> None:
    from tests.flows.phone import connect_laptop, link_phone, train_and_predict

    await home.start_hub()
    await link_phone(home)
    greeting = home.phone.messages[-1]
    assert "No computer is connected yet." in greeting.text
    assert greeting.labels == ["Connect a computer"]
    await home.run("desktop", "samples", str(home.documents))
    await connect_laptop(home)
    trained, predicted = await train_and_predict(home)

    assert trained.text.startswith("arrival (flights) model ready: AUC 0.")
    assert trained.message_id != trained.replies_to
    settled = [m for m in home.phone.messages if m.text.startswith("✓ Training on anna-pc took")]
    assert len(settled) == 1
    assert settled[0].edits >= 2
    assert settled[0].labels == []
    assert predicted.text.startswith("700 rows predicted")
    # Nothing was uploaded before it was asked for.
    assert [m for m in home.phone.messages if m.document] == []
    await home.phone.tap(predicted, "Send me the file")
    await home.fake.until(lambda: any(m.document for m in home.phone.messages), 60)
    [sent] = [m.document for m in home.phone.messages if m.document]
    on_disk = home.documents / "flights_new.predictions.csv"
    assert sent.name == on_disk.name
    assert sent.content == on_disk.read_bytes()
    with on_disk.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 700
    assert home.fake.refusals(429) == []
    # Every press was answered, and nothing was said twice.
    assert all(tap.is_answered for tap in home.fake.state.taps.values())
    finals = [m.text for m in home.phone.messages if "model ready" in m.text]
    assert len(finals) == 1
