"""The page of schedules."""

from __future__ import annotations

from hub.core.schedule import Paused
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.web.seeds import owner_of, scheduled
from tests.hub.frontends.world import World

WEEKDAYS = {"words": "/describe sales.csv", "when": "every weekday 8:00", "zone": "Europe/Vienna"}


async def test_without_schedules_the_page_says_what_they_are_for(reader: Reader) -> None:
    assert "Nothing is scheduled. Say what is to be done" in (await reader.get("/schedules")).text


async def test_a_schedule_is_made_and_shown_with_its_next_time(
    world: World, reader: Reader
) -> None:
    made = await reader.post("/schedules", **WEEKDAYS, missed="skip")
    assert made.toast == "Every weekday at 8:00: /describe sales.csv"
    assert "On /describe sales.csv Every weekday at 8:00" in made.text
    assert "Next " in made.text
    assert "never" in made.text
    [one] = await world.hub.services.schedules.page(None)
    assert (one.conversation, one.missed) == (f"web:{await owner_of(world)}", "skip")


async def test_a_form_shows_the_next_five_times_before_it_is_sent(reader: Reader) -> None:
    for page in (
        await reader.post("/schedules", **WEEKDAYS, do="preview"),
        await reader.get("/schedules", when="0 8 * * 1-5", zone="Europe/Vienna"),
    ):
        assert "Every weekday at 8:00" in page.text
        assert page.html.count("<li><time") == 5
    nothing = await reader.get("/schedules")
    assert "The next five" not in nothing.text


async def test_what_is_wrong_is_said_and_what_was_typed_stays(reader: Reader) -> None:
    page = await reader.post("/schedules", words="/describe <b>x</b>.csv", when="now and then")
    assert page.status == 400
    assert "I cannot tell when from 'now and then'. For example: every weekday 8:00" in page.text
    assert "/describe &lt;b&gt;x&lt;/b&gt;.csv</textarea>" in page.html
    often = await reader.get("/schedules", when="every 2 minutes")
    assert "every 5 minutes is the most" in often.text


async def test_it_is_paused_resumed_run_and_deleted(world: World, reader: Reader) -> None:
    one = await scheduled(world)
    place = f"/schedules/{one.schedule_id}"
    paused = await reader.post(f"{place}/pause")
    assert paused.toast == "The schedule is paused."
    assert f"{place}/resume" in paused.html
    assert (await reader.post(f"{place}/resume")).toast == "The schedule goes on."
    begun = await reader.post(f"{place}/run")
    assert begun.toast == "It was begun now; its times stay."
    assert "predict churn new.csv · every weekday at 8:00" in begun.text
    again = await reader.post(f"{place}/run")
    assert "has not ended" in again.text
    gone = await reader.post(f"{place}/delete")
    assert gone.toast.startswith("The schedule was deleted.")
    assert "/predict churn" not in gone.text


async def test_one_that_the_hub_holds_says_why(world: World, reader: Reader) -> None:
    await scheduled(world)
    page = await reader.get("/schedules")
    assert "It failed 3 times in a row." in page.text
    assert "It was paused by its person." in page.text
    held = [one for one in await world.hub.services.schedules.page(None) if one.paused]
    assert {one.paused for one in held} == {Paused.FAILING, Paused.PERSON}
