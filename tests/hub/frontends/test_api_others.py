"""Whatever is another person's is not there: every operation that names something says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.frontends.api.document import Operation, operations
from tests.hub.frontends.test_api import YES_OR_NO
from tests.hub.frontends.test_console import QUESTION
from tests.hub.frontends.test_sse import ask
from tests.hub.frontends.world import PuppetWorker, World, until
from tests.pairing import Computer

OPERATORS = frozenset({"unlock_person"})
"""Nobody but the hub's operator may do it at all, whoever is named."""
STRANGERS = frozenset({"create_token"})
"""Who asks has no key, and shows whose pairing it is by a signature."""
FLEETS = frozenset(
    {
        "start_attempt", "tell_attempt", "tell_attempt_progress", "get_fleet_answer",
        "drain_fleet_node",
    }
)  # fmt: skip
"""For keys of nodes and of the operator alone: a person's is refused before anything is named."""
OWN = frozenset({"get_file"})
"""The name is looked for among one's own alone."""


async def things_of_anna(world: World, worker: PuppetWorker) -> dict[str, str]:
    """Make one of each, and say what it is called in paths."""
    made = await ask(world)
    grant = await worker.grant_of(made["job_id"])
    await worker.starts(grant)
    await worker.asks(grant, YES_OR_NO, QUESTION)
    await until(lambda: worker.acked == len(worker.log))
    [session] = (await world.rest.get("/sessions")).json()["sessions"]
    words = {"when": "every day 8:00", "words": "/models"}
    schedule = (await world.rest.post("/schedules", json=words)).json()
    key = (await world.rest.post("/keys", json={"name": "ci", "scope": "read"})).json()
    hook = (await world.rest.post("/webhooks", json={"url": "https://example.org/x"})).json()
    delivery = (await world.rest.post(f"/webhooks/{hook['webhook_id']}/test")).json()
    code = (await world.rest.post("/invitations", json={})).json()["code"]
    pairing = (await world.rest.post("/pairings", json={"code": code, **Computer().body})).json()
    return {
        "task_id": made["task_id"],
        "job_id": made["job_id"],
        "question_id": QUESTION,
        "session_id": session["session_id"],
        "schedule_id": schedule["schedule_id"],
        "key_id": key["key_id"],
        "webhook_id": hook["webhook_id"],
        "delivery_id": delivery["delivery_id"],
        "pairing_id": pairing["pairing_id"],
        "worker_id": worker.worker_id,
        "person_id": made["person_id"],
        "sha256": "a" * 64,
        "name": "a.csv",
        "node": "node-1",
    }


def naming(document: dict[str, Any]) -> Iterator[Operation]:
    return (one for one in operations(document) if one.path_names)


def request_of(operation: Operation, things: dict[str, str]) -> dict[str, Any]:
    """A request that would be fine, were it one's own."""
    path = re.sub(r"\{(\w+)\}", lambda found: things[found[1]], operation.path)
    told: dict[str, Any] = {
        "method": operation.method.upper(),
        "url": path.removeprefix("/api/v1"),
        "headers": {"If-Match": "*"},
        "params": {
            parameter["name"]: parameter["example"]
            for parameter in operation.told.get("parameters", ())
            if parameter["in"] == "query" and parameter.get("required")
        },
    }
    body = operation.told.get("requestBody")
    if body is not None:
        told["json"] = body["content"]["application/json"]["example"]
    return told


async def test_what_is_anothers_is_not_there(world: World) -> None:
    document = (await world.rest.get("/openapi.json")).json()
    worker = await world.pair()
    async with worker.online():
        things = await things_of_anna(world, worker)
        ben = (await world.rest.post("/people", json={"name": "Ben"})).json()["key"]
        as_ben = {"Authorization": f"Bearer {ben}"}
        wanted = {"name": "bens", "capabilities": [{"kind": "ml.models"}]}
        puller = (await world.rest.post("/workers", json=wanted, headers=as_ben)).json()["key"]
        before = world.hub.services.feed.position()
        count = 0
        for operation in naming(document):
            if operation.name in STRANGERS | OWN:
                continue
            is_pullers = operation.told["security"] == [{"HTTPBearer": ["worker"]}]
            request = request_of(operation, things)
            request["headers"]["Authorization"] = f"Bearer {puller if is_pullers else ben}"
            answer: httpx.Response = await world.rest.request(**request)
            expected = 403 if operation.name in OPERATORS | FLEETS else 404
            assert answer.status_code == expected, (operation.name, answer.text)
            count += 1
        assert count > 30
        assert world.hub.services.feed.position() == before
    assert (await world.rest.get(f"/jobs/{things['job_id']}")).json()["state"] == "asking"


async def test_no_list_shows_what_is_anothers(world: World) -> None:
    document = (await world.rest.get("/openapi.json")).json()
    worker = await world.pair()
    async with worker.online():
        things = await things_of_anna(world, worker)
        ben = (await world.rest.post("/people", json={"name": "Ben"})).json()["key"]
        for operation in operations(document):
            if (
                operation.method != "get"
                or operation.path_names
                or operation.name in ("get_standing", "get_fleet")
            ):
                continue
            url = operation.path.removeprefix("/api/v1")
            after = "?after=0" if operation.name == "list_events" else ""
            answer = await world.rest.get(url + after, headers={"Authorization": f"Bearer {ben}"})
            assert answer.status_code == 200, (operation.name, answer.text)
            told = [name for name, thing in things.items() if thing in answer.text]
            assert not told, (operation.name, told)


@pytest.mark.parametrize("key", ["", "Bearer dh_person_x_y", "Basic YTpi"])
async def test_no_operation_is_open_to_whoever_shows_no_key(world: World, key: str) -> None:
    document = (await world.rest.get("/openapi.json")).json()
    open_to_all = []
    async with httpx.AsyncClient(
        base_url=world.rest.base_url, trust_env=False, verify=False
    ) as stranger:
        for operation in operations(document):
            things = dict.fromkeys(operation.path_names, "019aa000-0000-7000-8000-00000000ffff")
            request = request_of(operation, things | {"sha256": "a" * 64})
            request["headers"]["Authorization"] = key
            answer = await stranger.request(**request)
            if answer.status_code != 401:
                open_to_all.append(operation.name)
    assert set(open_to_all) == {"get_health", "create_pairing", "create_token"}
