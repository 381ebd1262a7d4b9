"""Schedules over REST: made, listed, held, run and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.hub.frontends.test_api import problem
from tests.hub.frontends.world import World, open_world

NEW = {"when": "every weekday 8:00", "words": "/describe sales.csv", "zone": "Asia/Kathmandu"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def make(world: World, **fields: str) -> dict[str, Any]:
    answer = await world.rest.post("/schedules", json=NEW | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/api/v1/schedules/{made['schedule_id']}"
    return made


async def test_what_is_made_is_told_with_its_next_time_and_listed(world: World) -> None:
    first = await make(world)
    second = await make(world, when="0 */2 * * *", missed="skip")
    assert (first["cron"], first["when"]) == ("0 8 * * 1-5", "every weekday at 8:00")
    assert first["next_at"].endswith("T02:15:00Z")
    assert (second["missed"], second["made_by"]) == ("skip", "me on the API")
    page = (await world.rest.get("/schedules", params={"limit": 1})).json()
    assert [one["schedule_id"] for one in page["schedules"]] == [second["schedule_id"]]
    rest = (await world.rest.get("/schedules", params={"cursor": page["next_cursor"]})).json()
    assert rest["schedules"] == [first]


async def test_it_is_held_let_go_on_run_and_removed(world: World) -> None:
    made = await make(world)
    place = f"/schedules/{made['schedule_id']}"
    held = (await world.rest.post(f"{place}/pause")).json()
    assert (held["is_paused"], held["paused"], held["next_at"]) == (True, "person", None)
    assert (await world.rest.post(f"{place}/resume")).json() == made
    begun = await world.rest.post(f"{place}/run")
    job = (await world.rest.get(f"/jobs/{begun.json()['job_id']}")).json()
    assert job["title"] == "describe sales.csv · every weekday at 8:00"
    again = await world.rest.post(f"{place}/run")
    problem(again, 409, "schedule_running")
    assert (await world.rest.delete(place)).status_code == 204
    gone = await world.rest.get(place)
    problem(gone, 404, "schedule_unknown")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"when": "soon"}, "schedule_words"),
        ({"when": "* * * * *"}, "schedule_too_often"),
        ({"zone": "Nowhere"}, "zone_unknown"),
        ({"words": "/jobs"}, "schedule_makes_no_job"),
    ],
)
async def test_what_makes_no_sense_is_said(world: World, fields: dict[str, str], code: str) -> None:
    answer = await world.rest.post("/schedules", json=NEW | fields)
    problem(answer, 422, code)


async def test_a_schedule_is_made_once_under_its_key(world: World) -> None:
    headers = {"Idempotency-Key": "nightly"}
    first = await world.rest.post("/schedules", json=NEW, headers=headers)
    again = await world.rest.post("/schedules", json=NEW, headers=headers)
    assert first.json() == again.json()
    assert len((await world.rest.get("/schedules")).json()["schedules"]) == 1
