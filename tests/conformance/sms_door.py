"""A person with a telephone that can do nothing but SMS, over the fake provider."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from hub.core.view import Sender
from hub.ports import Frontend, HealthState
from hub.services.deliveries import Deliveries
from shared.ids import ConversationId, JobId, PersonId, short
from tests.conformance.bubbles import Bubble
from tests.conformance.witness import Witness
from tests.fakes.sms_provider import FakeProvider
from tests.hub.frontends.world import HastyClock, World, until

ANNA = "+491701234567"


class SmsDoor:
    """Anna's."""

    def __init__(self, world: World, fake: FakeProvider, witness: Witness) -> None:
        self.frontend: Frontend = witness
        self.conversation = ConversationId(f"sms:{ANNA}")
        self.splits_at = 0
        self.knows_keys = False
        self.fake = fake
        self._world = world
        self._witness = witness
        self._deliveries = Deliveries(world.hub.database, world.hub.environment)

    @property
    def bubbles(self) -> list[Bubble]:
        return [
            Bubble(sent.sid, sent.text, [], sent.sid in self._witness.last_words)
            for sent in self.fake.on(ANNA)
        ]

    async def say(self, text: str, update: str = "") -> None:
        answer = await self.fake.bring(ANNA, text, sid=update)
        assert answer.status_code == 200
        assert "<Message>" not in answer.text
        while True:
            self._hurry()
            found = await self._deliveries.next_waiting(self.conversation)
            if found is None or found[1] > 0 or self.fake.is_down:
                return
            await asyncio.sleep(0.005)

    async def tap(self, label: str) -> None:
        lines = [line for b in self.bubbles for line in b.text.splitlines()]
        for line in reversed(lines):
            if line.endswith(f". {label}"):
                return await self.say(line.partition(".")[0])
            if line.startswith(f"{label}: "):
                return await self.say(line.removeprefix(f"{label}: "))
        raise AssertionError(f"nothing offers {label}")

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del to
        await self.say(f"#{short(job_id)} {text}")

    async def leave(self) -> None:
        self.fake.is_down = True

    async def come_back(self) -> None:
        self.fake.is_down = False

    def _hurry(self) -> None:
        """People write seldom, and are written to as seldom; a test has no time for that."""
        clock = self._world.hub.environment.clock
        assert isinstance(clock, HastyClock)
        clock.ahead_seconds += 0.05


@contextlib.asynccontextmanager
async def open_sms_door(
    world: World, fake: FakeProvider, person_id: PersonId
) -> AsyncIterator[SmsDoor]:
    """Take the telephone in the hand; its number speaks for the person."""
    sender = Sender(frontend="sms", external_id=ANNA, name=ANNA)
    await world.hub.services.registry.link(person_id, sender)
    await until(lambda: world.hub.host.find("sms") is not None)
    frontend = world.hub.host.find("sms")
    assert frontend is not None
    await until(lambda: frontend.status().state is HealthState.OK)
    witness = Witness(frontend)
    world.hub.outbox.add(witness)
    fake.hub_url = world.url
    clock = world.hub.environment.clock
    assert isinstance(clock, HastyClock)
    clock.ahead_seconds += 30
    yield SmsDoor(world, fake, witness)
