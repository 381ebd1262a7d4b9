"""The page of dead letters."""

from __future__ import annotations

import html
import re

from hub.frontends.web.pages.dead import READ_AT_ONCE
from hub.store.ledger import Entry
from shared.events import JobQueued
from shared.ids import JobId
from shared.jobs import JobState
from tests.hub.frontends.web.reader import Read, Reader
from tests.hub.frontends.web.seeds import dead_letter, ledger_of, owner_of
from tests.hub.frontends.world import World


def undo_of(page: Read) -> str:
    found = re.search(r'action="(/dead/unrequeue[^"]*)"', page.html)
    assert found is not None
    return html.unescape(found[1])


async def state_of(world: World, job_id: str) -> str:
    return str((await world.rest.get(f"/jobs/{job_id}")).json()["state"])


async def test_without_dead_letters_the_page_says_what_they_are(reader: Reader) -> None:
    assert "No job has run out of tries." in (await reader.get("/dead")).text


async def test_a_dead_letter_shows_its_reasons_in_the_list(world: World, reader: Reader) -> None:
    card = await dead_letter(world, "weather.csv")
    page = await reader.get("/dead")
    assert "describe weather.csv The disk was busy." in page.text
    assert "Try 2" in page.text
    assert "Try 1" in page.text
    assert f"/jobs/{card.job_id}" in page.links
    assert (await reader.get("/badges/dead")).text.startswith("1")


async def test_one_is_tried_again_and_taken_back(world: World, reader: Reader) -> None:
    card = await dead_letter(world, "weather.csv")
    again = await reader.post(f"/dead/{card.job_id}/requeue")
    assert again.toast == "1 job queued again."
    assert await state_of(world, card.job_id) == JobState.QUEUED
    back = await reader.post(undo_of(again))
    assert back.toast == "1 job is a dead letter again."
    assert await state_of(world, card.job_id) == JobState.DEAD
    assert "The disk was busy." in back.text


async def test_those_selected_are_tried_again_and_no_others(world: World, reader: Reader) -> None:
    cards = [await dead_letter(world, f"{name}.csv") for name in "abc"]
    fields = {f"job:{card.job_id}": "on" for card in cards[:2]}
    again = await reader.post("/dead/requeue", **fields)
    assert again.toast == "2 jobs queued again."
    states = [await state_of(world, card.job_id) for card in cards]
    assert states == ["queued", "queued", "dead"]
    assert (await reader.post(undo_of(again))).toast == "2 jobs are dead letters again."


async def test_all_are_tried_again_and_what_has_begun_stays(world: World, reader: Reader) -> None:
    cards = [await dead_letter(world, f"{name}.csv") for name in "ab"]
    again = await reader.post("/dead/requeue-all")
    assert again.toast == "2 jobs queued again."
    worker = await world.pair()
    async with worker.online():
        await worker.grant_of(cards[0].job_id)
        await worker.grant_of(cards[1].job_id)
        assert (await reader.post(undo_of(again))).toast == "Too late: the work has begun."


async def test_an_undo_takes_back_its_own_stretch_alone(world: World, reader: Reader) -> None:
    first, second = await dead_letter(world, "a.csv"), await dead_letter(world, "b.csv")
    early = await reader.post(f"/dead/{first.job_id}/requeue")
    await reader.post(f"/dead/{second.job_id}/requeue")
    assert (await reader.post(undo_of(early))).toast == "1 job is a dead letter again."
    assert await state_of(world, second.job_id) == JobState.QUEUED


async def test_an_undo_reads_on_through_a_long_stretch(world: World, reader: Reader) -> None:
    card, owner = await dead_letter(world, "a.csv"), await owner_of(world)
    noise = JobQueued(job_id=card.job_id, task_id=card.job.task_id, kind="k", title="", attempt=1)

    def fill(entry: Entry) -> None:
        for _ in range(READ_AT_ONCE + 100):
            entry.tell(owner, noise.model_copy(update={"job_id": JobId("another")}))

    await ledger_of(world).write(fill)
    await reader.post(f"/dead/{card.job_id}/requeue")
    upto = world.hub.services.feed.position()
    back = await reader.post(f"/dead/unrequeue?after=0&upto={upto}")
    assert back.toast == "1 job is a dead letter again."


async def test_one_is_forgotten_after_being_asked(world: World, reader: Reader) -> None:
    card = await dead_letter(world, "weather.csv")
    asked = await reader.get(f"/dead/{card.job_id}/purge")
    assert "Forget describe weather.csv?" in asked.text
    done = await reader.post(f"/dead/{card.job_id}/purge")
    assert done.toast == "describe weather.csv was forgotten, here and on every computer."
    assert (await world.rest.get(f"/jobs/{card.job_id}")).status_code == 404


async def test_all_are_forgotten_after_being_asked(world: World, reader: Reader) -> None:
    for name in "abc":
        await dead_letter(world, f"{name}.csv")
    assert "Forget 3 dead letters?" in (await reader.get("/dead/purge")).text
    done = await reader.post("/dead/purge")
    assert done.toast == "3 dead letters forgotten, here and on every computer."
    assert "No job has run out of tries." in done.text


async def test_many_come_in_pages(world: World, reader: Reader) -> None:
    for number in range(52):
        await dead_letter(world, f"{number}.csv")
    first = await reader.get("/dead")
    [older] = [link for link in first.links if link.startswith("/dead?before=")]
    second = await reader.get(older)
    assert ("describe 51.csv" in first.text, "describe 1.csv" in first.text) == (True, False)
    assert "describe 1.csv" in second.text
    assert "describe 0.csv" in second.text


async def test_the_list_is_narrowed_by_kind_and_computer(world: World, reader: Reader) -> None:
    await dead_letter(world, "weather.csv")
    assert "describe weather.csv" in (await reader.get("/dead?kind=data.describe")).text
    narrow = await reader.get("/dead?kind=ml.train&worker=anna-pc")
    assert "There is no dead letter like this." in narrow.text
    # What acts on all of them is not beside a list of some.
    assert "/dead/purge" not in narrow.links
