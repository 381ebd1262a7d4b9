"""The page of one job over HTTP: its way, its log, its result, and what may be done with it."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import JsonValue

from hub.services.requests import Request
from shared.events import JobLogged
from shared.ids import QuestionId, short
from shared.jobs import JobState
from shared.kinds import FileRef, JsonObject
from shared.messages import Grant
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.web.reader import Read, Reader, a_reader
from tests.hub.frontends.web.test_tasks import ask, fail, rows
from tests.hub.frontends.world import PuppetWorker, World, until

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000007")
ZONE = Asking(
    key="zone",
    kind=QuestionKind.CLARIFICATION,
    text="Which zone?",
    choices=(Choice(value="utc", label="UTC"), Choice(value="local", label="Local time")),
)
PICTURE = b"\x89PNG\r\n\x1a\n and so on"
PLOT = FileRef(
    name="residuals & <more>.png",
    sha256=hashlib.sha256(PICTURE).hexdigest(),
    size_bytes=len(PICTURE),
    media_type="image/png",
)
_STEP = re.compile(r'<ol class="timeline">(.*?)</ol>', re.DOTALL)
_LINE = re.compile(r'<li id="L(\d+)"[^>]*>(.*?)</li>', re.DOTALL)


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    async with paired.online():
        yield paired


async def begin(world: World, worker: PuppetWorker, kind: str = "ml.train") -> Grant:
    grant = await worker.grant_of(await ask(world, kind))
    await worker.starts(grant)
    await settled(worker)
    return grant


async def settled(worker: PuppetWorker) -> None:
    await until(lambda: worker.acked == len(worker.log))


async def logs(worker: PuppetWorker, grant: Grant, *lines: str) -> None:
    worker.writes(
        JobLogged(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, lines=lines)
    )
    await worker._push()
    await settled(worker)


def steps(page: Read) -> str:
    found = _STEP.search(page.html)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1] if found else "")).split())


def lines(text: str) -> dict[int, str]:
    return {int(n): html.unescape(re.sub(r"<[^>]*>", "", line)) for n, line in _LINE.findall(text)}


async def test_a_short_name_leads_to_the_page(world: World, reader: Reader) -> None:
    job_id = await ask(world)
    page = await reader.get(f"/jobs/{short(job_id).lower()}")
    assert page.path == f"/jobs/{job_id}"
    assert "<title>Waiting: train sales.csv" in page.html
    assert "No computer is connected." in page.text


async def test_its_way_is_told_step_by_step(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker, "data.describe")
    await worker.asks(grant, ZONE, QUESTION)
    await settled(worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert "Which zone?" in page.text
    assert 'value="local"' in page.html
    await reader.post(f"/questions/{QUESTION}/answer", reply="local")
    result: JsonObject = {
        "headline": "Read <it>.",
        "notes": ["⚠ One gap."],
        "rows": 7043,
        "columns": [],
    }
    await worker.succeeds(grant, result)
    await settled(worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    told = steps(page)
    wanted = (
        "Queued", "Given to anna-pc", "Started on anna-pc", "Asked: Which zone?",
        "Answered by you on the web: Local time", "Done in 1 s",
    )  # fmt: skip
    assert [told.index(step) for step in wanted] == sorted(told.index(step) for step in wanted)
    assert "Read <it>. ⚠ One gap. Figures Rows 7,043" in page.text
    assert "Which zone? Local time you on the web" in page.text


async def test_a_failure_says_what_to_do_and_a_second_try_is_counted(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    job_id = await fail(world, worker)
    page = await reader.get(f"/jobs/{job_id}")
    assert "sales.csv is <b>gone</b>. Bring it back." in page.text
    page = await reader.post(f"/jobs/{job_id}/retry")
    assert page.path == f"/jobs/{job_id}"
    await until(lambda: worker.grants[job_id].fence == 2)
    await worker.starts(worker.grants[job_id])
    await settled(worker)
    told = steps(await reader.get(f"/jobs/{job_id}"))
    assert "Queued again by hand" in told
    assert "Given to anna-pc Try 2" in told


async def test_a_log_shows_its_lines_harmless_and_in_colour(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert lines(page.html) == {}
    await logs(worker, grant, "\x1b[1;31mred\x1b[0m & <b>plain</b>", "\x1b]0;title\x07ok\x1b[2K")
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert lines(page.html) == {1: "red & <b>plain</b>", 2: "ok"}
    assert '<span class="ansi-bold ansi-red">red</span>' in page.html
    whole = await reader.get(f"/jobs/{grant.job_id}/log.txt")
    assert whole.html == "red & <b>plain</b>\nok\n"
    assert whole.response.headers["content-disposition"].startswith("attachment")


async def test_only_new_lines_are_fetched(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker)
    await logs(worker, grant, "one", "two")
    page = await reader.get(f"/jobs/{grant.job_id}")
    [more] = re.findall(r'id="log-more"[^>]*hx-get="([^"]*)"', page.html)
    await logs(worker, grant, "three")
    part = await reader.get(html.unescape(more))
    assert lines(part.html) == {3: "three"}
    [again] = re.findall(r'hx-get="([^"]*)"', part.html)
    assert lines((await reader.get(html.unescape(again))).html) == {}


async def test_a_log_is_searched(world: World, reader: Reader, worker: PuppetWorker) -> None:
    grant = await begin(world, worker)
    await logs(worker, grant, *(f"epoch {n}: loss <{n}>" for n in range(50)))
    page = await reader.get(f"/jobs/{grant.job_id}", find="LOSS <4")
    assert list(lines(page.html)) == [5, *range(41, 51)]
    assert "11 lines with “LOSS <4”" in page.text
    assert '<mark class="">loss &lt;4</mark>' in page.html
    page = await reader.get(f"/jobs/{grant.job_id}", find="zebra")
    assert "0 lines with “zebra”" in page.text


async def test_buttons_of_a_result_ask_for_the_same_job_as_in_a_chat(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker, "ml.predict")
    result: JsonObject = {
        "headline": "Predicted.",
        "model_id": "m",
        "rows": 3,
        "written": "out.csv",
    }
    await worker.succeeds(grant, {**result, "files": ["out.csv"]})
    await settled(worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert "out.csv on anna-pc" in page.text
    assert "Rows 3" in page.text
    page = await reader.post(f"/jobs/{grant.job_id}/further/0")
    card = await world.hub.services.views.find_job(None, page.path.rpartition("/")[2])
    assert (card.kind, card.inputs) == ("files.send", {"file": f"#{grant.job_id}"})
    assert card.job.pinned_to == worker.worker_id
    assert (await reader.post(f"/jobs/{grant.job_id}/further/7")).status == 404


async def test_a_picture_is_shown_when_it_has_arrived_and_to_nobody_else(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker, "files.send")
    sends: list[JsonValue] = [PLOT.model_dump(mode="json")]
    await worker.succeeds(grant, {"headline": "Here they are.", "sends": sends})
    await settled(worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert f"residuals & <more>.png {len(PICTURE)} bytes · on its way" in page.text
    address = f"/jobs/{grant.job_id}/files/{PLOT.sha256}"
    assert (await reader.get(address)).status == 404
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        put = await client.put(
            f"{world.url}/api/v1/files/{PLOT.sha256}",
            content=PICTURE,
            headers={"Authorization": f"Bearer {worker.token}"},
        )
    assert put.status_code in (200, 201, 204), put.text
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert f'<img class="plot" src="{address}"' in page.html
    got = await reader.get(address)
    assert got.response.content == PICTURE
    assert got.response.headers["content-type"] == "image/png"
    boris = await world.hub.services.registry.add_person("boris")
    async with a_reader(world.hub, boris.person_id) as other:
        for path in ("", "/log", "/log.txt", f"/files/{PLOT.sha256}"):
            assert (await other.get(f"/jobs/{grant.job_id}{path}")).status == 404


async def test_a_waiting_job_is_given_to_another_computer(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    other = await world.pair("studio-mac")
    job_id = await ask(world, worker="studio-mac")
    page = await reader.get(f"/jobs/{job_id}")
    assert "studio-mac is asleep or offline" in page.text
    page = await reader.post(f"/jobs/{job_id}/move", worker="anna-pc")
    assert page.toast == "It waits for anna-pc now."
    await worker.starts(await worker.grant_of(job_id))
    await settled(worker)
    page = await reader.post(f"/jobs/{job_id}/move", worker=other.name)
    assert "Only a waiting job can go to another computer" in page.toast


async def test_stopping_is_told_until_it_has_stopped(
    world: World, reader: Reader, worker: PuppetWorker
) -> None:
    grant = await begin(world, worker)
    page = await reader.post(f"/jobs/{grant.job_id}/cancel")
    assert page.toast == "Stopping: train sales.csv"
    assert "me on the web asked to stop it" in page.text
    await worker.stops(grant)
    await settled(worker)
    page = await reader.get(f"/jobs/{grant.job_id}")
    assert "<title>Cancelled" in page.html


async def test_what_has_ended_can_be_forgotten(world: World, reader: Reader) -> None:
    job_id = await ask(world)
    page = await reader.post(f"/jobs/{job_id}/purge")
    assert "have not ended" in page.toast
    await reader.post(f"/jobs/{job_id}/cancel")
    page = await reader.post(f"/jobs/{job_id}/purge")
    assert (page.path, page.toast) == ("/", "Forgotten: train sales.csv")
    assert (await reader.get(f"/jobs/{job_id}")).status == 404


async def test_a_task_leads_to_its_job_or_lists_them(world: World, reader: Reader) -> None:
    job_id = await ask(world)
    card = await world.hub.services.views.job(None, job_id)
    page = await reader.get(f"/tasks/{card.job.task_id}")
    assert page.path == f"/jobs/{job_id}"
    assert card.state is JobState.QUEUED
    follow_up = Request(
        person_id=card.job.person_id,
        kind="data.describe",
        inputs={"file": "more.csv"},
        task_id=card.job.task_id,
    )
    second = (await world.hub.services.intake.request(follow_up)).card
    page = await reader.get(f"/tasks/{card.job.task_id}")
    assert "describe more.csv" in page.text
    assert {f"/jobs/{job_id}", f"/jobs/{second.job_id}"} <= set(page.links)
    assert "All 2 jobs of this task" in (await reader.get(f"/jobs/{job_id}")).text
    [row] = rows(await reader.get("/"))
    assert "describe more.csv" in row
    assert "2 jobs" in row
    boris = await world.hub.services.registry.add_person("boris")
    async with a_reader(world.hub, boris.person_id) as other:
        assert (await other.get(f"/tasks/{card.job.task_id}")).status == 404
        assert (await other.post(f"/jobs/{job_id}/purge")).status == 404
