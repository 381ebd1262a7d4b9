"""What workers say of themselves beyond what they can do: what they lack, and their time zone."""

from __future__ import annotations

import pytest

from hub.core.placement import WaitingReason
from hub.services.zones import time_zone
from shared.capabilities import Lacking
from shared.messages import Hello
from tests.hub.worlds import World

LACK = Lacking(kind="probe.run", command="deskhand setup ml", download_mb=150)


async def test_a_job_nobody_can_run_names_what_its_machine_lacks(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    pc.lacking = (LACK,)
    pc.capabilities = ()
    await pc.come()
    pc.go()
    await world.restart()
    card = await world.request(anna, "probe.run")
    waiting = await world.services.views.why_waiting(card.job_id)
    assert waiting is not None
    assert (waiting.reason, waiting.worker) == (WaitingReason.KIND_MISSING, "anna-pc")
    assert waiting.lacking == LACK
    pc.lacking = ()
    await pc.come()
    waiting = await world.services.views.why_waiting(card.job_id)
    assert waiting is not None
    assert waiting.lacking is None


async def test_a_command_that_is_shown_to_people_is_one_harmless_line(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    pc.capabilities = ()
    pc.lacking = (Lacking(kind="probe.run", command="get it\n\x1b[2J\u202e now"),)
    await pc.come()
    card = await world.request(anna, "probe.run")
    waiting = await world.services.views.why_waiting(card.job_id)
    assert waiting is not None
    assert waiting.lacking is not None
    assert waiting.lacking.command == "get it �[2J� now"


async def test_a_persons_clock_is_that_of_the_worker_seen_last(world: World) -> None:
    anna, bert = await world.person(), await world.person("bert")
    views = world.services.views
    assert await views.zone(anna.person_id) is None
    pc, laptop = await world.desk(anna), await world.desk(anna, "laptop")
    for desk, zone in ((pc, "Europe/Vienna"), (laptop, "Asia/Tokyo")):
        desk.zone = zone
        await desk.come()
        world.clock.advance(60)
        assert str(await views.zone(anna.person_id)) == zone
    assert await views.zone(bert.person_id) is None
    await pc.come()
    assert str(await views.zone(anna.person_id)) == "Europe/Vienna"


async def test_a_server_in_utc_does_not_set_a_persons_clock(world: World) -> None:
    anna = await world.person()
    pc, server = await world.desk(anna), await world.desk(anna, "server")
    pc.zone, server.zone = "Europe/Vienna", "Etc/UTC"
    await pc.come()
    world.clock.advance(60)
    await server.come()
    assert str(await world.services.views.zone(anna.person_id)) == "Europe/Vienna"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Nowhere/Never",
        "Europe",
        "../../etc/passwd",
        "/etc/passwd",
        "a\x00b",
        "\ud800",
        "é" * 70,
    ],
)
def test_a_zone_there_is_not_is_no_zone(name: str) -> None:
    assert time_zone(name) is None


async def test_what_a_worker_calls_its_system_is_one_harmless_line(world: World) -> None:
    anna = await world.person()
    pc = await world.desk(anna)
    told = Hello(
        device=pc.worker_id,
        epoch=1,
        name=pc.name,
        platform="Linux\n⚠ Locked.\x1b[2J",
        app_version="1\u202e0",
        capabilities=(),
        slots=1,
        outbox_seq=0,
        hub_seq=0,
    )
    await world.services.registry.introduce(pc.worker_id, told)
    [card] = await world.services.views.workers(anna.person_id)
    assert card.worker.platform == "Linux ⚠ Locked.�[2J"
    assert card.worker.app_version == "1�0"
