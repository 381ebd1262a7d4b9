"""The first five minutes from a phone: real hub, real worker, real job; only Telegram is fake."""

from __future__ import annotations

import csv
import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from shared.events import JobSucceeded

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
    assert settled[0].edits >= 1
    assert any("▓" in moment.text for moment in home.fake.state.moments)
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


@pytest.mark.parametrize(
    ("killed", "times_shown"),
    [
        ("while the job runs", 1),
        ("before Telegram has the last word", 1),
        ("after Telegram has the last word", 2),
    ],
)
async def test_a_hub_killed_in_the_middle_says_the_last_word_after_its_restart(
    home: Home, killed: str, times_shown: int
) -> None:
    """kill -9 of the hub, and what we promise for it.

    A last word is never lost, and comes exactly once wherever in its life a job is when the hub
    dies; with one exception that no bot can avoid: the hub dies after Telegram has stored the
    message and before the hub has written down that it has. That is the time one answer of
    Telegram takes on its way. Then it comes twice, since Telegram has no key to know it by.
    """
    from tests.fakes.bot_api import Drop
    from tests.flows.phone import link_phone

    held = {
        "before Telegram has the last word": Drop.HELD_BEFORE,
        "after Telegram has the last word": Drop.HELD_AFTER,
    }
    fake, phone = home.fake, home.phone
    await home.start_hub()
    await link_phone(home)
    worker = home.puppet()
    async with worker.online():
        await phone.reads("anna-pc is ready")
        phone.say("/models")
        grant = await worker.any_grant()
        await worker.starts(grant)
        if killed in held:
            fake.plan(held[killed], method="sendMessage", words="No models yet")
            await worker.succeeds(grant, {"headline": "No models yet."})
            await fake.until(lambda: fake.held > 0)
        home.kill("hub")
    fake.release()
    if killed not in held:
        worker.writes(
            JobSucceeded(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                result={"headline": "No models yet."},
                running_seconds=1,
            )
        )
    await home.start_hub()
    async with worker.online():
        await fake.until(lambda: last_words(home).count("No models yet.") >= times_shown)
        phone.say("/help start")
        await phone.reads("What this is, and what to do first")
    home.kill("hub")
    await home.start_hub()
    phone.say("/help start")
    await phone.reads("What this is, and what to do first")
    assert last_words(home).count("No models yet.") == times_shown


def last_words(home: Home) -> list[str]:
    return [message.text for message in home.phone.messages]
