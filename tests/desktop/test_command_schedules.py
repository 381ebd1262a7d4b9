"""`deskhand schedules`: listed as they were told, made and held through the hub."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from desktop.store import outbox
from desktop.system.hardware import zone_name
from shared.database import peek
from shared.events import ScheduleAsked, ScheduleChanged, body_of
from shared.ids import ScheduleId, short
from shared.schedules import ScheduleFacts
from tests.desktop.command_world import Profile, beside, profile, running

__all__ = ["profile"]

PLACE = ScheduleId("01900000-0000-7000-8000-00000000e001")
DAILY = ScheduleFacts(
    schedule_id=PLACE, words="/predict churn new.csv", when="every day at 8:00",
    cron="0 8 * * *", zone="Asia/Kathmandu", next_at=datetime(2026, 11, 21, 2, 15, tzinfo=UTC),
)  # fmt: skip


def told(profile: Profile, schedule: ScheduleFacts = DAILY) -> None:
    profile.happens(ScheduleChanged(schedule=schedule, change="created", by="a"), device="hub")


def said(profile: Profile) -> list[object]:
    with peek(profile.paths.store) as connection:
        return [body_of(event) for event in outbox.read(connection, start=1, count_max=100)]


def test_they_are_listed_with_when_they_come_next(profile: Profile) -> None:
    assert "Nothing is scheduled." in profile.answer("schedules")
    told(profile)
    shown = profile.answer("schedules")
    assert f"#{short(PLACE)} /predict churn new.csv" in shown
    assert "every day at 8:00 in Asia/Kathmandu; next " in shown
    [one] = json.loads(profile.answer("schedules", "--json"))
    assert (one["id"], one["next_at"], one["is_paused"]) == (PLACE, "2026-11-21T02:15:00Z", False)


def test_one_that_is_held_says_why(profile: Profile) -> None:
    held = {"paused": "failing", "why": "It failed 3 times in a row.", "next_at": None}
    told(profile, DAILY.model_copy(update=held))
    assert "paused. It failed 3 times in a row." in profile.answer("schedules")


def test_one_is_made_and_held_without_a_hub(profile: Profile) -> None:
    profile.answer("schedules", "add", "every day 8:00", "/models")
    told(profile)
    profile.answer("schedules", "pause", short(PLACE))
    made, held = said(profile)
    assert isinstance(made, ScheduleAsked)
    assert isinstance(held, ScheduleAsked)
    assert (made.action, made.when, made.words, made.zone) == (
        "create", "every day 8:00", "/models", zone_name(),
    )  # fmt: skip
    assert (held.action, held.schedule_id) == ("pause", PLACE)
    shown = profile.answer("schedules")
    assert "pause waits for the hub" in shown
    assert "create waits for the hub" in shown


@pytest.mark.parametrize("action", ["resume", "run", "delete"])
async def test_the_running_program_asks_the_hub(profile: Profile, action: str) -> None:
    told(profile)
    async with running(profile) as desk:
        code, shown, _ = await beside(profile, "schedules", action, short(PLACE))
        assert (code, short(PLACE) in shown) == (0, True)
        asked = desk.said.get_nowait()
    assert isinstance(asked, ScheduleAsked)
    assert (asked.schedule_id, asked.action) == (PLACE, action)


@pytest.mark.parametrize(
    ("words", "told_of"),
    [
        (("add",), "needs when and what"),
        (("add", "every day 8:00"), "needs when and what"),
        (("add", "w" * 300, "x"), "characters fit"),
        (("pause", "ZZZZ"), "no such schedule"),
        (("pause",), "no such schedule"),
    ],
)
def test_what_is_missing_is_said(profile: Profile, words: tuple[str, ...], told_of: str) -> None:
    code, _, complaint = profile.run("schedules", *words)
    assert code != 0
    assert told_of in complaint
