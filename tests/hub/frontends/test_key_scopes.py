"""Who may call what: every operation of the API by every scope, as one table."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.core.access import Scope
from hub.frontends.api.document import operations
from hub.frontends.console_client import open_chat
from hub.frontends.console_frames import Fault
from shared.errors import AppError
from shared.ids import PersonId
from tests.hub.frontends.world import World, open_world

NOBODY = "01900000-0000-7000-8000-00000000dead"
SHA256 = "ab" * 32

OPEN = frozenset({"get_health", "create_pairing", "create_token"})
READ = frozenset(
    (
        *("get_status", "list_events", "list_people", "list_pairings", "list_questions"),
        *("get_file", "get_artifact", "list_job_artifacts", "list_dead_letters"),
        "get_dead_letter",
        *(
            "list_schedules",
            "get_schedule",
            "list_sessions",
            "get_session",
            "list_task_messages",
            "list_chat_messages",
        ),
        *("list_webhooks", "get_webhook", "list_deliveries", "get_delivery", "list_workers"),
        "get_worker",
    )
)
WORK = frozenset(
    (
        *("list_tasks", "get_task", "get_plan", "list_jobs", "get_job", "get_job_events"),
        *("get_job_log", "get_queue"),
    )
)
ENQUEUE = frozenset({"create_task", "create_job", "enqueue_job"})
ENROL = frozenset({"create_invitation"})
REGISTER = frozenset({"register_worker"})
OWN = frozenset(
    (
        *("claim_job", "tell_progress", "log_lines", "ask_question", "get_answer", "park_job"),
        *("complete_job", "fail_job", "beat_worker"),
    )
)
"""What only a worker calls that fetches its work, by its own key."""
FLEET = frozenset(
    (
        *("beat_fleet", "start_attempt", "tell_attempt", "tell_attempt_progress"),
        "get_fleet_answer",
    )
)
"""What only nodes of the fleet call: they are told what other people asked for."""
LOOK_AT_FLEET = frozenset({"get_fleet"})
MACHINE = frozenset({"unlock_own", "get_standing"})
"""What takes a paired computer's token."""
PERSON = frozenset(
    (
        *("update_task", "purge_task", "cancel_job", "retry_job", "move_job"),
        *("requeue_dead_letters", "purge_dead_letters", "requeue_dead_letter", "undo_requeue"),
        *("purge_dead_letter", "answer_question", "create_task_message", "create_chat_message"),
        *("create_schedule", "pause_schedule", "resume_schedule", "run_schedule"),
        "delete_schedule",
        *("create_session", "renew_session", "terminate_session", "revoke_worker"),
        *("drain_worker", "pause_worker", "resume_worker", "approve_pairing", "reject_pairing"),
        *("create_sign_in_link", "list_keys", "create_key", "rotate_key", "revoke_key"),
        *("create_webhook", "update_webhook", "delete_webhook", "rotate_webhook_secret"),
        *("test_webhook", "redeliver", "create_person", "unlock_person"),
        "drain_fleet_node",
    )
)

ALL_OF_A_PERSON = READ | WORK | ENQUEUE | ENROL | REGISTER | PERSON
MAY: dict[str, frozenset[str]] = {
    "admin": ALL_OF_A_PERSON | LOOK_AT_FLEET,
    "person": ALL_OF_A_PERSON,
    "read": READ | WORK,
    "enqueue": WORK | ENQUEUE,
    "enrol": ENROL,
    "worker": REGISTER | {"get_worker"},
    "worker's own": OWN | REGISTER | {"get_worker"},
    "fleet": FLEET | LOOK_AT_FLEET,
    "metrics": frozenset(),
    "machine": MACHINE,
}
"""By what a key is: what it passes the door of. What is behind looks at it again."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, httpx.Response]]:
    """Each operation called with each key, with nothing in the body and ids of nothing."""

    async def call(folder: Path) -> dict[str, dict[str, httpx.Response]]:
        async with open_world(folder) as world:
            keys = await make_keys(world)
            document = (await world.rest.get("/openapi.json")).json()
            return {
                operation.name: {
                    what: await ask(world, operation.method.upper(), operation.path, key)
                    for what, key in keys.items()
                }
                for operation in operations(document)
            }

    return asyncio.run(call(tmp_path_factory.mktemp("hub")))


async def make_keys(world: World) -> dict[str, str]:
    services = world.hub.services
    owner = (await services.registry.people())[0].person_id
    person = (await services.registry.add_person("bert")).person_id
    scopes = (Scope.PERSON, Scope.READ, Scope.ENQUEUE, Scope.ENROL, Scope.WORKER)
    keys = {scope.value: await services.keys.issue(person, scope) for scope in scopes}
    beyond = (Scope.FLEET, Scope.METRICS)
    keys |= {scope.value: await services.keys.issue(owner, scope) for scope in beyond}
    keys["admin"] = await services.keys.issue(owner, Scope.ADMIN)
    told = await world.rest.post(
        "/workers", json={"name": "box", "capabilities": [{"kind": "ml.train"}]}
    )
    keys["worker's own"] = told.json()["key"]
    keys["machine"] = (await world.pair()).token
    return keys


async def ask(world: World, method: str, path: str, key: str) -> httpx.Response:
    place = path.removeprefix("/api/v1").replace("{sha256}", SHA256).replace("{name}", "none.csv")
    place = re.sub(r"\{\w+\}", NOBODY, place)
    body = b"" if method == "GET" else json.dumps({"wait_seconds": 0}).encode()
    return await world.rest.request(
        method,
        place,
        content=body if method in ("POST", "PATCH") else None,
        params={"wait_seconds": 0, "epoch": 1} if method == "GET" else None,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )


def test_the_table_knows_every_operation(
    answers: dict[str, dict[str, httpx.Response]],
) -> None:
    sorted_in = (
        OPEN,
        READ,
        WORK,
        ENQUEUE,
        ENROL,
        REGISTER,
        OWN,
        FLEET,
        LOOK_AT_FLEET,
        MACHINE,
        PERSON,
    )
    assert set(answers) == frozenset().union(*sorted_in)
    assert sum(map(len, sorted_in)) == len(answers)


@pytest.mark.parametrize("what", sorted(MAY))
def test_a_key_opens_what_its_scope_says_and_nothing_else(
    what: str, answers: dict[str, dict[str, httpx.Response]]
) -> None:
    opened, shut = set(), set()
    for name, by_key in answers.items():
        answer = by_key[what]
        assert answer.status_code < 500, (name, answer.text)
        is_shut = answer.status_code == 403 and answer.json()["code"] == "key_scope"
        # An enrol key's door to invitations is narrow: see below.
        if is_shut and not (what == "enrol" and name == "create_invitation"):
            shut.add(name)
        else:
            opened.add(name)
    # Who may register says the route itself, which a worker's own key does not pass.
    assert opened - OPEN == MAY[what]
    assert shut == set(answers) - OPEN - MAY[what]


def test_a_refusal_says_which_scope_is_needed(
    answers: dict[str, dict[str, httpx.Response]],
) -> None:
    told = answers["create_task"]["read"].json()
    assert told["detail"] == "A key with the scope 'read' cannot do this."
    assert told["hint"] == "It needs a key with the scope 'enqueue' or 'person'."


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def key_of(world: World, scope: Scope, person_id: PersonId | None = None) -> dict[str, str]:
    owner = (await world.hub.services.registry.people())[0].person_id
    key = await world.hub.services.keys.issue(person_id or owner, scope)
    return {"Authorization": f"Bearer {key}"}


async def test_an_enrol_key_makes_approved_codes_for_computers_and_no_others(world: World) -> None:
    headers = await key_of(world, Scope.ENROL)
    made = await world.rest.post("/invitations", json={"is_approved": True}, headers=headers)
    assert made.status_code == 201
    for body in ({}, {"is_approved": True, "purpose": "account"}):
        refused = await world.rest.post("/invitations", json=body, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "key_scope")
    other = (await world.hub.services.registry.add_person("bert")).person_id
    refused = await world.rest.post(
        "/invitations", json={"is_approved": True, "person_id": other}, headers=headers
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "operator_only")


async def limited(world: World, scope: str, *kinds: str) -> dict[str, str]:
    """Make a key that is limited to kinds, as its person does."""
    told = await world.rest.post("/keys", json={"name": "ci", "scope": scope, "kinds": kinds})
    assert told.status_code == 201, told.text
    assert told.json()["kinds"] == list(kinds)
    return {"Authorization": f"Bearer {told.json()['key']}"}


async def test_a_key_limited_to_kinds_asks_for_those_alone(world: World) -> None:
    headers = await limited(world, "enqueue", "code.review")
    made = await world.rest.post("/tasks", json={"kind": "code.review"}, headers=headers)
    assert made.status_code == 201
    more = f"/tasks/{made.json()['task_id']}/jobs"
    assert (
        await world.rest.post(more, json={"kind": "code.review"}, headers=headers)
    ).status_code == 201
    for path in ("/tasks", "/queue/jobs", more):
        for kind in ("code.feature", "ml.models"):
            refused = await world.rest.post(path, json={"kind": kind}, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "key_kinds"), path
            assert refused.json()["hint"] == "It is for code.review."


@pytest.mark.parametrize("scope", ["read", "enqueue"])
async def test_a_key_limited_to_kinds_sees_those_alone(world: World, scope: str) -> None:
    headers = await limited(world, scope, "code.review", "code.test")
    review = (await world.rest.post("/tasks", json={"kind": "code.review"})).json()
    other = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
    # A task of several kinds is there with what the key is for.
    mixed = f"/tasks/{review['task_id']}"
    await world.rest.post(f"{mixed}/jobs", json={"kind": "ml.models"})

    async def get(path: str) -> httpx.Response:
        return await world.rest.get(path, headers=headers)

    assert [job["kind"] for job in (await get("/jobs")).json()["jobs"]] == ["code.review"]
    assert [job["kind"] for job in (await get(mixed)).json()["jobs"]] == ["code.review"]
    assert len((await get(f"{mixed}/plan")).json()["steps"]) == 1
    for path in ("", "/events", "/log"):
        assert (await get(f"/jobs/{review['job_id']}{path}")).status_code == 200
        assert (await get(f"/jobs/{other['job_id']}{path}")).status_code == 404
    for path in (f"/tasks/{other['task_id']}", f"/tasks/{other['task_id']}/plan"):
        assert (await get(path)).status_code == 404
    kinds = {task["kind"] for task in (await get("/tasks")).json()["tasks"]}
    assert kinds <= {"code.review", "code.test"}


async def test_a_list_of_tasks_is_of_the_one_kind_that_a_key_is_for(world: World) -> None:
    headers = await limited(world, "read", "code.review")
    for kind in ("code.review", "ml.models", "ml.models"):
        await world.rest.post("/tasks", json={"kind": kind})
    told = (await world.rest.get("/tasks", params={"limit": 1}, headers=headers)).json()
    assert [task["kind"] for task in told["tasks"]] == ["code.review"]


async def test_what_is_told_of_all_kinds_is_shut_to_a_key_limited_to_some(world: World) -> None:
    """Whoever adds a route has to mind the kinds, or it stays shut."""
    document = (await world.rest.get("/openapi.json")).json()
    for scope in ("read", "enqueue"):
        key = (await limited(world, scope, "code.review"))["Authorization"].split()[1]
        opened = set()
        for operation in operations(document):
            answer = await ask(world, operation.method.upper(), operation.path, key)
            if answer.status_code != 403:
                opened.add(operation.name)
        mine = WORK | (ENQUEUE if scope == "enqueue" else frozenset())
        assert opened == OPEN | mine - {"get_queue"}


@pytest.mark.parametrize("scope", ["person", "enrol"])
async def test_other_keys_are_not_limited_to_kinds(world: World, scope: str) -> None:
    wanted = {"name": "ci", "scope": scope, "kinds": ["code.review"]}
    told = await world.rest.post("/keys", json=wanted)
    assert (told.status_code, told.json()["code"]) == (422, "key_kinds_invalid")


async def test_a_key_in_the_place_of_another_is_limited_like_it(world: World) -> None:
    wanted = {"name": "ci", "scope": "read", "kinds": ["code.review"]}
    key_id = (await world.rest.post("/keys", json=wanted)).json()["key_id"]
    told = (await world.rest.post(f"/keys/{key_id}/rotate", json={})).json()
    assert told["kinds"] == ["code.review"]


async def test_a_read_key_of_the_owner_sees_the_owners_things_alone(world: World) -> None:
    bert = (await world.hub.services.registry.add_person("bert")).person_id
    theirs = await key_of(world, Scope.ENQUEUE, bert)
    made = await world.rest.post("/tasks", json={"kind": "ml.models"}, headers=theirs)
    assert made.status_code == 201
    mine = await key_of(world, Scope.READ)
    assert (await world.rest.get("/tasks", headers=mine)).json()["tasks"] == []
    found = await world.rest.get(f"/jobs/{made.json()['job_id']}", headers=mine)
    assert found.status_code == 404
    assert (await world.rest.get(f"/jobs/{made.json()['job_id']}")).status_code == 200


async def test_a_person_makes_keys_for_themselves_up_to_their_own_scope(world: World) -> None:
    bert = (await world.hub.services.registry.add_person("bert")).person_id
    owner = (await world.hub.services.registry.people())[0].person_id
    headers = await key_of(world, Scope.PERSON, bert)

    async def make(**body: object) -> httpx.Response:
        return await world.rest.post("/keys", json={"name": "ci", **body}, headers=headers)

    made = (await make(scope="enqueue")).json()
    assert made["key"].startswith(made["prefix"])
    assert made["key"].endswith(made["last"])
    assert (await make(scope="admin")).json()["code"] == "key_scope"
    assert (await make(scope="read", person_id=owner)).json()["code"] == "operator_only"
    listed = (await world.rest.get("/keys", headers=headers)).json()["keys"]
    assert {key["name"] for key in listed} == {"ci", ""}
    assert made["key"] not in json.dumps(listed)
    # The operator sees everybody's, and may end any.
    everybody = (await world.rest.get("/keys")).json()["keys"]
    assert {key["person_id"] for key in everybody} == {bert, owner}
    admin = next(key for key in everybody if key["scope"] == "admin")
    for method, path in (("DELETE", ""), ("POST", "/rotate")):
        hidden = await world.rest.request(
            method, f"/keys/{admin['key_id']}{path}", json={}, headers=headers
        )
        assert hidden.status_code == 404
    assert (await world.rest.delete(f"/keys/{made['key_id']}")).status_code == 204
    used = {"Authorization": f"Bearer {made['key']}"}
    assert (await world.rest.get("/jobs", headers=used)).status_code == 401


async def test_a_worker_key_registers_only_the_kinds_it_is_limited_to(world: World) -> None:
    body = {"name": "boxes", "scope": "worker", "kinds": ["ml.train"]}
    key = (await world.rest.post("/keys", json=body)).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}

    async def register(key: dict[str, str], *kinds: str) -> httpx.Response:
        able = [{"kind": kind} for kind in kinds]
        body = {"name": "box", "capabilities": able}
        return await world.rest.post("/workers", json=body, headers=key)

    made = await register(headers, "ml.train")
    assert (made.status_code, made.json()["kinds"]) == (201, ["ml.train"])
    assert (await register(headers, "ml.train", "ml.predict")).json()["code"] == "key_kinds"
    assert (await register({}, "tea.brew")).json()["code"] == "kind_unknown"
    own = {"Authorization": f"Bearer {made.json()['key']}"}
    assert (await register(own, "ml.train")).json()["code"] == "key_scope"
    # A worker looks at itself, and at no other.
    other = (await register(headers, "ml.train")).json()["worker_id"]
    mine = made.json()["worker_id"]
    assert (await world.rest.get(f"/workers/{mine}", headers=own)).status_code == 200
    assert (await world.rest.get(f"/workers/{other}", headers=own)).status_code == 404
    beat = await world.rest.post(f"/workers/{other}/heartbeat", json={"held": []}, headers=own)
    assert beat.status_code == 404


async def test_only_a_machines_token_opens_what_is_for_machines(world: World) -> None:
    told = await world.rest.post(
        "/workers", json={"name": "box", "capabilities": [{"kind": "ml.train"}]}
    )
    for headers in (
        {"Authorization": f"Bearer {told.json()['key']}"},
        await key_of(world, Scope.WORKER),
    ):
        for method, path in (("GET", "/worker/snapshot"), ("PUT", f"/files/{SHA256}")):
            refused = await world.rest.request(method, path, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (403, "key_scope")


async def test_an_answer_that_was_kept_is_told_to_the_key_that_asked_alone(world: World) -> None:
    body = {"name": "ci", "scope": "person"}
    once = {"Idempotency-Key": "1"}
    made = await world.rest.post("/keys", json=body, headers=once)
    assert made.status_code == 201
    assert (await world.rest.post("/keys", json=body, headers=once)).json() == made.json()
    nosy = {**once, **await key_of(world, Scope.READ)}
    refused = await world.rest.post("/keys", json=body, headers=nosy)
    assert refused.status_code in (403, 422)
    assert made.json()["key"] not in refused.text


async def test_a_revoked_key_ends_its_stream_and_its_chat_at_once(world: World) -> None:
    made = (await world.rest.post("/keys", json={"name": "tab", "scope": "person"})).json()
    headers = {"Authorization": f"Bearer {made['key']}", "Accept": "text/event-stream"}
    async with (
        world.rest.stream("GET", "/events", headers=headers) as stream,
        open_chat(world.url, made["key"]) as chat,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines)
        async with asyncio.timeout(5):
            await world.rest.delete(f"/keys/{made['key_id']}")
            async for _ in lines:
                pass
            told = await chat.next()
            assert isinstance(told, Fault)
            assert told.error.code == "key_invalid"
            with pytest.raises(AppError) as caught:
                await chat.next()
    assert caught.value.code == "hub_gone"


async def test_a_chat_is_opened_by_a_persons_own_key_alone(world: World) -> None:
    owner = (await world.hub.services.registry.people())[0].person_id
    for scope in (Scope.READ, Scope.ENQUEUE, Scope.ENROL, Scope.WORKER):
        key = await world.hub.services.keys.issue(owner, scope)
        with pytest.raises(AppError) as caught:
            async with open_chat(world.url, key):
                pass
        assert caught.value.code == "key_scope"
