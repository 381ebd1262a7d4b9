"""Flower, started beside a broker, lists what the fleet does under names that people can read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.ids import short
from shared.jobs import JobState
from tests.brokers.redis import RedisServer
from tests.brokers.server import free_port
from tests.flows.fleet import Fleet, a_fleet, kill, wait_for
from tests.flows.fleet_programs import start

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

NAME, PASSWORD = "anna", "a password of this test"
Json = dict[str, object]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with a_fleet(tmp_path, RedisServer(tmp_path / "broker"), is_play=True) as one:
        yield one


@contextlib.contextmanager
def flower_of(fleet: Fleet) -> Iterator[httpx.Client]:
    """Run Flower; its API is called with the name and password that it wants."""
    port = free_port()
    process = start(
        "celery", "--broker", fleet.broker.url, "flower", "--address=127.0.0.1", f"--port={port}",
        f"--basic-auth={NAME}:{PASSWORD}",
        log=fleet.log("flower"), HOME=str(fleet.folder), PATH=os.environ["PATH"],
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, auth=(NAME, PASSWORD), trust_env=False) as client:
            wait_for("Flower answers", lambda: is_up(client))
            yield client
    finally:
        kill(process)


def is_up(client: httpx.Client) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return client.get("/healthcheck").is_success
    return False


def tasks(client: httpx.Client) -> dict[str, Json]:
    answer = client.get("/api/tasks")
    assert answer.status_code == 200, answer.text
    found: dict[str, Json] = answer.json()
    return found


def test_flower_shows_our_tasks_by_kind_and_state(fleet: Fleet) -> None:
    with flower_of(fleet) as client:
        fleet.start_node("node-1", slots=3)
        fleet.until_here("node-1")
        wait_for("Flower sees the node", lambda: "deskhand@node-1" in client.get("/workers").text)

        counted = fleet.ask_for("count", "play.count", number=2)
        refused = fleet.ask_for("refuse", "play.refuse", text="words of anna's")
        hangs = fleet.ask_for("hang", "play.hang")
        fleet.until(counted, JobState.SUCCEEDED)
        fleet.until(refused, JobState.FAILED)
        fleet.until(hangs, JobState.RUNNING)

        wanted = {
            "deskhand.play.count": "SUCCESS",
            "deskhand.play.refuse": "FAILURE",
            "deskhand.play.hang": "STARTED",
        }

        def states() -> dict[object, object]:
            return {one["name"]: one["state"] for one in tasks(client).values()}

        wait_for("Flower knows how they came out", lambda: states() == wanted)
        told = tasks(client)
        (count_id,) = [uuid for uuid in told if uuid.startswith(counted)]
        assert count_id == f"{counted}:1:1"
        assert f"#{short(counted)} attempt 1" in str(told[count_id]["kwargs"])
        assert "words of anna's" not in str(told)
        assert httpx.get(f"{client.base_url}/api/tasks", trust_env=False).status_code == 401
        fleet.client.cancel_job(hangs)
        fleet.until(hangs, JobState.CANCELLED)
