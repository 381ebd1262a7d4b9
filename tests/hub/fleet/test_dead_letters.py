"""A job of the fleet that fails in every try is a dead letter like a computer's; real Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from hub.core.access import Scope
from hub.store.fleet import FleetAttempt
from shared.environment import Environment
from shared.jobs import ATTEMPTS_MAX
from tests.brokers.redis import redis_server
from tests.hub.frontends.world import HastyClock, World, open_world

BUSY = {"code": "provider_busy", "message": "The provider is busy.", "retryable": True}
ASKED = {"kind": "web.search", "inputs": {"query": "honey bees"}}
PATIENCE_SECONDS = 30.0
LONG_ENOUGH_SECONDS = 40
"""Longer than any wait between tries, shorter than a node's silence may be."""


async def next_attempt(world: World, job_id: str, before: int) -> FleetAttempt:
    """Wait until the broker has the ticket of a job's next attempt; each look is a call."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for one in await world.hub.services.fleet.attempts():
                if one.job_id == job_id and one.fence > before and one.published_at is not None:
                    return one
            world.hub.services.dispatcher.stir()
            state = (await world.rest.get(f"/jobs/{job_id}")).json()["state"]
            assert state in ("queued", "granted"), state


async def fail(node: httpx.AsyncClient, attempt: FleetAttempt, name: str) -> None:
    """Play a node that takes the ticket, begins, and fails."""
    grant = {"attempt": attempt.ticket.attempt, "fence": attempt.fence}
    delivery = f"delivery-{attempt.fence}"
    path = f"/fleet/attempts/{attempt.job_id}"
    begun = await node.post(f"{path}/start", json={**grant, "node": name, "delivery": delivery})
    assert begun.status_code == 200, begun.text
    event = {"type": "job_failed", "job_id": attempt.job_id, **grant, "error": BUSY}
    told = await node.post(
        f"{path}/events", json={"delivery": delivery, "number": 1, "event": event}
    )
    assert told.status_code == 200, told.text


async def test_a_fleets_job_that_fails_each_time_dies_is_found_and_is_queued_again(
    tmp_path: Path,
) -> None:
    clock = HastyClock()
    async with (
        redis_server(tmp_path / "redis") as broker,
        open_world(
            tmp_path / "hub",
            Environment(clock=clock),
            fleet_broker=broker,
            fleet_kinds="web.search",
        ) as world,
    ):
        owner = (await world.hub.services.registry.people())[0].person_id
        key = await world.hub.services.keys.issue(owner, Scope.FLEET)
        headers = {"Authorization": f"Bearer {key}"}
        url = str(world.rest.base_url)
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, verify=False
        ) as node:
            job_id = (await world.rest.post("/tasks", json=ASKED)).json()["job_id"]
            fence = 0
            for number in range(ATTEMPTS_MAX):
                attempt = await next_attempt(world, job_id, fence)
                fence = attempt.fence
                await fail(node, attempt, f"node-{number}")
                clock.ahead_seconds += LONG_ENOUGH_SECONDS

            [dead] = (await world.rest.get("/dead-letters", params={"fleet": True})).json()["jobs"]
            assert (dead["job_id"], dead["state"]) == (job_id, "dead")
            told = (await world.rest.get(f"/dead-letters/{job_id}")).json()
            assert [one["node"] for one in told["tries"]] == ["node-0", "node-1", "node-2"]
            for one in told["tries"]:
                assert (one["worker"], one["error"]["code"]) == ("fleet", "provider_busy")
                assert one["started_at"] <= one["failed_at"]

            again = await world.rest.post(f"/dead-letters/{job_id}/requeue")
            assert (again.status_code, again.json()["failures"]) == (200, 0)
            attempt = await next_attempt(world, job_id, fence)
            await fail(node, attempt, "node-9")
            assert (await world.rest.get("/dead-letters")).json()["jobs"] == []
            task_id = (await world.rest.get(f"/jobs/{job_id}")).json()["task_id"]
            await world.rest.post(f"/jobs/{job_id}/cancel")
            assert (await world.rest.delete(f"/tasks/{task_id}")).status_code == 204
