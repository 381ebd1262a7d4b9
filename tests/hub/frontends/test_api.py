"""The REST API of a running hub: what it gives, and how every error looks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.capabilities import Capability
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.jobs import JobState
from shared.pairing import SALT_BYTES, b64, check_words, from_b64
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.test_console import QUESTION
from tests.hub.frontends.world import HastyClock, World, open_world, until
from tests.pairing import Computer

NOBODY = "019aa000-0000-7000-8000-00000000ffff"
YES_OR_NO = Asking(
    key="push",
    kind=QuestionKind.CHOICE,
    text="Push it?",
    choices=(Choice(value="yes", label="Yes"), Choice(value="no", label="No")),
)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check the shape every error has, and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"] == f"urn:deskhand:problem:{code}"
    assert body["title"]
    assert body["detail"]
    assert "Traceback" not in answer.text
    return body


async def test_health_needs_no_key(world: World) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
        health = (await stranger.get(f"{world.url}/api/v1/health")).json()
    assert health["status"] == "ok"
    assert health["workers_online"] == 0
    assert health["hub_epoch"] == world.hub.hub_epoch


async def test_a_task_is_made_once_for_each_idempotency_key(world: World) -> None:
    body = {"kind": "ml.train", "inputs": {"file": "a.csv"}}
    first = await world.rest.post("/tasks", json=body, headers={"Idempotency-Key": "k1"})
    again = await world.rest.post("/tasks", json=body, headers={"Idempotency-Key": "k1"})
    other = await world.rest.post("/tasks", json=body)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 201)
    assert first.json()["job_id"] == again.json()["job_id"] != other.json()["job_id"]
    assert first.headers["location"] == f"/api/v1/tasks/{first.json()['task_id']}"
    assert first.json()["state"] == "queued"
    assert first.json()["waiting"] == "no_worker"


async def test_a_key_used_for_another_request_is_refused(world: World) -> None:
    headers = {"Idempotency-Key": "k1"}
    await world.rest.post("/tasks", json={"kind": "ml.models"}, headers=headers)
    other = await world.rest.post("/tasks", json={"kind": "ml.train"}, headers=headers)
    problem(other, 422, "dedupe_reused")


async def test_a_job_is_followed_from_task_to_result(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.succeeds(grant, {"headline": "No models.", "models": []})
        await until(lambda: worker.acked == len(worker.log))
    job = (await world.rest.get(f"/jobs/{made['job_id']}")).json()
    assert (job["state"], job["result"]["headline"]) == ("succeeded", "No models.")
    history = (await world.rest.get(f"/jobs/{made['job_id']}/events")).json()["events"]
    types = [event["type"] for event in history]
    assert types[-3:] == ["job_granted", "job_started", "job_succeeded"]
    assert [event["hub_seq"] for event in history] == sorted(e["hub_seq"] for e in history)


async def test_jobs_come_in_pages_newest_first(world: World) -> None:
    made = [
        (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
        for _ in range(5)
    ]
    seen, cursor = [], None
    for _ in range(10):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await world.rest.get("/jobs", params=query)).json()
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    none = (await world.rest.get("/jobs", params={"state": ["dead", "failed"]})).json()
    assert none["jobs"] == []


@pytest.mark.parametrize("state", JobState)
async def test_parts_of_a_job_are_listed_in_any_state(world: World, state: JobState) -> None:
    made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
    told = await world.rest.get("/jobs", params={"state": state.value, "parts_of": made})
    assert (told.status_code, told.json()["jobs"]) == (200, [])


async def test_a_question_is_listed_and_answered(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        await world.rest.post("/tasks", json={"kind": "ml.models"})
        await worker.asks(await worker.any_grant(), YES_OR_NO, QUESTION)
        await until(lambda: worker.acked == len(worker.log))
        [question] = (await world.rest.get("/questions")).json()["questions"]
        assert question["asking"]["text"] == "Push it?"
        url = f"/questions/{QUESTION}/answer"
        key = (await world.rest.post("/people", json={"name": "Ben"})).json()["key"]
        as_ben = {"Authorization": f"Bearer {key}"}
        stolen = await world.rest.post(url, json={"reply": "yes"}, headers=as_ben)
        problem(stolen, 404, "question_unknown")
        listed = (await world.rest.get("/questions", headers=as_ben)).json()
        assert listed["questions"] == []
        unfit = problem(await world.rest.post(url, json={"reply": "maybe"}), 422, "answer_unfit")
        assert unfit["hint"] == "Answer with one of: Yes, No."
        answered = (await world.rest.post(url, json={"reply": "yes"})).json()
        assert answered["answer"] == {"value": "yes", "by": "me on the API"}
        problem(await world.rest.post(url, json={"reply": "no"}), 409, "question_answered")
        assert (await world.rest.get("/questions")).json()["questions"] == []


async def test_cancel_and_retry(world: World) -> None:
    job_id = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
    problem(await world.rest.post(f"/jobs/{job_id}/retry"), 409, "job_not_ended")
    assert (await world.rest.post(f"/jobs/{job_id}/cancel")).json()["state"] == "cancelled"
    problem(await world.rest.post(f"/jobs/{job_id}/retry"), 409, "job_cancelled")


async def test_a_dead_letter_is_listed_with_its_reason_and_queued_again(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        error = ErrorBody(code="broken", message="It broke.")
        grant = await worker.any_grant()
        await worker.starts(grant)
        await worker.fails(grant, error)
        await until(lambda: worker.acked == len(worker.log))
    job = (await world.rest.get(f"/jobs/{made['job_id']}")).json()
    assert (job["state"], job["error"]["message"]) == ("failed", "It broke.")
    assert (await world.rest.get("/dead-letters")).json()["jobs"] == []
    again = (await world.rest.post(f"/jobs/{made['job_id']}/retry")).json()
    assert again["state"] == "queued"


async def test_a_computer_is_paired_paused_and_shown_out(world: World) -> None:
    code = (await world.rest.post("/invitations", json={})).json()["code"]
    pc = Computer(capabilities=(Capability(kind="ml.train"),))
    claim = {"code": code, **pc.body}
    async with httpx.AsyncClient(
        base_url=f"{world.url}/api/v1", trust_env=False, verify=False
    ) as computer:
        asked = await computer.post("/pairings", json=claim)
        assert asked.status_code == 202
        noted = asked.json()
        [waiting] = (await world.rest.get("/pairings")).json()["pairings"]
        assert (waiting["state"], waiting["name"], waiting["kinds"]) == (
            "waiting", "anna-pc", ["ml.train"],
        )  # fmt: skip
        words = check_words(pc.introduction.public_key, from_b64(noted["salt"], SALT_BYTES))
        assert waiting["words"] == words
        approve = f"/pairings/{noted['pairing_id']}/approve"
        problem(await computer.post(approve), 401, "key_missing")
        assert (await world.rest.post(approve)).json()["decided_by"] == "me on the API"
        problem(await world.rest.post(approve), 409, "join_decided")
        token = f"/pairings/{noted['pairing_id']}/token"
        paired = (await computer.post(token, json={"signature": pc.signature(noted)})).json()
        assert paired["token"].startswith("dh_worker_")
        assert paired["person_name"] == "me"
        used = problem(await computer.post("/pairings", json=claim), 422, "pairing_code_wrong")
        assert used["detail"] == "That code is wrong, used or expired."
        assert used["hint"] == "Ask for a new one: /connect in the chat, or `deskhand-hub invite`."
    [worker] = (await world.rest.get("/workers")).json()["workers"]
    assert (worker["name"], worker["kinds"], worker["is_online"]) == (
        "anna-pc", ["ml.train"], False,
    )  # fmt: skip
    url = f"/workers/{paired['worker_id']}"
    assert (await world.rest.post(f"{url}/pause")).json()["is_paused"] is True
    assert (await world.rest.post(f"{url}/resume")).json()["is_paused"] is False
    assert (await world.rest.delete(url)).status_code == 204
    assert (await world.rest.get("/workers")).json()["workers"] == []
    problem(await world.rest.delete(url), 404, "worker_unknown")


async def test_an_expired_code_is_refused_in_the_same_words(tmp_path: Path) -> None:
    clock = HastyClock()
    async with open_world(tmp_path, Environment(clock=clock)) as world:
        code = (await world.rest.post("/invitations", json={})).json()["code"]
        clock.ahead_seconds = 601
        late = await world.rest.post("/pairings", json={"code": code, **Computer().body})
        told = problem(late, 422, "pairing_code_wrong")
        assert told["detail"] == "That code is wrong, used or expired."


async def test_five_wrong_codes_pause_pairing(world: World) -> None:
    claim = {"code": "BBBB-BBBB", **Computer("x").body}
    answers = [await world.rest.post("/pairings", json=claim) for _ in range(6)]
    problem(answers[0], 422, "pairing_code_wrong")
    paused = problem(answers[-1], 429, "pairing_paused")
    assert int(answers[-1].headers["retry-after"]) > 800
    assert paused["hint"] == "If this wasn't you, nothing happened."


async def test_only_the_operator_brings_people_in_and_each_sees_their_own(world: World) -> None:
    made = (await world.rest.post("/people", json={"name": "Ben"})).json()
    job_id = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()["job_id"]
    headers = {"Authorization": f"Bearer {made['key']}"}
    base = f"{world.url}/api/v1"
    async with httpx.AsyncClient(
        base_url=base, headers=headers, trust_env=False, verify=False
    ) as ben:
        assert (await ben.get("/jobs")).json()["jobs"] == []
        problem(await ben.get(f"/jobs/{job_id}"), 404, "job_unknown")
        problem(await ben.post(f"/jobs/{job_id}/cancel"), 404, "job_unknown")
        problem(await ben.post("/people", json={"name": "Eve"}), 403, "operator_only")
        owner = (await world.rest.get("/people")).json()["people"][0]["person_id"]
        stolen = await ben.post("/invitations", json={"person_id": owner})
        problem(stolen, 403, "operator_only")
        pc = (await world.pair()).worker_id
        for method, path in (("POST", "/pause"), ("POST", "/resume"), ("DELETE", "")):
            denied = await ben.request(method, f"/workers/{pc}{path}")
            problem(denied, 404, "worker_unknown")
        own = (await ben.get("/people")).json()["people"]
        assert [person["name"] for person in own] == ["Ben"]


BODY = Computer("x").body
SIGNATURE = b64(bytes(64))
WRONG: list[tuple[str, str, object, int, str]] = [
    ("GET", "/nothing", None, 404, "path_unknown"),
    ("PUT", "/tasks", {}, 405, "method_unknown"),
    ("DELETE", "/health", None, 405, "method_unknown"),
    ("POST", "/tasks", {}, 422, "request_invalid"),
    ("POST", "/tasks", {"kind": 7}, 422, "request_invalid"),
    ("POST", "/tasks", {"kind": "ml.train", "surprise": 1}, 422, "request_invalid"),
    ("POST", "/tasks", {"kind": "tea.brew"}, 422, "kind_unknown"),
    ("POST", "/tasks", {"kind": "ml.train", "inputs": {"tea": 1}}, 422, "inputs_invalid"),
    ("POST", "/tasks", {"kind": "ml.train", "worker": "nobody"}, 404, "worker_unknown"),
    ("POST", "/tasks", {"kind": "ml.train", "priority": "urgent"}, 422, "request_invalid"),
    ("POST", "/tasks", [], 422, "request_invalid"),
    ("GET", "/jobs?limit=0", None, 422, "request_invalid"),
    ("GET", "/jobs?limit=9999", None, 422, "request_invalid"),
    ("GET", "/jobs?cursor=x", None, 422, "request_invalid"),
    ("GET", "/jobs?state=happy", None, 422, "request_invalid"),
    ("GET", "/jobs/1", None, 422, "request_invalid"),
    ("GET", f"/jobs/{NOBODY}", None, 404, "job_unknown"),
    ("GET", f"/jobs/{NOBODY}/events", None, 404, "job_unknown"),
    ("POST", f"/jobs/{NOBODY}/cancel", None, 404, "job_unknown"),
    ("POST", f"/questions/{NOBODY}/answer", {"reply": "x"}, 404, "question_unknown"),
    ("POST", f"/workers/{NOBODY}/pause", None, 404, "worker_unknown"),
    ("POST", "/pairings", {"code": "short", **BODY}, 422, "pairing_code_wrong"),
    ("POST", "/pairings", {"code": "BBBB-BBBB", **BODY, "name": ""}, 422, "request_invalid"),
    ("POST", "/pairings", {"code": "BBBB-BBBB", "name": "x"}, 422, "request_invalid"),
    ("POST", "/pairings", {**BODY, "name": "\u202e\u200b"}, 422, "worker_name_invalid"),
    ("POST", "/pairings", {**BODY, "public_key": "AAAA"}, 422, "base64_invalid"),
    ("POST", "/pairings", {**BODY, "public_key": "ä" * 43}, 422, "base64_invalid"),
    ("POST", f"/pairings/{NOBODY}/token", {"signature": "AAAA"}, 422, "base64_invalid"),
    ("POST", f"/pairings/{NOBODY}/token", {"signature": SIGNATURE}, 404, "pairing_unknown"),
    ("POST", "/pairings/1/token", {"signature": SIGNATURE}, 422, "request_invalid"),
    ("POST", f"/pairings/{NOBODY}/approve", None, 404, "join_unknown"),
    ("POST", f"/pairings/{NOBODY}/reject", None, 404, "join_unknown"),
    ("POST", "/invitations", {"purpose": "tea"}, 422, "request_invalid"),
    ("POST", "/people", {"name": "  "}, 422, "request_invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG)
async def test_every_error_is_a_problem_document(
    world: World, method: str, path: str, body: object, status: int, code: str
) -> None:
    problem(await world.rest.request(method, path, json=body), status, code)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "json_invalid"),
        (b"\xff\xfe", 400, "json_invalid"),
        (b'{"kind": "' + b"x" * 2_000_000 + b'"}', 413, "body_too_large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem_document(
    world: World, content: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await world.rest.post("/tasks", content=content, headers=headers)
    problem(answer, status, code)


async def test_half_a_character_is_refused_and_no_bug(world: World) -> None:
    answer = await world.rest.post(
        "/tasks",
        content=rb'{"kind":"ml.train","inputs":{"file":"\ud800"}}',
        headers={"Content-Type": "application/json"},
    )
    problem(answer, 422, "inputs_invalid")


async def test_a_body_without_a_length_is_limited_too(world: World) -> None:
    async def endless() -> Any:
        for _ in range(64):
            yield b" " * 65_536

    headers = {"Content-Type": "application/json"}
    answer = await world.rest.post("/tasks", content=endless(), headers=headers)
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "key_missing"),
        ({"Authorization": "Bearer nonsense"}, "key_invalid"),
        ({"Authorization": "Basic bWU6bWU="}, "key_missing"),
        ({"Authorization": "Bearer dh_admin_1_2"}, "key_invalid"),
    ],
)
async def test_without_a_good_key_the_api_asks_who_you_are(
    world: World, header: dict[str, str], code: str
) -> None:
    async with httpx.AsyncClient(trust_env=False, verify=False) as stranger:
        answer = await stranger.get(f"{world.url}/api/v1/jobs", headers=header)
    problem(answer, 401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_schema_names_every_operation_and_every_error(world: World) -> None:
    schema = (await world.rest.get("/openapi.json")).json()
    operations = [op for path in schema["paths"].values() for op in path.values()]
    names = [op["operationId"] for op in operations]
    assert len(names) == len(set(names)) >= 20
    assert {"create_task", "list_jobs", "answer_question", "create_pairing"} <= set(names)
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["503"]["content"]
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    assert "Problem" in schema["components"]["schemas"]


@pytest.mark.parametrize("path", ["/invitations", "/keys", "/sign-in-links", "/workers"])
async def test_nothing_is_made_for_a_person_that_is_not_there(world: World, path: str) -> None:
    body: dict[str, Any] = {"person_id": NOBODY}
    body |= {"name": "ci", "scope": "read"} if path == "/keys" else {}
    if path == "/workers":
        body |= {"name": "gpu", "capabilities": [{"kind": "ml.train"}]}
    problem(await world.rest.post(path, json=body), 404, "person_unknown")


async def test_a_hundred_tasks_at_once_are_a_hundred_jobs(world: World) -> None:
    answers = await asyncio.gather(
        *(world.rest.post("/tasks", json={"kind": "ml.models"}) for _ in range(100))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["job_id"] for answer in answers}) == 100
