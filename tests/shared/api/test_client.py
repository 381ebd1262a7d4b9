"""The client has every operation of the API, under its name, with what stands in its path."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from shared.api.client import Client
from shared.api.events import EventShown
from shared.api.jobs import LogQuery
from shared.api.people import NewPerson
from shared.api.tasks import NewTask, TaskPatch, TaskQuery
from shared.errors import BadInput, Conflict, NotFound
from shared.jobs import JobState
from tests.hub.frontends.test_sse import ask
from tests.hub.frontends.world import World, open_world

BESIDE = frozenset({"follow_events"})
"""Methods that are another form of an operation."""


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    async with open_world(tmp_path) as opened:
        yield opened


async def operations(world: World) -> dict[str, list[str]]:
    """Each operationId with what its path names."""
    document = (await world.rest.get("/openapi.json")).json()
    return {
        operation["operationId"]: re.findall(r"\{(\w+)\}", path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


def methods() -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(method)
        for name, method in inspect.getmembers(Client, inspect.isfunction)
        if not name.startswith("_")
    }


async def test_every_operation_has_a_method_and_the_reverse(world: World) -> None:
    assert set(methods()) - BESIDE == set(await operations(world))


async def test_a_method_takes_what_stands_in_the_path(world: World) -> None:
    told = methods()
    for name, parts in (await operations(world)).items():
        assert list(told[name].parameters)[1 : 1 + len(parts)] == parts, name


async def test_a_task_goes_in_and_its_job_comes_out(world: World) -> None:
    hub = Client(world.url, world.admin_key)

    def talk() -> None:
        made = hub.create_task(NewTask(kind="ml.models"), idempotency_key="k")
        assert hub.create_task(NewTask(kind="ml.models"), idempotency_key="k") == made
        assert [job.job_id for job in hub.list_jobs(state=[JobState.QUEUED]).jobs] == [made.job_id]
        assert hub.list_jobs(state=[JobState.DEAD, JobState.FAILED]).jobs == ()
        assert hub.cancel_job(made.job_id).state is JobState.CANCELLED

    await asyncio.to_thread(talk)


async def test_errors_are_those_of_the_hub(world: World) -> None:
    hub = Client(world.url, world.admin_key)

    def talk() -> None:
        with pytest.raises(NotFound) as caught:
            hub.get_job("019aa000-0000-7000-8000-00000000ffff")
        assert (caught.value.code, caught.value.hint) == ("job_unknown", "/jobs lists the latest.")
        with pytest.raises(BadInput, match="name"):
            hub.create_person(NewPerson.model_construct(name=""))
        with pytest.raises(NotFound):
            hub.get_job("../status")

    await asyncio.to_thread(talk)


async def test_a_change_may_be_for_what_was_read(world: World) -> None:
    hub = Client(world.url, world.admin_key)

    def talk() -> None:
        task = hub.get_task(hub.create_task(NewTask(kind="ml.models")).task_id)
        changed = hub.update_task(task.task_id, TaskPatch(title="a"), version=task.version)
        assert changed.title == hub.list_tasks(TaskQuery(q="a", limit=1)).tasks[0].title == "a"
        with pytest.raises(Conflict) as caught:
            hub.update_task(task.task_id, TaskPatch(title="b"), version=task.version)
        assert caught.value.code == "task_changed"
        assert hub.update_task(task.task_id, TaskPatch(title="c")).title == "c"
        assert hub.get_job_log(task.job_id, LogQuery(tail=True)).total == 0
        assert [step.job_id for step in hub.get_plan(task.task_id).steps] == [task.job_id]

    await asyncio.to_thread(talk)


async def test_events_are_followed_from_a_place_on(world: World) -> None:
    hub = Client(world.url, world.admin_key)
    made = [(await ask(world))["job_id"] for _ in range(3)]

    def follow() -> list[EventShown]:
        stream: Iterator[EventShown] = hub.follow_events(types=["job_queued"], after=0)
        return list(islice(stream, 3))

    told = await asyncio.to_thread(follow)
    assert [event.body["job_id"] for event in told] == made
