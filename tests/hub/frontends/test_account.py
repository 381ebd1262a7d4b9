"""Disconnecting, locking and moving work, from what is typed to what has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.core.access import Scope
from hub.core.view import Inbound, Sender
from hub.frontends.door import admit
from shared.errors import NotAllowed
from shared.jobs import JobState
from tests.hub.frontends.test_inbox import pair, say, told
from tests.hub.frontends.test_outbox import HOME, Scene, open_scene
from tests.hub.frontends.world import open_world, until


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    opened = await open_scene(tmp_path)
    yield opened
    opened.hub.database.close()


async def jobs_in(scene: Scene, state: JobState) -> int:
    cards = await scene.hub.services.views.jobs(scene.person_id)
    return sum(card.state is state for card in cards)


async def test_lock_stops_what_waits_and_lets_nothing_new_start(scene: Scene) -> None:
    await pair(scene)
    await say(scene, "/train a.csv y")
    await say(scene, "/train b.csv y")
    assert (await told(scene, "/lock")).startswith("Locked. 2 jobs stopped. No chat can start")
    assert await jobs_in(scene, JobState.CANCELLED) == 2
    for text in ("/train c.csv", "/connect", "/answer K7Q2 1", "some words", "/disconnect"):
        assert (await told(scene, text)).startswith("⚠ This account is locked")
    assert len(await scene.hub.services.views.jobs(scene.person_id)) == 2


async def test_a_locked_account_is_told_how_to_open_it_and_may_lock_again(scene: Scene) -> None:
    await say(scene, "/lock")
    assert "deskhand unlock" in await told(scene, "/start")
    assert (await told(scene, "/lock")).startswith("Locked. No chat")
    assert (await told(scene, "/help lock")).startswith("Stop everything")


async def test_a_locked_persons_key_opens_nothing_and_the_operators_does(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        services = world.hub.services
        person = await services.registry.add_person("boris")
        key = await services.keys.issue(person.person_id, Scope.PERSON)
        await services.registry.lock(person.person_id, "boris on Telegram")
        headers = {"Authorization": f"Bearer {key}"}
        refused = await world.rest.get("/jobs", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "account_locked")
        opened = await world.rest.post(f"/people/{person.person_id}/unlock")
        assert opened.json() == {
            "person_id": person.person_id,
            "name": "boris",
            "is_owner": False,
            "is_locked": False,
        }
        assert (await world.rest.get("/jobs", headers=headers)).status_code == 200


async def test_a_connected_computer_unlocks_its_own_person_alone(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        registry = world.hub.services.registry
        worker = await world.pair()
        other = await registry.add_person("boris")
        (owner,) = [p for p in await registry.people() if p.person_id != other.person_id]
        for person in (owner, other):
            await registry.lock(person.person_id, "x")
        told = await world.rest.post("/unlock", headers={"Authorization": f"Bearer {worker.token}"})
        assert told.json()["person_id"] == owner.person_id
        assert (await registry.person(owner.person_id)).locked_at is None
        assert (await registry.person(other.person_id)).locked_at is not None


async def test_a_persons_key_does_not_unlock(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        services = world.hub.services
        (owner,) = await services.registry.people()
        key = await services.keys.issue(owner.person_id, Scope.PERSON)
        for path in ("/unlock", f"/people/{owner.person_id}/unlock"):
            refused = await world.rest.post(path, headers={"Authorization": f"Bearer {key}"})
            assert refused.status_code == 403, path


async def test_lock_stops_a_running_job(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair()
        async with worker.online(), world.chat() as chat:
            await chat.say("/train a.csv y")
            grant = await worker.any_grant()
            await worker.starts(grant)
            await chat.say("/lock")
            await until(lambda: bool(worker.cancels))
            assert worker.cancels[0].job_id == grant.job_id


async def test_disconnecting_a_computer_is_asked_first(scene: Scene) -> None:
    await pair(scene, "studio mac")
    [asked] = await say(scene, "/disconnect")
    assert [b.label for b in asked.buttons] == ["studio mac"]
    [sure] = await say(scene, asked.buttons[0].says)
    assert sure.text.startswith("Disconnect studio mac? It can take no work")
    assert await scene.hub.services.views.workers(scene.person_id)
    assert await say(scene, sure.buttons[0].says) == []
    assert not await scene.hub.services.views.workers(scene.person_id)


async def test_disconnecting_a_chat_makes_a_stranger_of_it(scene: Scene) -> None:
    sender = Sender(frontend="stage", external_id="7", name="anna")
    await scene.hub.services.registry.link(scene.person_id, sender)

    async def as_account(text: str) -> str:
        scene.clock.ahead_seconds += 0.001
        inbound = Inbound(
            conversation=HOME, sender=sender, text=text, dedupe=str(scene.clock.now())
        )
        [view] = await scene.hub.inbox(inbound)
        return view.text

    assert (await as_account("/disconnect chat")).startswith("Disconnect this chat?")
    assert await as_account("/disconnect chat yes") == "This chat is disconnected."
    assert (await as_account("/jobs")).startswith("This hub does not know you")


async def test_a_chat_that_is_open_by_a_key_cannot_be_disconnected(scene: Scene) -> None:
    assert "because of a key" in await told(scene, "/disconnect chat yes")


async def test_a_waiting_job_goes_to_the_computer_named(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        await world.pair("anna-pc")
        mac = await world.pair("studio-mac")
        async with mac.online(), world.chat() as chat:
            await chat.say("/train @anna-pc a.csv y")
            waiting = await chat.view(lambda v: "Queued" in v.text)
            assert [b.label for b in waiting.buttons] == ["Use studio-mac instead", "Cancel"]
            await chat.say(waiting.buttons[0].says)
            grant = await mac.any_grant()
            assert grant.attempt == 2
            await chat.view(lambda v: "studio-mac" in v.text and "Queued" not in v.text)


async def test_a_running_job_stays_where_it_is(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        worker = await world.pair("anna-pc")
        await world.pair("studio-mac")
        async with worker.online(), world.chat() as chat:
            await chat.say("/train a.csv y")
            grant = await worker.any_grant()
            await worker.starts(grant)
            await chat.say(f"/move {grant.job_id} studio-mac")
            await chat.view(lambda v: v.text.startswith("⚠ Only a waiting job can go"))


async def test_lock_wins_over_a_key_that_was_checked_before(scene: Scene) -> None:
    key = await scene.hub.services.keys.issue(scene.person_id, Scope.PERSON)
    await admit(scene.hub.services, key)
    await scene.hub.services.registry.lock(scene.person_id, "x")
    with pytest.raises(NotAllowed, match="locked"):
        await admit(scene.hub.services, key)
