"""The Telegram frontend on a bench: a fake Bot API before it, an inbox of the test behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hub.core.view import Inbound, View
from hub.frontends.telegram import make
from hub.frontends.telegram.frontend import TelegramFrontend
from hub.ports import FrontendSetup, HealthState
from hub.services.taps import TapNames
from shared.environment import Environment
from shared.ids import ConversationId
from tests.hub.frontends.shelf import Shelf
from tests.hub.frontends.world import until
from tests.hub.worlds import World

if TYPE_CHECKING:
    from tests.fakes.bot_api import FakeBotApi
    from tests.fakes.bot_api_state import User

ANNA_ID = 7001
HOME = ConversationId(f"telegram:{ANNA_ID}")
GROUP_ID = -1005
GROUP = ConversationId(f"telegram:group:{GROUP_ID}")


@dataclass(slots=True)
class Bench:
    """All of it; `heard` is what reached the inbox, `answers` what it gives back."""

    fake: FakeBotApi
    setup: FrontendSetup
    frontend: TelegramFrontend
    shelf: Shelf
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

    async def start(self) -> None:
        await self.frontend.start(self.inbox)

    async def until(self, is_so: Callable[[], bool]) -> None:
        await until(is_so)

    async def until_state(self, state: HealthState) -> None:
        await until(lambda: self.frontend.status().state is state)

    def remake(self, **settings: str) -> None:
        """Make the frontend anew, as a restarted hub does, with other settings perhaps."""
        self.setup = replace(self.setup, settings={**self.setup.settings, **settings})
        made = make(self.setup)
        assert isinstance(made, TelegramFrontend)
        self.frontend = made

    async def show(self, view: View, where: ConversationId = HOME) -> int:
        """Render a new message; its id."""
        return int((await self.frontend.render(where, view, None)).value)

    def anna(self) -> User:
        """A person who has spoken to the bot before."""
        user = self.fake.user(ANNA_ID, "Anna", "anna")
        self.fake.state.private_chat(user).is_started = True
        return user


@contextlib.asynccontextmanager
async def open_bench(world: World, folder: Path, **settings: str) -> AsyncIterator[Bench]:
    """A bench whose frontend is not yet started."""
    from tests.fakes.bot_api import TOKEN, open_bot_api

    arrived: list[ConversationId] = []
    shelf = Shelf(folder)
    async with open_bot_api(own_server=True) as fake:
        told = {"token": TOKEN, "api_url": fake.url, "groups": str(GROUP_ID), "webhook": "false"}
        setup = FrontendSetup(
            # Without entropy, waits have no jitter: the shortest there are.
            environment=Environment(entropy=bytes),
            hub_name="hub.example",
            hub_url="https://hub.example",
            settings=told | settings,
            folder=folder / "frontend",
            taps=TapNames(world.database, world.environment, b"pepper"),
            files=shelf,
            arrived=arrived.append,
        )
        made = make(setup)
        assert isinstance(made, TelegramFrontend)
        bench = Bench(fake, setup, made, shelf, arrived=arrived)
        try:
            yield bench
        finally:
            fake.come_back()
            await bench.frontend.stop()
