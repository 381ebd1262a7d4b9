"""What happened, and who did what."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hub.frontends.web.pages.activity import by_day
from hub.frontends.web.pages.audit import COLUMNS, as_csv, harmless
from hub.frontends.web.telling import SORTS, Line
from hub.store.chronicle import WORK
from shared.events import KNOWN_TYPES
from tests.hub.frontends.web.reader import Reader, a_reader
from tests.hub.frontends.web.seeds import dead_letter
from tests.hub.frontends.world import World, until

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def line(at: datetime = NOON, says: str = "Queued", **more: str) -> Line:
    told = {"subject": "", "href": "", "who": "", "where": "", "owner": "anna", **more}
    return Line(hub_seq=1, at=at, type="job_queued", tone="plain", icon="info", says=says, **told)


def test_every_type_of_event_belongs_somewhere() -> None:
    told = {type_ for _, types in SORTS.values() for type_ in types}
    assert told - KNOWN_TYPES == set()
    assert KNOWN_TYPES - told == {"job_logged"}
    assert set(WORK) - KNOWN_TYPES == set()


def test_days_are_those_of_the_readers_clock() -> None:
    told = [line(NOON), line(NOON - timedelta(hours=13)), line(NOON - timedelta(days=400))]
    utc = by_day(told, NOON, UTC)
    assert [day for day, _ in utc] == ["Today", "Yesterday", "Monday, 27 January 2025"]
    tokyo = by_day(told, NOON, ZoneInfo("Asia/Tokyo"))
    assert [day for day, _ in tokyo] == ["Today", "Monday, 27 January 2025"]
    assert [time for time, _ in tokyo[0][1]] == ["21:00", "08:00"]


def test_what_is_told_late_stands_where_it_happened() -> None:
    told = [line(NOON - timedelta(hours=2), "late"), line(NOON, "now")]
    [(_, lines)] = by_day(told, NOON, UTC)
    assert [one.says for _, one in lines] == ["now", "late"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_begins_a_formula(start: str) -> None:
    cell = f'{start}HYPERLINK("https://x.example","y")'
    assert harmless(cell) == f"'{cell}"
    [row] = csv.reader(io.StringIO(as_csv([line(says=cell, who=cell, subject=cell)]), newline=""))
    assert all(not value.startswith(start) for value in row)


async def test_an_empty_log_says_so(world: World) -> None:
    ben = await world.hub.services.registry.add_person("ben")
    async with a_reader(world.hub, ben.person_id) as reader:
        page = await reader.get("/activity", sort="files")
        assert "Nothing of that sort has happened yet." in page.text


async def test_activity_tells_jobs_in_words_with_links(world: World, reader: Reader) -> None:
    worker = await world.pair()
    async with worker.online():
        body = {"kind": "data.describe", "inputs": {"file": "a.csv"}}
        made = (await world.rest.post("/tasks", json=body)).json()
        grant = await worker.grant_of(made["job_id"])
        await worker.starts(grant)
        await until(lambda: worker.acked == len(worker.log))
    page = await reader.get("/activity")
    assert "Today" in page.text
    for words in (
        "describe a.csv · Started on anna-pc", "describe a.csv · Given to anna-pc",
        "Asked for: describe a.csv", "anna-pc was paired",
    ):  # fmt: skip
        assert words in page.text, words
    assert f"/jobs/{made['job_id']}" in page.links
    assert f"/workers/{worker.worker_id}" in page.links
    assert "Started" not in (await reader.get("/activity", sort="workers")).text
    of_worker = await reader.get("/activity", worker=worker.worker_id)
    assert "Started on anna-pc" in of_worker.text
    assert "Asked for" not in of_worker.text


async def test_activity_goes_on_in_pages_without_gaps(world: World, reader: Reader) -> None:
    for number in range(30):
        await world.rest.post("/tasks", json={"kind": "ml.models", "title": f"task {number}"})
    seen, path = [], "/activity?sort=jobs"
    for _ in range(10):
        page = await reader.get(path)
        seen.append(page.text)
        older = [link for link in page.links if "before=" in link]
        if not older:
            break
        path = older[0]
    told = " ".join(seen)
    assert all(told.count(f"task {n} · Queued") == 1 for n in range(30))


async def test_the_audit_says_who_did_what_and_from_where(world: World, reader: Reader) -> None:
    worker = await world.pair()
    made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
    await world.rest.post(f"/jobs/{made['job_id']}/cancel")
    await reader.post(f"/workers/{worker.worker_id}/out")
    page = await reader.get("/audit")
    assert "You on the web" not in page.text
    assert "anna-pc was shown out by you on the web me on the web" in page.text
    assert "You on the API asked to stop it me on the API" in page.text
    assert "Asked for: models me on the API" in page.text
    assert "Queued" not in page.text


async def test_the_whole_audit_is_taken_along(world: World, reader: Reader) -> None:
    await world.rest.post("/tasks", json={"kind": "ml.models", "title": "=1+1"})
    await dead_letter(world, "a.csv")
    sheet = (await reader.get("/audit.csv")).response
    assert sheet.headers["content-type"] == "text/csv; charset=utf-8"
    assert sheet.headers["content-disposition"] == 'attachment; filename="deskhand-audit.csv"'
    rows = list(csv.DictReader(io.StringIO(sheet.text, newline="")))
    assert tuple(rows[0]) == COLUMNS
    told = (await reader.get("/audit.jsonl")).response.text.splitlines()
    objects = [json.loads(one) for one in told]
    assert [row["number"] for row in rows] == [one["number"] for one in objects]
    assert sum(one["event"] == "task_created" for one in objects) == 2
    assert {one["who"] for one in objects if one["event"] == "task_created"} == {"me"}
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert any(one["about"] == "=1+1" for one in objects)
