"""Streams of events: nothing is missed, nobody hears of others, slow readers cost nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.app import Hub
from hub.core.fact import Fact
from hub.frontends import sse
from hub.frontends.sse import Note, OnceWorded, Reading
from hub.services.feed import TASK_PURGED
from shared.ids import PersonId
from tests.hub.frontends.test_api import problem
from tests.hub.frontends.world import WAIT_SECONDS, World, open_world, until
from tests.makers import NOON

SSE = {"Accept": "text/event-stream"}


class Stream:
    """The messages of one stream, as they come."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> dict[str, str]:
        told: dict[str, str] = {}
        async with asyncio.timeout(WAIT_SECONDS):
            async for line in self._lines:
                if not line and "data" in told:
                    return told
                name, _, value = line.partition(": ")
                if name:
                    told[name] = value
        raise EOFError

    async def until(self, event: str) -> dict[str, str]:
        while (told := await self.next())["event"] != event:
            pass
        return told


@asynccontextmanager
async def stream_of(rest: httpx.AsyncClient, url: str, **headers: str) -> AsyncIterator[Stream]:
    async with rest.stream("GET", url, headers={**SSE, **headers}) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Stream(answer)


async def ask(world: World) -> dict[str, Any]:
    made: dict[str, Any] = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
    return made


async def test_a_stream_tells_each_event_with_its_place(world: World) -> None:
    async with stream_of(world.rest, "/events") as stream:
        made = await ask(world)
        created, queued = await stream.next(), await stream.next()
    assert (created["event"], queued["event"]) == ("task_created", "job_queued")
    told = json.loads(queued["data"])
    assert told["body"]["job_id"] == made["job_id"]
    assert int(queued["id"]) == told["hub_seq"] == int(created["id"]) + 1


async def test_whoever_comes_back_misses_nothing(world: World) -> None:
    async with stream_of(world.rest, "/events") as stream:
        await ask(world)
        first = await stream.until("job_queued")
    missed = [(await ask(world))["job_id"] for _ in range(3)]
    async with stream_of(world.rest, "/events", **{"Last-Event-ID": first["id"]}) as stream:
        again = [json.loads((await stream.until("job_queued"))["data"]) for _ in missed]
    assert [told["body"]["job_id"] for told in again] == missed


async def test_only_the_types_that_are_wanted_are_told(world: World) -> None:
    url = "/events?types=job_queued&after=0"
    async with stream_of(world.rest, url) as stream:
        await ask(world)
        assert (await stream.next())["event"] == "job_queued"


async def test_a_place_of_another_log_begins_with_a_reset(world: World) -> None:
    await ask(world)
    async with stream_of(world.rest, "/events", **{"Last-Event-ID": "999999"}) as stream:
        reset = await stream.next()
        assert reset["event"] == "reset"
        await ask(world)
        assert int((await stream.next())["id"]) == int(reset["id"]) + 1


@pytest.mark.parametrize("place", ["x", "-1", "1.5", "٣", "9" * 40])
async def test_a_place_that_is_none_is_refused(world: World, place: str) -> None:
    headers = httpx.Headers(
        {"Accept": "text/event-stream", "Last-Event-ID": place}, encoding="utf-8"
    )
    refused = await world.rest.get("/events", headers=headers)
    problem(refused, 422, "request_invalid")


async def test_another_person_hears_nothing_of_it(world: World) -> None:
    key = (await world.rest.post("/people", json={"name": "Ben"})).json()["key"]
    async with (
        httpx.AsyncClient(base_url=world.rest.base_url, trust_env=False, verify=False) as rest,
        stream_of(rest, "/events", Authorization=f"Bearer {key}") as stream,
    ):
        await ask(world)
        mine = {"Authorization": f"Bearer {key}"}
        made = await rest.post("/tasks", json={"kind": "ml.train"}, headers=mine)
        first = json.loads((await stream.next())["data"])
        assert first["body"]["task_id"] == made.json()["task_id"]


async def test_progress_goes_by_without_a_place(world: World) -> None:
    worker = await world.pair()
    async with worker.online(), stream_of(world.rest, "/events") as stream:
        made = await ask(world)
        grant = await worker.any_grant()
        await worker.starts(grant)
        await stream.until("job_started")
        await worker.tells(grant, 3)
        told = await stream.until("progress")
        assert "id" not in told
        assert json.loads(told["data"])["done"] == 3
        assert json.loads(told["data"])["job_id"] == made["job_id"]


async def test_a_silent_stream_beats_and_moves_its_readers_place(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "BEAT_SECONDS", 0.05)
    async with stream_of(world.rest, "/events?types=job_died") as stream:
        await ask(world)
        end = world.hub.services.feed.position()
        async with asyncio.timeout(WAIT_SECONDS):
            lines = stream.answer.aiter_lines()
            while await anext(lines) != f"id: {end}":
                pass


async def test_a_stream_ends_when_the_hub_stops(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        rest = httpx.AsyncClient(
            base_url=world.rest.base_url, headers=world.rest.headers, trust_env=False, verify=False
        )
        answer = await rest.send(rest.build_request("GET", "/events", headers=SSE), stream=True)
        started = asyncio.get_running_loop().time()
    rest_of_it = await answer.aread()
    assert asyncio.get_running_loop().time() - started < sse.BEAT_SECONDS / 5
    assert rest_of_it.startswith(b"retry: ")
    await rest.aclose()


async def test_a_stream_ends_with_its_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "CHECK_SECONDS", 0.0)
    monkeypatch.setattr(sse, "BEAT_SECONDS", 0.05)
    person = (await world.rest.post("/people", json={"name": "Ben"})).json()
    mine = {"Authorization": f"Bearer {person['key']}"}
    key_id = person["key"].split("_")[2]
    async with stream_of(world.rest, "/events", **mine) as stream:
        revoked = await world.rest.delete(f"/keys/{key_id}", headers=mine)
        assert revoked.status_code == 204, revoked.text
        with pytest.raises(EOFError):
            await stream.next()


async def test_too_many_streams_of_one_person_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "STREAMS_PER_PERSON_MAX", 1)
    async with stream_of(world.rest, "/events"):
        refused = await world.rest.get("/events", headers=SSE)
        problem(refused, 429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
    await until(lambda: not world.hub.streams.open_count)
    async with stream_of(world.rest, "/events"):
        pass


class SlowReader:
    """An ASGI client that takes nothing until it is told to."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.taken: list[bytes] = []

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await self.room.wait()
            self.taken.append(message["body"])

    async def receive(self) -> Any:
        await asyncio.Event().wait()


async def test_a_slow_reader_is_read_for_page_by_page(world: World) -> None:
    hub: Hub = world.hub
    owner = (await hub.services.registry.people())[0].person_id
    told = 0

    def tell(fact: Fact) -> Note | None:
        nonlocal told
        told += 1
        return Note(fact.type, "{}")

    stream = hub.streams.open(Reading(reader=owner, sees=None, after=0, tell=tell))
    slow = SlowReader()
    for _ in range(sse.FACTS_AT_ONCE):
        await hub.services.intake.request(_request(owner))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(stream({"type": "http"}, slow.receive, slow.send))
        await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        assert told <= sse.FACTS_AT_ONCE
        slow.room.set()
        await until(lambda: told >= 2 * sse.FACTS_AT_ONCE)
        running.cancel()


def _request(person_id: PersonId) -> Any:
    from hub.services.requests import Request

    return Request(person_id=person_id, kind="ml.models")


async def test_a_reader_that_never_takes_anything_is_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "SEND_SECONDS", 0.02)
    owner = (await world.hub.services.registry.people())[0].person_id
    stream = world.hub.streams.open(
        Reading(reader=owner, sees=None, after=0, tell=lambda fact: Note(fact.type, "{}"))
    )
    slow = SlowReader()
    async with asyncio.timeout(WAIT_SECONDS):
        await stream({"type": "http"}, slow.receive, slow.send)
    assert slow.taken == []
    assert not world.hub.streams.open_count


async def test_events_come_as_pages_too(world: World) -> None:
    made = [await ask(world) for _ in range(3)]
    first = (await world.rest.get("/events?after=0&limit=4")).json()
    assert len(first["events"]) == 4
    rest = (await world.rest.get(f"/events?after={first['next_after']}&limit=200")).json()
    told = [*first["events"], *rest["events"]]
    queued = [e["body"]["job_id"] for e in told if e["type"] == "job_queued"]
    assert queued == [job["job_id"] for job in made]
    assert rest["next_after"] == world.hub.services.feed.position()


async def test_a_page_waits_for_what_is_new(world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(world.rest.get("/events?types=job_queued&wait_seconds=10"))
        await until(lambda: bool(world.hub.services.feed._waiting))
        made = await ask(world)
        page = (await poll).json()
    assert [event["body"]["job_id"] for event in page["events"]] == [made["job_id"]]
    nothing = (await world.rest.get("/events?wait_seconds=0.01")).json()
    assert nothing == {"events": [], "next_after": page["next_after"]}


def fact_of(hub_seq: int, text: str, type_: str = "task_created") -> Fact:
    return Fact(
        hub_seq=hub_seq,
        person_id=PersonId("anna"),
        device="hub",
        epoch=1,
        seq=hub_seq,
        at=NOON,
        type=type_,
        version=1,
        entity="task",
        payload={"text": text},
    )


def test_a_fact_is_worded_once_for_all_readers_and_anew_when_it_was_read_anew() -> None:
    worded: list[str] = []

    def word(fact: Fact) -> Note:
        worded.append(str(fact.payload["text"]))
        return Note(fact.type, json.dumps(fact.payload))

    once = OnceWorded(word, kept_max=2)
    first = fact_of(1, "secret")
    assert once(first) is once(first)
    assert worded == ["secret"]
    # What was deleted has its number still, and other words.
    assert "secret" not in once(fact_of(1, "gone")).data
    once(fact_of(2, "two"))
    once(fact_of(3, "purged", TASK_PURGED))
    assert [fact.payload["text"] for fact, _ in once._kept.values()] == ["purged"]
