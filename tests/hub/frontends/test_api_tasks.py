"""Tasks and jobs over REST: found again, changed as they were read, gone on with, forgotten."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.store import jobs
from shared.events import JobLogged
from shared.trace import parse
from tests.hub.frontends.test_api import NOBODY, problem
from tests.hub.frontends.test_sse import ask
from tests.hub.frontends.world import PuppetWorker, World, until


async def run(world: World, worker: PuppetWorker, *, lines: int = 0, **result: Any) -> Any:
    """Ask for a job and play it to its end; what the API says of its task."""
    made = await ask(world)
    grant = await worker.grant_of(made["job_id"])
    await worker.starts(grant)
    for start in range(0, lines, 100):
        told = tuple(f"line {n}" for n in range(start + 1, min(start + 100, lines) + 1))
        body = JobLogged(job_id=grant.job_id, attempt=1, fence=grant.fence, lines=told)
        await worker._report(body)
    await worker.succeeds(grant, {"headline": "Done.", **result})
    await until(lambda: worker.acked == len(worker.log))
    return made


async def test_tasks_are_listed_filtered_and_paged(world: World) -> None:
    bodies = [
        {"kind": kind, "priority": priority}
        for kind in ("ml.models", "ml.train")
        for priority in ("high", "low")
    ]
    made = [(await world.rest.post("/tasks", json=body)).json() for body in bodies]
    ids = [task["task_id"] for task in reversed(made)]

    async def found(query: str) -> list[str]:
        answer = (await world.rest.get(f"/tasks?{query}")).json()
        return [task["task_id"] for task in answer["tasks"]]

    assert await found("") == ids
    assert await found("sort=oldest") == ids[::-1]
    assert await found("kind=ml.train") == ids[:2]
    assert await found("kind=ml.train&priority=high") == [ids[1]]
    assert await found("state=running&state=dead") == []
    assert await found("state=queued&limit=200") == ids
    assert await found("origin=chat") == []
    assert await found("until=2020-01-01T00:00:00Z") == []
    assert await found(f"q=%23{made[0]['short']}") == [made[0]["task_id"]]
    paged: list[str] = []
    cursor = ""
    for _ in range(4):
        page = (await world.rest.get(f"/tasks?limit=1{cursor}")).json()
        paged += [task["task_id"] for task in page["tasks"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert paged == ids
    first = (await world.rest.get("/tasks?limit=1")).json()["next_cursor"]
    other = await world.rest.get(f"/tasks?sort=oldest&cursor={first}")
    problem(other, 404, "page_unknown")


async def test_a_task_is_told_with_its_jobs_and_an_etag(world: World) -> None:
    made = await ask(world)
    url = f"/tasks/{made['task_id']}"
    answer = await world.rest.get(url)
    task = answer.json()
    assert [job["job_id"] for job in task["jobs"]] == [made["job_id"]]
    assert (task["job_count"], task["waiting"], task["origin"]) == (1, "no_worker", "api")
    assert answer.headers["etag"] == f'"{task["version"]}"'
    again = await world.rest.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await world.rest.post(f"/jobs/{made['job_id']}/cancel")
    changed = await world.rest.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"] != answer.headers["etag"]


async def test_a_change_is_for_what_was_read(world: World) -> None:
    made = await ask(world)
    url = f"/tasks/{made['task_id']}"
    patch = {"title": "Look at the models", "priority": "high"}
    problem(await world.rest.patch(url, json=patch), 428, "version_missing")
    stale = (await world.rest.get(url)).headers["etag"]
    changed = await world.rest.patch(url, json=patch, headers={"If-Match": stale})
    assert (changed.json()["title"], changed.json()["priority"]) == ("Look at the models", "high")
    assert changed.headers["etag"] == (await world.rest.get(url)).headers["etag"] != stale
    for refused in (stale, f"W/{changed.headers['etag']}"):
        late = await world.rest.patch(url, json={"title": "x"}, headers={"If-Match": refused})
        problem(late, 412, "task_changed")
    whatever = {"If-Match": "*"}
    assert (await world.rest.patch(url, json={"title": "y"}, headers=whatever)).status_code == 200
    bad = await world.rest.patch(url, json=patch, headers={"If-Match": "5f0c"})
    problem(bad, 422, "version_unreadable")
    events = (await world.rest.get("/events?after=0&types=task_changed")).json()["events"]
    assert [event["body"]["title"] for event in events] == ["Look at the models", "y"]
    assert events[0]["body"]["priority"] == "high"
    assert events[0]["body"]["by"] == "me on the API"


async def test_a_change_that_changes_nothing_is_told_nobody(world: World) -> None:
    made = await ask(world)
    before = world.hub.services.feed.position()
    url, whatever = f"/tasks/{made['task_id']}", {"If-Match": "*"}
    patch = {"title": made["title"], "priority": made["priority"]}
    assert (await world.rest.patch(url, json=patch, headers=whatever)).status_code == 200
    assert (await world.rest.patch(url, json={}, headers=whatever)).status_code == 200
    assert world.hub.services.feed.position() == before


async def test_what_waits_with_a_higher_priority_runs_first(world: World) -> None:
    first, second = await ask(world), await ask(world)
    patch = {"priority": "high"}
    url = f"/tasks/{second['task_id']}"
    await world.rest.patch(url, json=patch, headers={"If-Match": "*"})
    worker = await world.pair()
    worker.slots = 1
    async with worker.online():
        grant = await worker.any_grant()
        assert grant.job_id == second["job_id"] != first["job_id"]


async def test_a_task_is_gone_on_with(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        made = await run(world, worker)
        url = f"/tasks/{made['task_id']}/jobs"
        body = {"kind": "files.send", "inputs": {"file": f"#{made['job_id']}"}}
        answer = await world.rest.post(url, json=body, headers={"Idempotency-Key": "once"})
        again = await world.rest.post(url, json=body, headers={"Idempotency-Key": "once"})
        assert (answer.status_code, again.status_code) == (201, 201)
        job = answer.json()
        assert job["job_id"] == again.json()["job_id"]
        assert answer.headers["location"] == f"/api/v1/jobs/{job['job_id']}"
        assert job["task_id"] == made["task_id"]
    task = (await world.rest.get(f"/tasks/{made['task_id']}")).json()
    assert (task["job_count"], task["job_id"]) == (2, job["job_id"])
    plan = (await world.rest.get(f"/tasks/{made['task_id']}/plan")).json()
    assert [(s["number"], s["job_id"], s["needs"]) for s in plan["steps"]] == [
        (1, made["job_id"], []),
        (2, job["job_id"], [made["job_id"]]),
    ]


async def test_only_what_has_ended_can_be_forgotten(world: World) -> None:
    made = await ask(world)
    url = f"/tasks/{made['task_id']}"
    problem(await world.rest.delete(url), 409, "task_not_ended")
    await world.rest.post(f"/jobs/{made['job_id']}/cancel")
    assert (await world.rest.delete(url)).status_code == 204
    problem(await world.rest.get(url), 404, "task_unknown")
    problem(await world.rest.delete(url), 404, "task_unknown")
    problem(await world.rest.get(f"/jobs/{made['job_id']}"), 404, "job_unknown")


async def test_a_log_is_read_by_the_numbers_of_its_lines(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        made = await run(world, worker, lines=250)
    url = f"/jobs/{made['job_id']}/log"

    async def page(query: str) -> tuple[list[int], int | None]:
        told = (await world.rest.get(f"{url}?{query}")).json()
        assert told["total"] == 250
        assert all(line["text"] == f"line {line['number']}" for line in told["lines"])
        return [line["number"] for line in told["lines"]], told["next_after"]

    assert await page("limit=120") == (list(range(1, 121)), 120)
    assert await page("after=120&limit=200") == (list(range(121, 251)), None)
    assert await page("after=250") == ([], None)
    assert await page("after=9999") == ([], None)
    assert await page("tail=true&limit=3") == ([248, 249, 250], None)
    assert await page("q=LINE%2025") == ([25, 250], None)
    assert await page("q=line%2025&limit=1") == ([25], 25)
    whole = await world.rest.get(url, headers={"Accept": "text/plain"})
    assert whole.headers["content-type"].startswith("text/plain")
    assert whole.headers["content-disposition"] == f'attachment; filename="job-{made["short"]}.log"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.text.splitlines() == [f"line {n}" for n in range(1, 251)]


async def test_a_job_that_said_nothing_has_an_empty_log(world: World) -> None:
    made = await ask(world)
    told = (await world.rest.get(f"/jobs/{made['job_id']}/log")).json()
    assert told == {"lines": [], "total": 0, "next_after": None}


async def test_files_are_told_with_the_place_they_are_in(world: World) -> None:
    ref = {"name": "out.csv", "sha256": "a" * 64, "size_bytes": 3, "media_type": "text/csv"}
    worker = await world.pair()
    async with worker.online():
        made = await run(world, worker, files=["kept.csv"], sends=[ref])
    listed = (await world.rest.get(f"/jobs/{made['job_id']}/artifacts")).json()["artifacts"]
    assert [(a["name"], a["place"], a["url"]) for a in listed] == [
        ("out.csv", "coming", None),
        ("kept.csv", "worker", None),
    ]
    assert listed[1]["worker_id"] == worker.worker_id
    problem(await world.rest.get(f"/artifacts/{'a' * 64}"), 503, "file_not_here")
    problem(await world.rest.get(f"/artifacts/{'b' * 64}"), 404, "file_unknown")


async def test_a_waiting_job_goes_to_another_computer(world: World) -> None:
    worker = await world.pair("office-pc")
    made = await ask(world)
    moved = await world.rest.post(f"/jobs/{made['job_id']}/move", json={"worker": "Office-PC"})
    assert moved.json()["state"] == "queued"
    nowhere = await world.rest.post(f"/jobs/{made['job_id']}/move", json={"worker": "x"})
    problem(nowhere, 404, "worker_unknown")
    async with worker.online():
        await worker.grant_of(made["job_id"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tasks/{task_id}"),
        ("PATCH", "/tasks/{task_id}"),
        ("DELETE", "/tasks/{task_id}"),
        ("GET", "/tasks/{task_id}/plan"),
        ("POST", "/tasks/{task_id}/jobs"),
    ],
)
async def test_a_task_that_is_not_there_is_not_found(world: World, method: str, path: str) -> None:
    body = {"kind": "ml.models"} if method == "POST" else {}
    answer: httpx.Response = await world.rest.request(
        method, path.format(task_id=NOBODY), json=body, headers={"If-Match": "*"}
    )
    problem(answer, 404, "task_unknown")


async def test_a_request_goes_on_with_its_callers_trace_and_the_answer_names_it(
    world: World,
) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    told = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    made = await world.rest.post("/tasks", json={"kind": "ml.models"}, headers=told)
    assert made.headers["traceparent"].split("-")[1] == trace_id
    job_id = made.json()["job_id"]
    kept = await world.hub.database.read(lambda c: jobs.traceparent_of(c, job_id))
    assert kept == made.headers["traceparent"]
    refused = await world.rest.post("/tasks", json={"kind": "nonsense"}, headers=told)
    assert refused.headers["traceparent"].split("-")[1] == trace_id


async def test_a_request_without_a_valid_trace_begins_one(world: World) -> None:
    seen = set()
    for told in ("", "hello", "00-" + "0" * 32 + "-00f067aa0ba902b7-01"):
        answer = await world.rest.get("/status", headers={"traceparent": told} if told else {})
        found = parse(answer.headers["traceparent"])
        assert found is not None
        seen.add(found.trace_id)
    assert len(seen) == 3
