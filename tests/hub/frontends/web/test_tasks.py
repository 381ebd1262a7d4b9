"""The list of tasks over HTTP: what it shows, and what its address asks for."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest

from shared.errors import ErrorBody
from shared.ids import JobId, short
from tests.hub.frontends.web.reader import Read, Reader, a_reader
from tests.hub.frontends.world import PuppetWorker, World, until

GONE = ErrorBody(code="file_gone", message="sales.csv is <b>gone</b>.", hint="Bring it back.")
_ROW = re.compile(r'<tr id="task-.*?</tr>', re.DOTALL)


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


async def ask(world: World, kind: str = "ml.train", **told: object) -> JobId:
    inputs = told.pop("inputs", {"file": "sales.csv"})
    made = await world.rest.post("/tasks", json={"kind": kind, "inputs": inputs, **told})
    assert made.status_code == 201, made.text
    return JobId(made.json()["job_id"])


async def fail(world: World, worker: PuppetWorker, error: ErrorBody = GONE) -> JobId:
    job_id = await ask(world)
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await worker.fails(grant, error)
    await until(lambda: worker.acked == len(worker.log))
    return job_id


def rows(page: Read) -> list[str]:
    return [html.unescape(re.sub(r"<[^>]*>", " ", row)) for row in _ROW.findall(page.html)]


def files(page: Read) -> list[str]:
    """What the rows are about, which no clock changes."""
    return [file for row in rows(page) for file in re.findall(r"train (\S+)", row)]


async def test_an_empty_list_teaches_what_comes_here(reader: Reader) -> None:
    page = await reader.get("/")
    assert "Nothing was asked for yet." in page.text
    assert "/tasks/new" in page.links


async def test_a_row_says_why_it_waits_and_where_it_was_asked(world: World, reader: Reader) -> None:
    job_id = await ask(world, priority="high")
    [row] = rows(await reader.get("/"))
    assert "Waiting" in row
    assert "train sales.csv" in row
    assert "No computer is connected" in row
    assert f"#{short(job_id)} · over the API · high priority" in row


async def test_a_failure_shows_its_reason_and_a_way_on(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    job_id = await fail(world, worker)
    page = await reader.get("/")
    assert "sales.csv is <b>gone</b>." in rows(page)[0]
    assert "&lt;b&gt;gone" in page.html
    page = await reader.post(f"/jobs/{job_id}/retry?back=/%3Fstate%3Dfailed")
    assert page.path == "/?state=failed"
    assert page.toast == "Queued again: train sales.csv"
    assert rows(page) == []


async def test_a_job_that_waits_is_cancelled_from_its_row(world: World, reader: Reader) -> None:
    job_id = await ask(world)
    page = await reader.post(f"/jobs/{job_id}/cancel?back=//elsewhere.example")
    assert page.path == f"/jobs/{job_id}" or "elsewhere" not in page.path
    assert "Cancelled" in rows(await reader.get("/"))[0]
    page = await reader.post(f"/jobs/{job_id}/retry?back=/")
    assert page.toast == "The job was cancelled."


async def test_progress_stands_in_the_row(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    job_id = await ask(world)
    grant = await worker.grant_of(job_id)
    await worker.starts(grant)
    await worker.tells(grant, 3, 5)
    await until(lambda: world.hub.services.feed.progress_of(job_id) is not None)
    page = await reader.get("/")
    assert "3 of 5 models" in rows(page)[0]
    assert f'data-progress-job="{job_id}"' in page.html
    await worker.succeeds(grant, {"headline": "Done."})
    await until(lambda: worker.acked == len(worker.log))
    assert world.hub.services.feed.progress_of(job_id) is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=failed", 1),
        ("state=waiting", 1),
        ("state=done", 0),
        ("kind=files.head", 1),
        ("q=churn", 1),
        ("q=churn+zebra", 0),
        ("origin=api", 2),
        ("origin=chat", 0),
        ("priority=low", 1),
        ("since=2020-01-01&until=2020-01-31", 0),
        ("since=2020-01-01", 2),
        ("sort=oldest", 2),
        ("sort=updated&state=failed", 1),
    ],
)
async def test_the_address_says_which_rows(
    world: World, reader: Reader, worker: PuppetWorker, query: str, found: int
) -> None:
    await fail(world, worker)
    # Nobody here can do it, so it stays where it is.
    await ask(world, "files.head", inputs={"file": "churn.csv"}, priority="low")
    page = await reader.get(f"/?{query}")
    assert len(rows(page)) == found
    if not rows(page):
        assert "No task is like that." in page.text


async def test_a_filter_is_taken_away_by_its_chip(world: World, reader: Reader) -> None:
    await ask(world)
    page = await reader.get("/?q=sales&kind=ml.train&sort=oldest")
    assert "“sales” remove this filter ml.train remove this filter" in page.text
    assert "/?kind=ml.train&sort=oldest" in page.links
    assert "/?q=sales&sort=oldest" in page.links


@pytest.mark.parametrize(
    "query", ["state=odd", "sort=odd", "since=odd", "worker=odd", "priority=odd", "cursor=odd"]
)
async def test_what_nobody_can_filter_by_is_told(reader: Reader, query: str) -> None:
    page = await reader.get(f"/?{query}")
    assert page.status == 422
    assert "cannot be" in page.html


async def test_pages_lead_to_older_rows_and_back(world: World, reader: Reader) -> None:
    for number in range(35):
        await ask(world, inputs={"file": f"{number}.csv"})
    first = await reader.get("/")
    assert len(rows(first)) == 30
    [older] = [link for link in first.links if "cursor=f" in link]
    second = await reader.get(older)
    assert files(second) == ["4.csv", "3.csv", "2.csv", "1.csv", "0.csv"]
    [newer] = [link for link in second.links if "cursor=b" in link]
    assert files(await reader.get(newer)) == files(first)


async def test_the_tasks_of_others_are_the_owners_to_see_when_they_ask(
    world: World, reader: Reader
) -> None:
    job_id = await ask(world)
    boris = await world.hub.services.registry.add_person("boris")
    async with a_reader(world.hub, boris.person_id) as other:
        assert rows(await other.get("/")) == []
        assert rows(await other.get("/?who=everyone")) == []
        assert (await other.post(f"/jobs/{job_id}/cancel")).status == 404
    [row] = rows(await reader.get("/?who=everyone"))
    assert "me’s" in row
    assert rows(await reader.get(f"/?who=everyone&person={boris.person_id}")) == []
