"""Somebody else's things do not exist, whatever is done to them, and the owner may ask for all."""

from __future__ import annotations

import pytest

from hub.core.access import Scope, parse_key
from tests.hub.frontends.web.reader import Reader, a_reader
from tests.hub.frontends.web.seeds import belongings, dead_letter, owner_of
from tests.hub.frontends.world import World
from tests.pairing import Computer

PAGES = (
    "/workers/{worker}",
    "/workers/{worker}/out",
    "/dead/{dead}/purge",
    "/sessions/{session}",
    "/keys/{key}",
    "/webhooks/{webhook}",
    "/webhooks/{webhook}/delete",
)
DEEDS = (
    "/workers/{worker}/pause",
    "/workers/{worker}/resume",
    "/workers/{worker}/out",
    "/pair/{join}/approve",
    "/pair/{join}/reject",
    "/dead/{dead}/requeue",
    "/dead/{dead}/purge",
    "/sessions/{session}/end",
    "/schedules/{schedule}/pause",
    "/schedules/{schedule}/resume",
    "/schedules/{schedule}/run",
    "/schedules/{schedule}/delete",
    "/keys/{key}/rotate",
    "/keys/{key}/revoke",
    "/webhooks/{webhook}",
    "/webhooks/{webhook}/on",
    "/webhooks/{webhook}/off",
    "/webhooks/{webhook}/test",
    "/webhooks/{webhook}/rotate",
    "/webhooks/{webhook}/delete",
    "/webhooks/{webhook}/deliveries/{delivery}/redeliver",
)
LISTS = (
    "/workers", "/pair", "/queue", "/dead", "/sessions", "/schedules", "/activity", "/audit",
    "/audit.csv", "/audit.jsonl", "/keys", "/webhooks",
)  # fmt: skip


async def test_nobody_sees_or_touches_what_is_another_ones(world: World) -> None:
    worker = await world.pair("anna-pc")
    async with worker.online():
        mine = await belongings(world, worker)
        before = await world.hub.services.views.worker(worker.worker_id)
        ben = await world.hub.services.registry.add_person("ben")
        async with a_reader(world.hub, ben.person_id) as reader:
            for pattern in PAGES:
                assert (await reader.get(mine.path(pattern))).status == 404, pattern
            for pattern in DEEDS:
                path = f"{mine.path(pattern)}?who=everyone"
                assert (await reader.post(path, url="https://a.example")).status == 404, pattern
            for path in LISTS:
                page = await reader.get(path, who="everyone")
                assert page.status == 200, path
                told = page.html
                assert "anna-pc" not in told, path
                assert all(thing not in told for thing in mine.__dict__.values()), path
            assert (await reader.get("/hub")).status == 404
    after = await world.hub.services.views.worker(worker.worker_id)
    assert before is not None
    assert after is not None
    assert after.worker.is_paused is before.worker.is_paused is False
    assert len(await world.hub.services.views.dead_letters(await owner_of(world))) == 1


async def test_deeds_on_many_touch_ones_own_alone(world: World) -> None:
    services, owner = world.hub.services, await owner_of(world)
    mine = await dead_letter(world, "mine.csv")
    ben = await services.registry.add_person("ben")
    async with a_reader(world.hub, ben.person_id) as reader:
        selected = {f"job:{mine.job_id}": "on"}
        assert "Nothing was selected" in (await reader.post("/dead/requeue", **selected)).toast
        assert "Nothing" in (await reader.post("/dead/requeue-all?who=everyone")).toast
        assert "0 dead letters" in (await reader.post("/dead/purge?who=everyone")).toast
        assert [card.job_id for card in await services.views.dead_letters(owner)] == [mine.job_id]
        await services.intake.requeue_dead(owner)
        undo = f"/dead/unrequeue?after=0&upto={services.feed.position()}&who=everyone"
        assert "Too late" in (await reader.post(undo)).toast
    assert await services.views.dead_letters(owner) == ()


@pytest.mark.parametrize("pattern", PAGES)
async def test_what_is_unknown_is_not_found(reader: Reader, pattern: str) -> None:
    nothing = "019aa000-0000-7000-8000-00000000ffff"
    names = ("worker", "dead", "session", "schedule", "key", "webhook")
    path = pattern.format(**dict.fromkeys(names, nothing))
    assert (await reader.get(path)).status == 404


async def test_the_owner_sees_everybodys_only_when_asked_to(world: World, reader: Reader) -> None:
    services = world.hub.services
    ben = await services.registry.add_person("ben")
    paired = await Computer("bens-pc").pair(services, ben.person_id)
    ben_key = await services.keys.issue(ben.person_id, Scope.READ, name="bens program")
    key_path = f"/keys/{parse_key(ben_key).key_id}"
    assert "bens program" not in (await reader.get("/keys")).text
    assert (await reader.post(f"{key_path}/revoke")).status == 404
    assert "bens program" in (await reader.get("/keys", who="everyone")).text
    assert (await reader.post(f"{key_path}/revoke?who=everyone")).status == 200
    assert "bens-pc" not in (await reader.get("/workers")).text
    assert (await reader.get(f"/workers/{paired.worker_id}")).status == 404
    everybodys = await reader.get("/workers", who="everyone")
    assert "bens-pc" in everybodys.text
    assert f"/workers/{paired.worker_id}?who=everyone" in everybodys.links
    paused = await reader.post(f"/workers/{paired.worker_id}/pause?who=everyone")
    assert paused.toast == "bens-pc takes nothing new."
    card = await services.views.worker(paired.worker_id)
    assert card is not None
    assert card.worker.is_paused
