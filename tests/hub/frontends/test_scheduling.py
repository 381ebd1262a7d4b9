"""Schedules in a chat: from /every to a run and its result in the same conversation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.schedule import Paused, Schedule
from hub.core.view import View
from shared.events import JobStarted
from shared.ids import ConversationId
from shared.jobs import Origin
from tests.hub.frontends.test_following import DESCRIBED, Talk
from tests.hub.frontends.test_outbox import HOME
from tests.hub.worlds import World
from tests.makers import ABLE

HOUR = 3600.0
GROUP = ConversationId("stage:group:7")
DAILY = "/every weekday 15:00 /describe sales.csv"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def talk(world: World) -> Talk:
    anna = await world.person()
    return Talk(world, anna, await world.desk(anna, capabilities=ABLE))


async def only(talk: Talk) -> Schedule:
    [schedule] = await talk.world.services.schedules.page(talk.person.person_id)
    return schedule


async def shown(talk: Talk) -> list[View]:
    """What the chat is shown from now on."""
    before = len(talk.stage.shown)
    await talk.show()
    return [view for _, view, _ in talk.stage.shown[before:]]


async def until_due(talk: Talk) -> None:
    schedule = await only(talk)
    assert schedule.next_at is not None
    talk.world.clock.advance((schedule.next_at - talk.world.clock.now()).total_seconds())
    await talk.world.services.schedules.run_once()


async def test_from_every_to_a_result_in_the_same_conversation(talk: Talk) -> None:
    assert await talk.say(DAILY) == []
    schedule = await only(talk)
    made = (await shown(talk))[-1]
    told = f"From now on: “/describe sales.csv” every weekday at 15:00 (#{schedule.short}). Next: "
    assert made.text.startswith(told)
    assert [button.label for button in made.buttons] == ["Pause", "Run now", "Delete"]

    await until_due(talk)
    grant = await talk.desk.take()
    job = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await talk.desk.report(JobStarted(**job))
    await talk.finish(grant, DESCRIBED)

    said = await shown(talk)
    assert said[-1].job_id == grant.job_id
    assert "sales.csv: 3 rows." in said[-1].text
    card = await talk.newest()
    assert (card.conversation, card.origin) == (HOME, Origin.CHAT)
    assert card.title == "describe sales.csv · every weekday at 15:00"
    await talk.world.services.schedules.run_once()
    assert (await only(talk)).failures == 0


async def test_what_was_missed_is_told_once_it_is_made_up_for(talk: Talk) -> None:
    await talk.say("/every hour /describe sales.csv")
    await shown(talk)
    talk.world.clock.advance(3.5 * HOUR)
    await talk.world.services.schedules.run_once()
    told = [view.text for view in await shown(talk)]
    short = (await only(talk)).short
    assert (
        f"3 runs of “/describe sales.csv” every hour (#{short}) were missed while the hub was off; "
        "ran once now." in told
    )


async def test_it_is_listed_paused_resumed_run_and_removed_by_four_characters(talk: Talk) -> None:
    [nothing] = await talk.say("/schedules")
    assert nothing.text.startswith("Nothing is scheduled.")
    await talk.say(DAILY)
    short = (await only(talk)).short
    [row] = await talk.say("/schedules")
    assert row.text.startswith(f"#{short} /describe sales.csv\nEvery weekday at 15:00. Next: ")
    assert [button.says for button in row.buttons] == [
        f"/pause {short}", f"/runnow {short}", f"/unschedule {short}",
    ]  # fmt: skip
    assert await talk.say(f"/pause #{short.lower()}") == []
    assert (await only(talk)).paused is Paused.PERSON
    [row] = await talk.say("/schedules")
    assert "It is paused." in row.text
    assert row.buttons[0].label == "Resume"
    await talk.say(f"/resume {short}")
    assert await talk.say(f"/runnow {short}") == []
    assert (await talk.newest()).title == "describe sales.csv · every weekday at 15:00"
    [busy] = await talk.say(f"/runnow {short}")
    assert "has not ended" in busy.text
    await talk.say(f"/unschedule {short}")
    assert await talk.world.services.schedules.page(None) == ()
    [gone] = await talk.say(f"/pause {short}")
    assert "There is no such schedule." in gone.text


async def test_what_makes_no_schedule_is_said_with_an_example(talk: Talk) -> None:
    for said, told in (
        ("/every", "For example: /every weekday 8:00"),
        ("/every monday /describe a.csv", "At what time?"),
        ("/every day 8:00", "What should be done then?"),
        ("/every day 8:00 ok", "too little to plan from"),
        ("/every 2 minutes /describe a.csv", "every 5 minutes is the most"),
        ("/every day 8:00 /every day 9:00 /describe a.csv", "asks no computer for anything"),
        ("/every day 8:00 /lock", "asks no computer for anything"),
    ):
        [view] = await talk.say(said)
        assert told in view.text, said
    assert await talk.world.services.schedules.page(None) == ()


async def test_plain_words_are_planned_then(talk: Talk) -> None:
    await talk.say("/every day 15:00 summarize what is new in Documents/acme")
    await until_due(talk)
    card = await talk.newest()
    assert (card.kind, card.inputs) == (
        "plan", {"task": "summarize what is new in Documents/acme"},
    )  # fmt: skip


async def test_what_is_scheduled_in_a_group_has_a_groups_rights(talk: Talk) -> None:
    await talk.say(DAILY, in_group=True, where=GROUP)
    await until_due(talk)
    card = await talk.newest()
    assert (card.origin, card.conversation) == (Origin.GROUP, GROUP)


async def test_a_person_names_their_time_zone(talk: Talk) -> None:
    [now] = await talk.say("/timezone")
    assert "Europe/Vienna" in now.text
    [chosen] = await talk.say("/timezone Asia/Kathmandu")
    assert chosen.text.startswith("Your time zone is Asia/Kathmandu now.")
    await talk.say("/every day 9:00 /describe sales.csv")
    assert (await only(talk)).zone == "Asia/Kathmandu"
    [wrong] = await talk.say("/timezone Atlantis")
    assert "There is no time zone 'Atlantis'." in wrong.text
    [back] = await talk.say("/timezone auto")
    assert "Europe/Vienna" in back.text
