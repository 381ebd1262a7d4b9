"""The Discord frontend on a bench: a fake Discord before it, an inbox of the test behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hub.core.view import Inbound, View
from hub.frontends.discord import make
from hub.frontends.discord.frontend import DiscordFrontend
from hub.ports import FrontendSetup, HealthState
from hub.services.taps import TapNames
from shared.environment import Environment
from shared.ids import ConversationId
from tests.conformance.discord_door import ANNA_ID
from tests.discord_servers.server import SERVER_ID, TOKEN, FakeDiscord, open_discord
from tests.discord_servers.state import Channel, Shown, User
from tests.hub.frontends.shelf import Shelf
from tests.hub.frontends.world import HastyClock, until
from tests.hub.worlds import World

ANNA = User(ANNA_ID, "Anna")
BEN = User(ANNA_ID + 1, "Ben")


@dataclass(slots=True)
class Bench:
    """All of it; `heard` is what reached the inbox, `answers` what it gives back to a press."""

    fake: FakeDiscord
    setup: FrontendSetup
    frontend: DiscordFrontend
    shelf: Shelf
    clock: HastyClock
    heard: list[Inbound] = field(default_factory=list)
    answers: list[View] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    arrived: list[ConversationId] = field(default_factory=list)

    async def inbox(self, inbound: Inbound) -> tuple[View, ...]:
        if self.faults:
            raise self.faults.pop(0)
        if inbound.dedupe not in [earlier.dedupe for earlier in self.heard]:
            self.heard.append(inbound)
            return () if inbound.answer_waits else tuple(self.answers)
        return ()

    @property
    def said(self) -> list[str]:
        return [inbound.text for inbound in self.heard]

    @property
    def home(self) -> Channel:
        return self.fake.state.direct(ANNA)

    @property
    def general(self) -> Channel:
        return self.fake.state.channel("general")

    def of(self, channel: Channel) -> ConversationId:
        """A channel's conversation."""
        group = "group:" if channel.server_id else ""
        return ConversationId(f"discord:{group}{channel.channel_id}")

    async def start(self) -> None:
        await self.frontend.start(self.inbox)

    async def until(self, is_so: Callable[[], bool]) -> None:
        await until(is_so)

    async def until_state(self, state: HealthState) -> None:
        await until(lambda: self.frontend.status().state is state)

    async def hears(self, count: int) -> Inbound:
        """Wait until so many things were heard; the newest."""
        await self.until(lambda: len(self.heard) >= count)
        assert len(self.heard) == count
        return self.heard[-1]

    async def show(self, view: View, where: ConversationId | None = None) -> Shown:
        """Render a new message; as it stands in Discord."""
        ref = await self.frontend.render(where or self.of(self.home), view, None)
        return self.fake.state.messages[int(ref.value.partition(":")[2])]

    def remake(self, **settings: str) -> None:
        """Make the frontend anew, as a restarted hub does, with other settings perhaps."""
        self.setup = replace(self.setup, settings={**self.setup.settings, **settings})
        self.frontend = _made(self.setup)


def _made(setup: FrontendSetup) -> DiscordFrontend:
    made = make(setup)
    assert isinstance(made, DiscordFrontend)
    return made


@contextlib.asynccontextmanager
async def open_bench(world: World, folder: Path, **settings: Any) -> AsyncIterator[Bench]:
    """A bench whose frontend is not yet started."""
    arrived: list[ConversationId] = []
    shelf, clock = Shelf(folder), HastyClock()
    async with open_discord() as fake:
        told = {"token": TOKEN, "api_url": fake.url, "servers": str(SERVER_ID)}
        setup = FrontendSetup(
            # Without entropy, waits have no jitter: the shortest there are.
            environment=Environment(clock=clock, entropy=bytes),
            hub_name="hub.example",
            hub_url="https://hub.example",
            settings=told | settings,
            folder=folder / "frontend",
            taps=TapNames(world.database, world.environment, b"pepper"),
            files=shelf,
            arrived=arrived.append,
        )
        bench = Bench(fake, setup, _made(setup), shelf, clock, arrived=arrived)
        try:
            yield bench
        finally:
            fake.come_back()
            await bench.frontend.stop()
