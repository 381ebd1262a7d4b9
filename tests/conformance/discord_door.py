"""A person with Discord open: a direct message with the bot, over the fake.

Imported only by tests that talk to Discord: its library loads slowly.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from hub.core.view import Sender
from hub.frontends.discord.frontend import DiscordFrontend
from hub.ports import Frontend, HealthState
from hub.services.deliveries import Deliveries
from hub.store.deliveries import was_heard
from shared.ids import ConversationId, JobId, PersonId
from tests.conformance.bubbles import Bubble
from tests.conformance.witness import Witness
from tests.discord_servers.reading import seen
from tests.discord_servers.server import SERVER_ID, TOKEN, FakeDiscord
from tests.discord_servers.state import Channel, Shown, User, buttons_in
from tests.hub.frontends.world import HastyClock, World, until

if TYPE_CHECKING:
    from shared.database import Database

ANNA_ID = 770_000_000_000_000_001


def settings(fake: FakeDiscord) -> dict[str, Any]:
    """The settings of a hub whose bot lives on a fake server."""
    return {
        "discord_token": TOKEN,
        "discord_api_url": fake.url,
        "discord_servers": str(SERVER_ID),
    }


class DiscordDoor:
    """Anna's."""

    def __init__(self, world: World, fake: FakeDiscord, witness: Witness, anna: User) -> None:
        self.frontend: Frontend = witness
        self.fake = fake
        self.anna = anna
        self.channel: Channel = fake.state.direct(anna)
        self.conversation = ConversationId(f"discord:{self.channel.channel_id}")
        self.splits_at = 0
        self.knows_keys = True
        self._witness = witness
        self._database: Database = world.hub.database
        self._deliveries = Deliveries(world.hub.database, world.hub.environment)
        self._said: dict[str, Shown] = {}

    @property
    def messages(self) -> list[Shown]:
        """What the bot has written to Anna, as it looks now."""
        return self.fake.of_bot(self.channel)

    @property
    def bubbles(self) -> list[Bubble]:
        return [
            Bubble(
                ref=ref_of(shown),
                text=_read(shown),
                labels=shown.labels,
                is_final=ref_of(shown) in self._witness.last_words,
                edits=shown.edits,
            )
            for shown in self.messages
        ]

    async def say(self, text: str, update: str = "") -> None:
        if update in self._said:
            # Told again, as after a connection that dropped. What is said later comes later.
            await self.fake.tell(self._said[update])
            await self.heard((await self.fake.say(self.anna, "/help start")).message_id)
            return
        message = await self.fake.say(self.anna, text)
        if update:
            self._said[update] = message
        if text.strip():
            await self.heard(message.message_id)

    async def tap(self, label: str) -> None:
        shown = next(m for m in reversed(self.messages) if label in _labels_ever(m))
        press = await self.fake.press(self.anna, shown, label)
        await self.heard(press.interaction_id)
        await self.fake.until(lambda: press.is_answered)

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del job_id
        shown = next(m for m in self.messages if ref_of(m) == to.ref)
        message = await self.fake.say(self.anna, text, reply_to=shown)
        await self.heard(message.message_id)

    async def leave(self) -> None:
        self.fake.go_down()
        await self.fake.gateway.drop()

    async def come_back(self) -> None:
        self.fake.come_back()

    async def heard(self, event_id: int) -> None:
        """Wait until something was dealt with, and its answers are shown."""
        while not await self._is_heard(str(event_id)):
            await self.fake.pause()
        while True:
            found = await self._deliveries.next_waiting(self.conversation)
            if found is None or found[1] > 0 or self.fake.is_down:
                return
            await self.fake.pause()

    async def _is_heard(self, event: str) -> bool:
        return await self._database.read(lambda c: was_heard(c, "discord", event))


def ref_of(shown: Shown) -> str:
    return f"{shown.channel.channel_id}:{shown.message_id}"


def _read(shown: Shown) -> str:
    read = seen(shown.written)
    assert read.unmeant == [], f"markup that nobody meant: {read.unmeant} in {shown.written!r}"
    return read.text


def _labels_ever(shown: Shown) -> set[str]:
    return {key["label"] for rows in (shown.rows, *shown.earlier_rows) for key in buttons_in(rows)}


@contextlib.asynccontextmanager
async def open_discord_door(
    world: World, fake: FakeDiscord, person_id: PersonId
) -> AsyncIterator[DiscordDoor]:
    """Sit down before Discord; the account speaks for the person."""
    sender = Sender(frontend="discord", external_id=str(ANNA_ID), name="Anna")
    await world.hub.services.registry.link(person_id, sender)
    await until(lambda: world.hub.host.find("discord") is not None)
    frontend = world.hub.host.find("discord")
    assert isinstance(frontend, DiscordFrontend)
    await until(lambda: frontend.status().state is HealthState.OK)
    witness = Witness(frontend)
    world.hub.outbox.add(witness)
    # A hub that has just started holds back, since it cannot know what it sent before.
    clock = world.hub.environment.clock
    assert isinstance(clock, HastyClock)
    clock.ahead_seconds += 10
    yield DiscordDoor(world, fake, witness, User(ANNA_ID, "Anna"))
