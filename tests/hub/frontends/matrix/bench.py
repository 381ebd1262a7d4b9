"""The Matrix frontend on a bench: a real homeserver before it, an inbox of the test behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hub.core.view import Inbound, Sender, View
from hub.frontends.matrix import make
from hub.frontends.matrix.conversations import conversation_of
from hub.frontends.matrix.frontend import MatrixFrontend
from hub.ports import FrontendSetup, HealthState
from hub.services.taps import TapNames
from shared.environment import Environment
from shared.errors import NotFound
from shared.ids import ConversationId
from tests.hub.frontends.world import HastyClock, until
from tests.hub.worlds import World
from tests.matrix_servers.people import Person, Shown
from tests.matrix_servers.synapse import PASSWORD, Synapse


@dataclass(slots=True)
class Shelf:
    """Files of the test."""

    folder: Path

    async def path(self, sha256: str) -> Path:
        path = self.folder / sha256
        if not path.exists():
            raise NotFound("file_gone", "The hub does not have that file any more.")
        return path


@dataclass(slots=True)
class Bench:
    """All of it; `heard` is what reached the inbox."""

    server: Synapse
    bot: str
    setup: FrontendSetup
    frontend: MatrixFrontend
    clock: HastyClock
    folder: Path
    heard: list[Inbound] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    """Accounts that speak for a person."""
    arrived: list[ConversationId] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    async def inbox(self, inbound: Inbound) -> tuple[View, ...]:
        if self.faults:
            raise self.faults.pop(0)
        if inbound.dedupe not in [earlier.dedupe for earlier in self.heard]:
            self.heard.append(inbound)
        return ()

    @property
    def said(self) -> list[str]:
        return [inbound.text for inbound in self.heard]

    async def start(self) -> None:
        await self.frontend.start(self.inbox)
        await self.until_state(HealthState.OK)

    async def restart(self) -> None:
        """What a hub does that starts again: a frontend made anew, with what was kept."""
        await self.frontend.stop()
        self.remake()
        await self.start()

    def remake(self, **settings: str) -> None:
        self.setup = replace(self.setup, settings={**self.setup.settings, **settings})
        made = make(self.setup)
        assert isinstance(made, MatrixFrontend)
        self.frontend = made

    async def until_state(self, state: HealthState) -> None:
        await until(lambda: self.frontend.status().state is state)

    async def until_said(self, text: str) -> Inbound:
        await until(lambda: text in self.said)
        return next(inbound for inbound in self.heard if inbound.text == text)

    @contextlib.asynccontextmanager
    async def person(self, name: str, *, is_known: bool = True) -> AsyncIterator[Person]:
        user_id = self.server.person(name)
        if is_known:
            self.known.add(user_id)
        person = Person(self.server, user_id, self.folder / user_id[1:].replace(":", "_"))
        async with person.online():
            yield person

    async def room(self, person: Person, *others: str, is_encrypted: bool = False) -> str:
        """A room that the bot has joined."""
        is_direct = not others
        room_id = await person.open_room(
            self.bot, *others, is_encrypted=is_encrypted, is_direct=is_direct
        )
        await person.until(lambda: person.sees_member(room_id, self.bot))
        return room_id

    async def show(self, room_id: str, view: View, *, is_group: bool = False) -> str:
        """Render a new message, once the room is known; its id."""
        where = conversation_of(room_id, is_group=is_group)
        await until(lambda: where in self.arrived)
        return (await self.frontend.render(where, view, None)).value


async def seen(person: Person, event_id: str) -> Shown:
    await person.until(lambda: event_id in person.messages)
    return person.messages[event_id]


@contextlib.asynccontextmanager
async def open_bench(
    server: Synapse, store: World, folder: Path, **settings: str
) -> AsyncIterator[Bench]:
    """A bench whose frontend is not yet started."""
    bot = server.person("deskhand")
    arrived: list[ConversationId] = []
    known: set[str] = set()

    async def knows(sender: Sender) -> bool:
        return sender.external_id in known

    clock = HastyClock()
    setup = FrontendSetup(
        # Without entropy, waits have no jitter: the shortest there are.
        environment=Environment(clock=clock, entropy=bytes),
        hub_name="hub.example",
        hub_url="https://hub.example",
        settings={"homeserver": server.url, "user": bot, "password": PASSWORD} | settings,
        folder=folder / "frontend",
        taps=TapNames(store.database, store.environment, b"pepper"),
        files=Shelf(folder),
        arrived=arrived.append,
        knows=knows,
    )
    made = make(setup)
    assert isinstance(made, MatrixFrontend)
    bench = Bench(server, bot, setup, made, clock, folder, known=known, arrived=arrived)
    try:
        yield bench
    finally:
        await bench.frontend.stop()
