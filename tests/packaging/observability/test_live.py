"""Everything that dashboards and alerts ask is asked: a real Prometheus that scrapes a real hub."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.core.figures import Figures
from desktop.system.metrics_page import serving
from hub.core.access import Scope
from hub.core.fleet_calls import FleetNode, FleetQueue, FleetSeen
from hub.frontends.metrics.site import MetricsSite
from hub.routes import made_metrics
from hub.server import listen, server_of
from hub.settings import Settings
from shared.histogram import COMMIT_SECONDS, Histogram
from shared.ids import QuestionId
from shared.jobs import Priority
from tests.hub.frontends.world import PuppetWorker, World, open_world, until
from tests.makers import LASTING, make_asking
from tests.packaging.observability.prometheus import Prometheus, Result, prometheus
from tests.packaging.observability.stack import ALERTS, ALL_RULES, asked, panels

pytestmark = [
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not there"),
    pytest.mark.timeout(180),
]
QUIET = {
    "backup_newest_timestamp_seconds": "a hub that has just begun has no backup",
    "events_refused_total": "no worker told anything that the hub had to pass over",
}
"""What gives nothing here, by a name in the expression, and why that is right."""
FLEET = FleetSeen(
    is_configured=True,
    is_broker_up=True,
    kinds=("llm.ask",),
    queues=(
        FleetQueue(
            kind="llm.ask", priority=Priority.LOW, waiting=2, running=1, oldest_wait_seconds=3.0
        ),
    ),
    nodes=(
        FleetNode(
            node="n-1",
            instance="",
            pool="local",
            kinds=("llm.ask",),
            slots=2,
            held=1,
            is_draining=False,
            idle_since=None,
            since=datetime(2026, 11, 20, tzinfo=UTC),
            seen_at=datetime(2026, 11, 20, tzinfo=UTC),
        ),
    ),
)


@contextlib.asynccontextmanager
async def with_fleet(world: World) -> AsyncIterator[str]:
    """The same hub's figures at another address, with a fleet in them."""

    async def fleet() -> FleetSeen:
        return FLEET

    hub = world.hub
    site = made_metrics(
        hub.services,
        hub.engine,
        hub.host,
        hub.watch,
        hub.fleet_desk,
        environment=hub.environment,
        commit_seconds=hub.database.commit_seconds,
        version="1",
    )
    assert isinstance(site, MetricsSite)
    shown = MetricsSite(hub.services.keys, replace(site._sources, fleet=fleet))
    listener = listen(Settings(port=0, data=hub.settings.data))
    server = server_of(hub.settings, shown)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        await server.is_up.wait()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await asyncio.wait([serving])
    listener.close()


@contextlib.asynccontextmanager
async def worker_page() -> AsyncIterator[str]:
    """A worker's own figures, which change with each look."""
    commits = Histogram(COMMIT_SECONDS)

    async def read() -> Figures:
        commits.note(0.003)
        return Figures(
            link="online",
            running=1,
            memory_bytes=10**8,
            outbox_events=2,
            outbox_oldest_seconds=1.0,
            behind_events=0,
            commits=commits,
        )

    async with serving("127.0.0.1:0", read) as port:
        yield f"127.0.0.1:{port}"


async def work(world: World, worker: PuppetWorker) -> None:
    """One job ends well, one badly, one asks, one runs, one waits; and a line breaks."""
    for number in range(6):
        asked = await world.rest.post("/tasks", json={"kind": "ml.models", "text": f"job {number}"})
        assert asked.status_code == 201
    async with worker.online():
        for is_well in (True, False):
            grant = await worker.any_grant()
            await worker.starts(grant)
            if is_well:
                await worker.succeeds(grant, {"headline": "Done.", "models": []})
            else:
                await worker.fails(grant, LASTING)
            worker.grants.pop(grant.job_id)
            await until(lambda: worker.acked == len(worker.log))
        grant = await worker.any_grant()
        await worker.starts(grant)
        question = QuestionId("01900000-0000-7000-8000-000000000001")
        await worker.asks(grant, make_asking(), question)
        await until(lambda: worker.acked == len(worker.log))
        assert worker._socket is not None
        await worker._socket.send("nonsense")
        await until(lambda: world.hub.engine.counts.rejected.total() == 1)


@contextlib.asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that has seen a hub at work, and that goes on to look at it."""
    (folder / "hub").mkdir()
    async with contextlib.AsyncExitStack() as stack:
        world = await stack.enter_async_context(open_world(folder / "hub"))
        [owner] = await world.hub.services.registry.people()
        key = await world.hub.services.keys.issue(owner.person_id, Scope.METRICS)
        second = await stack.enter_async_context(with_fleet(world))
        hub = f"127.0.0.1:{world.hub.settings.port}"
        targets = {
            "hub": [hub, second],
            "workers": [await stack.enter_async_context(worker_page())],
        }
        seen = await stack.enter_async_context(prometheus(folder / "prometheus", targets, key))
        await seen.until('count(up{job="deskhand-hub"} == 1) == 2')
        worker = await world.pair()
        await work(world, worker)
        await stack.enter_async_context(worker.online())
        rejected = f'deskhand_hub_frames_rejected_total{{instance="{hub}"}}'
        await seen.until(f"sum(increase({rejected}[5m])) > 0")
        await seen.until("deskhand:commit_seconds:p99_5m > 0")
        await seen.until("sum(rate(deskhand_worker_commit_seconds_count[5m])) > 0")
        yield seen


def plain(expression: str) -> str:
    """Put in what Grafana puts in: everything is chosen."""
    chosen = re.sub(r"\$(instance|kind|pool)\b", ".*", expression)
    return chosen.replace("$__rate_interval", "5m")


def selectors(expression: str) -> set[str]:
    """Every choice of series in an expression, by itself."""
    return set(re.findall(r"\b(?:deskhand[\w:]+|process_\w+|up)\b(?:\{[^}]*\})?", expression))


def has_data(result: Result) -> bool:
    return any(not math.isnan(float(one["value"][1])) for one in result)


def is_quiet(expression: str) -> bool:
    return any(name in expression for name in QUIET)


async def test_every_question_of_dashboards_and_alerts_has_an_answer(tmp_path: Path) -> None:
    silent, needless = [], dict(QUIET)
    async with watched(tmp_path) as seen:
        for name, panel in panels():
            for expression in map(plain, asked(panel, "prometheus")):
                if has_data(await seen.ask(expression)):
                    continue
                if not is_quiet(expression):
                    silent.append(f"{name}, {panel['title']}: {expression}")
                for quiet in QUIET:
                    if quiet in expression:
                        needless.pop(quiet, None)
        for rule in ALL_RULES:
            await seen.ask(rule["expr"])  # may be silent: all is well
            for selector in selectors(rule["expr"]):
                if not await seen.ask(selector):
                    silent.append(f"{rule.get('alert')}: {selector}")
        firing = await seen.ask('ALERTS{alertstate="firing"}')
    assert not silent
    assert not needless, "they have answers: they need no excuse"
    assert not firing, "nothing is wrong with this hub"
    assert ALERTS
