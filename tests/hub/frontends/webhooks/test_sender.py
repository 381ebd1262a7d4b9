"""Every webhook that is on has a lane, whenever it was made or turned on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.frontends.webhooks.sender import WebhookSender
from hub.services import Services
from hub.services.webhook_lanes import WebhookLanes
from hub.services.webhooks import NewWebhook, WebhookPatch
from shared.environment import Environment
from shared.ids import WebhookId
from tests.hub.frontends.webhooks.test_lane import Endpoint
from tests.hub.frontends.world import until
from tests.hub.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


async def a_webhook(world: World, person: Person) -> WebhookId:
    new = NewWebhook(
        person_id=person.person_id, url="https://example.org/", types=("job.queued",), by="anna"
    )
    webhook, _ = await world.services.webhooks.create(new)
    return webhook.webhook_id


@contextlib.asynccontextmanager
async def sending(services: Services, endpoint: Endpoint) -> AsyncIterator[None]:
    sender = WebhookSender(services, Environment(), version="1", post=lambda: endpoint)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sender.run())
        try:
            yield
        finally:
            running.cancel()


class Overtaken(WebhookLanes):
    """While it looks for webhooks, somebody makes the first one."""

    def __init__(self, world: World, person: Person) -> None:
        super().__init__(world.ledger, b"pepper")
        self._world = world
        self._person = person
        self.looks = 0

    async def told(self) -> list[WebhookId]:
        seen = await super().told()
        self.looks += 1
        if self.looks == 1:
            await a_webhook(self._world, self._person)
        return seen


async def test_a_webhook_made_at_the_moment_of_looking_is_not_overlooked(
    world: World, anna: Person
) -> None:
    lanes = Overtaken(world, anna)
    endpoint = Endpoint()
    async with sending(replace(world.services, webhook_lanes=lanes), endpoint):
        await until(lambda: lanes.looks > 1)
        await world.request(anna)
        await until(lambda: endpoint.types == ["job.queued"])


async def test_a_webhook_is_told_from_when_it_is_made_and_while_it_is_on(
    world: World, anna: Person
) -> None:
    endpoint = Endpoint()
    webhooks = world.services.webhooks
    async with sending(world.services, endpoint):
        await world.request(anna)
        webhook_id = await a_webhook(world, anna)
        await world.request(anna)
        await until(lambda: len(endpoint.taken) == 1)
        for is_on in (False, True, False, True):
            patch = WebhookPatch(is_on=is_on)
            await webhooks.update(anna.person_id, webhook_id, patch, "anna")
        await world.request(anna)
        await until(lambda: len(endpoint.taken) == 2)
        await webhooks.delete(anna.person_id, webhook_id, "anna")
        await world.request(anna)
    assert len(endpoint.taken) == 2
