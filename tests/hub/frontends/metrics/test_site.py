"""GET /metrics of a real hub: who may read it, what stands in it, what it draws in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.core.access import Scope
from hub.frontends.metrics.catalogue import FIGURES, PREFIX, Sort
from shared.errors import DISK_FULL, Unavailable
from tests.hub.frontends.world import World, until
from tests.makers import LASTING

Told = dict[tuple[str, frozenset[tuple[str, str]]], float]
TITLE = "The secret plans of anna"


async def key_of(world: World, scope: Scope) -> dict[str, str]:
    [owner] = await world.hub.services.registry.people()
    key = await world.hub.services.keys.issue(owner.person_id, scope)
    return {"Authorization": f"Bearer {key}"}


async def scrape(world: World, headers: dict[str, str] | None = None) -> str:
    headers = headers or await key_of(world, Scope.METRICS)
    async with httpx.AsyncClient(base_url=world.url, trust_env=False, verify=False) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def read(text: str) -> Told:
    return {
        (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(told: Told, name: str, **labels: str) -> float:
    return told[name, frozenset(labels.items())]


@pytest.mark.parametrize("scope", Scope)
async def test_only_keys_for_figures_and_the_operators_open_them(
    world: World, scope: Scope
) -> None:
    headers = await key_of(world, scope)
    async with httpx.AsyncClient(base_url=world.url, trust_env=False, verify=False) as client:
        answer = await client.get("/metrics", headers=headers)
    if scope in (Scope.METRICS, Scope.ADMIN):
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")
        assert "--scope metrics" in answer.json()["hint"]


async def test_nobody_reads_them_without_a_key_also_from_the_hubs_own_machine(
    world: World,
) -> None:
    async with httpx.AsyncClient(base_url=world.url, trust_env=False, verify=False) as client:
        bare = await client.get("/metrics")
        wrong = await client.get("/metrics", headers={"Authorization": "Bearer dh_metrics_a_b"})
        posted = await client.post("/metrics", headers=await key_of(world, Scope.METRICS))
    assert (bare.status_code, bare.json()["code"]) == (401, "key_missing")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "key_invalid")
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


async def test_a_key_for_figures_opens_nothing_else(world: World) -> None:
    headers = await key_of(world, Scope.METRICS)
    for path in ("/status", "/queue", "/jobs", "/people", "/keys"):
        answer = await world.rest.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "key_scope")


async def test_every_figure_is_told_under_its_name_and_with_its_labels(world: World) -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(await scrape(world))
    }
    for figure in FIGURES.values():
        family = families[figure.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (figure.sort, figure.help)
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(figure.labels)
    others = families.keys() - {f.name.removesuffix("_total") for f in FIGURES.values()}
    assert {name.partition("_")[0] for name in others} <= {"process"}


def test_names_end_as_prometheus_wants_them() -> None:
    for figure in FIGURES.values():
        assert figure.name.endswith("_total") == (figure.sort is Sort.COUNTER)
        assert not figure.name.endswith(("_ms", "_mb", "_count", "_sum", "_bucket"))


async def test_a_job_is_seen_waiting_running_and_done(world: World) -> None:
    worker = await world.pair()
    asked = await world.rest.post("/tasks", json={"kind": "ml.train", "text": TITLE})
    assert asked.status_code == 201
    told = read(await scrape(world))
    assert value(told, "queue_jobs", priority="default", state="waiting") == 1
    assert value(told, "kind_jobs", kind="ml.train", state="waiting") == 1
    async with worker.online():
        grant = await worker.any_grant()
        await worker.starts(grant)
        await until(lambda: worker.acked == len(worker.log))
        told = read(await scrape(world))
        assert value(told, "queue_jobs", priority="default", state="running") == 1
        assert value(told, "workers_connected", engine="sockets") == 1
        assert value(told, "grants_held") == value(told, "worker_slots", state="used") == 1
        await worker.fails(grant, LASTING)
        await until(lambda: worker.acked == len(worker.log))
    async with worker.online():
        told = read(await scrape(world))
    assert value(told, "jobs_ended_total", kind="ml.train", end="failed") == 1
    assert value(told, "worker_connections_total") == 2
    assert value(told, "worker_reconnects_total") == 1
    assert value(told, "worker_disconnects_total", end="lost") == 1
    assert value(told, "job_wait_seconds_count") == 1
    assert value(told, "commit_seconds_count") >= 4
    assert value(told, "events_total", type="job_started") == 1


async def test_a_frame_that_is_none_is_counted_by_its_code(world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        assert worker._socket is not None
        await worker._socket.send("no JSON at all")
        await until(lambda: world.hub.engine.counts.rejected.total() == 1)
    told = read(await scrape(world))
    assert value(told, "frames_rejected_total", code="frame_malformed") == 1
    assert value(told, "worker_disconnects_total", end="rejected") == 1


async def test_nobody_and_nothing_of_theirs_is_named(world: World) -> None:
    worker = await world.pair("annas-own-laptop")
    async with worker.online():
        await world.rest.post("/tasks", json={"kind": "ml.train", "text": TITLE})
        grant = await worker.any_grant()
        text = await scrape(world)
    [owner] = await world.hub.services.registry.people()
    for private in (TITLE, "laptop", owner.person_id, worker.worker_id, grant.job_id):
        assert private not in text


async def test_a_store_in_trouble_is_told_and_figures_go_on(world: World) -> None:
    headers = await key_of(world, Scope.METRICS)
    world.hub.database.trouble = Unavailable(DISK_FULL, "No room.")
    told = read(await scrape(world, headers))
    world.hub.database.trouble = None
    assert value(told, "store_trouble", code="disk_full") == 1
    assert value(told, "store_trouble", code="store_corrupt") == 0


def test_a_hub_that_nobody_scrapes_imports_no_client_of_prometheus() -> None:
    check = (
        "import sys, hub.app, hub.frontends.metrics.site, hub.frontends.metrics.readings;"
        "assert 'prometheus_client' not in sys.modules, 'drawn in'"
    )
    subprocess.run([sys.executable, "-c", check], check=True, cwd=Path(__file__).parents[4])
