"""The bell of open pages: what rings, for whom, and with which topics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx

from hub.core.fact import Fact
from hub.frontends.web.live import progress_words, topics_of
from shared.errors import ErrorBody
from shared.events import (
    Body,
    JobDied,
    JobLogged,
    JobQueued,
    JobStarted,
    QuestionAnswered,
    WorkerPaired,
)
from shared.ids import JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.messages import Progress
from shared.questions import Answer
from tests.hub.frontends.web.reader import Reader, a_reader, a_stranger
from tests.hub.frontends.world import WAIT_SECONDS, World, until

JOB, TASK = JobId("019aa000-0000-7000-8000-000000000001"), TaskId("t1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(body: Body, device: str = "hub") -> Fact:
    told = body.model_dump(mode="json")
    kind = told.pop("type")
    return Fact(
        hub_seq=1,
        person_id=PersonId("p1"),
        device=device,
        epoch=1,
        seq=1,
        at=AT,
        type=kind,
        version=1,
        entity=str(told.get("job_id", "")),
        payload=told,
    )


def test_a_topic_names_a_sort_of_things_or_one_thing() -> None:
    queued = JobQueued(job_id=JOB, task_id=TASK, kind="ml.train", title="", attempt=0)
    assert set(topics_of(fact(queued))) == {"activity", "jobs", f"job:{JOB}", "task:t1"}
    started = JobStarted(job_id=JOB, attempt=1, fence=1)
    assert set(topics_of(fact(started, "w1"))) == {"activity", "jobs", f"job:{JOB}", "worker:w1"}
    answered = QuestionAnswered(
        question_id=QuestionId("q1"),
        job_id=JOB,
        answer=Answer(value="yes", by="anna"),
    )
    assert {"questions", "jobs", "question:q1"} <= set(topics_of(fact(answered)))
    paired = WorkerPaired(worker_id=WorkerId("w1"), name="anna-pc")
    assert {"workers", "worker:w1"} <= set(topics_of(fact(paired)))


def test_what_is_given_up_or_tried_again_rings_where_dead_letters_are_counted() -> None:
    again = JobQueued(
        job_id=JOB, task_id=TASK, kind="ml.train", title="", attempt=0, reason="requeued"
    )
    died = JobDied(job_id=JOB, error=ErrorBody(code="x", message="x"))
    assert "dead" in set(topics_of(fact(again))) & set(topics_of(fact(died)))


def test_lines_of_a_log_ring_for_that_log_alone() -> None:
    logged = JobLogged(job_id=JOB, attempt=1, fence=1, lines=("one",))
    assert list(topics_of(fact(logged, "w1"))) == [f"log:{JOB}"]


def test_progress_is_told_in_a_line() -> None:
    told = Progress(job_id=JOB, attempt=1, stage="models", done=3, total=5, eta_seconds=12)
    assert progress_words(told) == "3 of 5 models, 12 s left"
    assert progress_words(Progress(job_id=JOB, attempt=1, stage="x", done=0, total=0)) == "x"


async def notes(stream: httpx.Response) -> AsyncIterator[tuple[str, str, dict[str, object]]]:
    """The messages of a stream: id, event, data."""
    said: dict[str, str] = {}
    async for line in stream.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            said[name] = value
        elif "data" in said:
            yield said.get("id", ""), said["event"], json.loads(said["data"])
            said = {}


async def until_progress(
    stream: httpx.Response,
) -> AsyncIterator[tuple[str, str, dict[str, object]]]:
    async for note in notes(stream):
        yield note
        if note[1] == "progress":
            return


async def test_what_happens_rings_with_its_place(reader: Reader, world: World) -> None:
    page = await reader.get("/")
    live = page.html.partition('data-live="')[2].partition('"')[0]
    await world.rest.post("/tasks", json={"kind": "ml.models"})
    async with asyncio.timeout(WAIT_SECONDS), reader.client.stream("GET", live) as stream:
        place, event, told = await anext(notes(stream))
    assert event == "news"
    assert int(place) > int(live.partition("after=")[2])
    assert "activity" in told["topics"]  # type: ignore[operator]


async def test_nobody_hears_the_bell_of_somebody_else(world: World) -> None:
    ben = await world.hub.services.registry.add_person("ben")
    worker = await world.pair()
    async with (
        asyncio.timeout(WAIT_SECONDS),
        worker.online(),
        a_reader(world.hub, ben.person_id) as reader,
        reader.client.stream("GET", "/live?after=0") as stream,
    ):
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.tells(grant, 1)
        # Ben's own news come, and nothing of the owner's before them.
        await world.hub.services.registry.lock(ben.person_id, "a test")
        _, event, told = await anext(notes(stream))
    assert (event, told["topics"]) == ("news", ["activity", "people"])


async def test_progress_comes_without_a_place(reader: Reader, world: World) -> None:
    worker = await world.pair()
    async with asyncio.timeout(WAIT_SECONDS), worker.online():
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        grant = await worker.any_grant()
        await worker.starts(grant)
        async with reader.client.stream("GET", "/live") as stream:
            await worker.tells(grant, 3)
            told = [note async for note in until_progress(stream)][-1]
    assert told[0] == ""
    assert (told[2]["job"], told[2]["says"]) == (grant.job_id, "3 of 10 models")


async def test_a_page_that_opens_late_hears_how_far_a_job_is(reader: Reader, world: World) -> None:
    worker = await world.pair()
    async with asyncio.timeout(WAIT_SECONDS), worker.online():
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.tells(grant, 3)
        await until(lambda: world.hub.services.feed.progress_of(grant.job_id) is not None)
        async with reader.client.stream("GET", "/live") as stream:
            told = [note async for note in until_progress(stream)][-1]
    assert told[2]["says"] == "3 of 10 models"


async def test_a_stranger_hears_nothing(world: World) -> None:
    async with a_stranger(world.hub) as reader:
        assert (await reader.get("/live")).status in (401, 403)
