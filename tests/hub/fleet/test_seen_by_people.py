"""The fleet among a person's computers: what they read of it, and what they may do with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from hub.core.fleet_calls import FleetNode, FleetQueue, FleetSeen
from hub.core.placement import WaitingReason
from hub.frontends.web.pages.hub_state import fleet_says
from hub.frontends.web.waits import why_line
from hub.services.requests import Request
from shared.errors import Conflict
from shared.jobs import Priority
from tests.brokers.redis import RedisServer
from tests.hub.fleet.world import RUN, FleetWorld, fleet_world
from tests.hub.frontends.web.reader import a_reader

NOW = datetime(2026, 7, 4, 14, 2, tzinfo=UTC)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with RedisServer(tmp_path / "redis") as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path, server: RedisServer) -> AsyncIterator[FleetWorld]:
    async with fleet_world(tmp_path / "hub", server.url, kinds=RUN.name) as opened:
        await opened.until_up()
        yield opened


async def said(world: FleetWorld, text: str) -> dict[str, object]:
    """Say something in a chat; the immediate answer."""
    answer = await world.rest.post("/chat/messages", json={"text": text})
    [told] = answer.json()["answers"]
    return dict(told)


async def test_chats_tell_of_it_without_slots_a_version_or_a_way_to_disconnect_it(
    world: FleetWorld,
) -> None:
    told = await said(world, "/worker fleet")
    assert told["text"] == (
        "fleet: ready for what your own computers have no room for\n"
        "Machines that this hub runs for many: work goes there when your own computers have no "
        "room. What names your files or folders never does.\n"
        "It runs: probe.run."
    )
    assert told["offers"] == [{"label": "Pause", "says": "/worker fleet pause", "url": ""}]
    assert "Nothing is connected" in str((await said(world, "/disconnect"))["text"])
    await said(world, "/worker fleet pause")
    assert (await said(world, "/workers"))["text"] == (
        "fleet: paused. /worker fleet resume lets it take your work again."
    )


@pytest.mark.parametrize("words", ["/worker fleet revoke", "/disconnect fleet"])
async def test_it_cannot_be_shown_out_for_it_would_be_back_at_once(
    world: FleetWorld, words: str
) -> None:
    before = await world.fleet()
    assert before is not None
    told = await said(world, words)
    assert told["text"] == (
        "⚠ fleet is no computer of yours but the fleet of this hub, and cannot be shown out. "
        "Pause it, and nothing more of yours goes there."
    )
    with pytest.raises(Conflict, match="cannot be shown out"):
        await world.hub.services.registry.revoke(world.owner.person_id, before.worker_id, "me")
    assert await world.fleet() == before


async def test_nobody_logs_in_there_so_nothing_starts_at_login(world: FleetWorld) -> None:
    told = await said(world, "/worker fleet autostart on")
    assert "fleet is no computer with a desktop" in str(told["text"])
    assert not await world.hub.services.views.jobs(world.owner.person_id)


async def test_pages_tell_of_the_fleet_and_not_of_a_thousand_slots(
    world: FleetWorld, server: RedisServer
) -> None:
    fleet = await world.fleet()
    assert fleet is not None
    async with a_reader(world.hub) as browser:
        listed, page, queue, hub = [
            (await browser.get(path)).text
            for path in ("/workers", f"/workers/{fleet.worker_id}", "/queue", "/hub")
        ]
        for text in (listed, page, queue):
            assert "1,000" not in text
            assert ">1000<" not in text
            assert "Fetches its work" not in text
        assert "Machines of this hub" in listed
        assert "Show out" not in page
        assert "in the fleet, and on 0 computers online" in queue
        assert "Broker answers" in hub
        assert "No node is here." in hub
        assert "0 of 0 online" in hub
        out = await browser.get(f"/workers/{fleet.worker_id}/out")
        assert out.status == httpx.codes.CONFLICT
        server.kill()
        await world.until_up(is_up=False)
        listed, hub = [(await browser.get(path)).text for path in ("/workers", "/hub")]
        assert "The hub cannot reach the fleet" in listed
        assert "Broker is away" in hub
        assert "does not answer" in hub


async def test_a_job_says_that_the_fleet_cannot_be_reached(
    world: FleetWorld, server: RedisServer
) -> None:
    server.kill()
    await world.until_up(is_up=False)
    job = await world.ask()
    waiting = await world.hub.services.views.why_waiting(job.job_id)
    assert waiting is not None
    assert why_line(waiting, NOW, lambda _: "14:02") == (
        "fleet cannot be reached now, last seen 14:02"
    )
    assert (await said(world, "/workers"))["text"] == (
        "fleet: cannot be reached now; its broker does not answer"
    )


async def test_whoever_has_but_the_fleet_is_told_to_connect_a_computer(world: FleetWorld) -> None:
    request = Request(person_id=world.owner.person_id, kind="ml.train", inputs={"file": "a.csv"})
    job = (await world.hub.services.intake.request(request)).card
    waiting = await world.hub.services.views.why_waiting(job.job_id)
    assert waiting is not None
    assert waiting.reason is WaitingReason.NO_WORKER


def node(*, is_draining: bool = False) -> FleetNode:
    return FleetNode(
        node="one",
        instance="",
        pool="",
        kinds=(RUN.name,),
        slots=2,
        held=1,
        is_draining=is_draining,
        idle_since=None,
        since=NOW,
        seen_at=NOW,
    )


def test_the_hubs_page_says_what_the_fleet_has_to_do_and_who_does_it() -> None:
    queue = FleetQueue(kind=RUN.name, priority=Priority.DEFAULT, waiting=3, running=1)
    seen = FleetSeen(is_configured=True, kinds=(RUN.name,), queues=(queue,), nodes=(node(),))
    assert fleet_says(seen) == "1 node with 2 slots. 3 jobs waiting, 1 running."
    leaving = FleetSeen(
        is_configured=True, kinds=(RUN.name,), nodes=(node(), node(is_draining=True))
    )
    assert fleet_says(leaving) == "2 nodes with 4 slots, 1 draining. 0 jobs waiting, 0 running."
    assert fleet_says(FleetSeen(is_configured=True)).endswith(
        "HUB_FLEET_KINDS names no kind of work."
    )
