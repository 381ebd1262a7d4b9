"""A person's side of each frontend, for the suite that every frontend passes.

A new frontend joins the suite with a Door of its own: how its person speaks, taps and reads.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from hub.core.view import FrontendCapabilities, Inbound, Sender, View, degraded
from hub.frontends.console import conversation_of
from hub.ports import Frontend, Health, HealthState, Inbox, MessageRef
from shared.environment import Environment
from shared.errors import Unavailable
from shared.ids import ConversationId, JobId, PersonId, short
from tests.conformance.bubbles import Bubble
from tests.hub.frontends.world import Chat, HastyClock, World, open_world, until
from tests.matrix_servers.synapse import Synapse

MATRIX = ("matrix", "matrix-encrypted")


class Door(Protocol):
    """A person's side of a frontend."""

    frontend: Frontend
    conversation: ConversationId
    splits_at: int
    """Longer texts leave its person's hands as several messages; 0: they are never split."""
    knows_keys: bool
    """Whether the platform knows a message again that is sent to it twice."""

    @property
    def bubbles(self) -> list[Bubble]:
        """All messages as they look now, in the order they first came."""

    async def say(self, text: str, update: str = "") -> None:
        """Say something; returns once the hub has dealt with it. `update` is its platform's id."""

    async def tap(self, label: str) -> None:
        """Choose what a message offers, or offered: tap the button, or type its number."""

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        """Reply to a message that is about a job; where nothing can be replied to, name the job."""

    async def leave(self) -> None:
        """Be unreachable."""

    async def come_back(self) -> None:
        """Be reachable again."""


async def bubble(door: Door, is_it: Callable[[Bubble], bool]) -> Bubble:
    """Wait for a message that looks like this now."""
    await until(lambda: any(is_it(b) for b in door.bubbles))
    return next(b for b in door.bubbles if is_it(b))


class ConsoleDoor:
    """The chat socket, with a terminal at it."""

    def __init__(self, world: World, person_id: PersonId) -> None:
        self.frontend: Frontend = world.hub.console
        self.conversation = conversation_of(person_id)
        self.splits_at = 0
        self.knows_keys = True
        self._world = world
        self._chat: Chat | None = None
        self._earlier: list[tuple[str, View]] = []
        self._stack = contextlib.AsyncExitStack()

    @property
    def _shown(self) -> list[tuple[str, View]]:
        return self._earlier + (self._chat.shown if self._chat else [])

    @property
    def bubbles(self) -> list[Bubble]:
        return folded(self._shown)

    async def say(self, text: str, update: str = "") -> None:
        assert self._chat is not None
        await self._chat.say(text, update)

    async def tap(self, label: str) -> None:
        says = {button.label: button.says for _, view in self._shown for button in view.buttons}
        await self.say(says[label])

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del to
        await self.say(f"#{short(job_id)} {text}")

    async def leave(self) -> None:
        self._earlier = self._shown
        self._chat = None
        await self._stack.aclose()

    async def come_back(self) -> None:
        self._stack = contextlib.AsyncExitStack()
        self._chat = await self._stack.enter_async_context(self._world.chat())


PAPER = FrontendCapabilities(text_chars_max=200)


@dataclass(slots=True)
class PaperFrontend:
    """The poorest frontend there can be: text only, nothing can be edited, 200 characters."""

    name: str = "paper"
    capabilities: FrontendCapabilities = PAPER
    inbox: Inbox | None = None
    is_reachable: bool = True
    rendered: list[tuple[str, View]] = field(default_factory=list)
    health: HealthState = HealthState.STOPPED

    async def start(self, inbox: Inbox) -> None:
        self.inbox, self.health = inbox, HealthState.OK

    async def stop(self) -> None:
        self.inbox, self.health = None, HealthState.STOPPED

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        del conversation
        if not self.is_reachable:
            raise Unavailable("out_of_reach", "Nobody is there.", retryable=True)
        ref = replace or MessageRef(view.key or uuid.uuid4().hex)
        if (ref.value, view) not in self.rendered:
            self.rendered.append((ref.value, view))
        return ref

    def status(self) -> Health:
        return Health(state=self.health, since=datetime.now(UTC))


class PaperDoor:
    """A person with pen and paper."""

    def __init__(self, world: World, person_id: PersonId) -> None:
        self.paper = PaperFrontend()
        self.frontend: Frontend = self.paper
        self.conversation = ConversationId("paper:1")
        self.splits_at = 0
        self.knows_keys = True
        self._world = world
        self._person_id = person_id

    @property
    def bubbles(self) -> list[Bubble]:
        return folded(self.paper.rendered)

    async def say(self, text: str, update: str = "") -> None:
        assert self.paper.inbox is not None
        sender = Sender(frontend="paper", external_id="1", name="anna", person_id=self._person_id)
        views = await self.paper.inbox(
            Inbound(
                conversation=self.conversation,
                sender=sender,
                text=text,
                dedupe=update or uuid.uuid4().hex,
            )
        )
        for view in views:
            fitted = degraded(view, self.paper.capabilities)
            self.paper.rendered.append((uuid.uuid4().hex, fitted))

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
        self.paper.is_reachable = False

    async def come_back(self) -> None:
        self.paper.is_reachable = True
        self._world.hub.outbox.arrived(self.conversation)


def folded(shown: list[tuple[str, View]]) -> list[Bubble]:
    """Fold a list of renderings into messages as they look at the end of it."""
    bubbles: dict[str, Bubble] = {}
    for ref, view in shown:
        labels = [button.label for button in view.buttons]
        if ref in bubbles:
            known = bubbles[ref]
            is_change = (known.text, known.labels) != (view.text, labels)
            known.text, known.labels, known.is_final = view.text, labels, view.final
            known.edits += is_change
        else:
            bubbles[ref] = Bubble(ref, view.text, labels, view.final)
    return list(bubbles.values())


@contextlib.asynccontextmanager
async def open_hub(
    kind: str, folder: Path, homeserver: Synapse | None = None
) -> AsyncIterator[World]:
    """Run a hub with what a frontend needs around it."""
    environment = Environment(clock=HastyClock())
    async with contextlib.AsyncExitStack() as stack:
        platform, settings = await _platform(kind, stack, homeserver)
        world = await stack.enter_async_context(open_world(folder, environment, **settings))
        if platform is not None:
            world.around[kind] = platform
        yield world


async def _platform(
    kind: str, stack: contextlib.AsyncExitStack, homeserver: Synapse | None
) -> tuple[object | None, dict[str, Any]]:
    """The server of a frontend's platform, and the settings of a hub that uses it."""
    match kind:
        case "telegram":
            from tests.conformance import telegram_door
            from tests.fakes.bot_api import open_bot_api

            bot_api = await stack.enter_async_context(open_bot_api())
            return bot_api, telegram_door.settings(bot_api)
        case "discord":
            from tests.conformance import discord_door
            from tests.discord_servers.server import open_discord

            discord = await stack.enter_async_context(open_discord())
            return discord, discord_door.settings(discord)
        case "sms":
            from tests.fakes.sms_provider import open_provider

            provider = await stack.enter_async_context(open_provider())
            return provider, provider.settings()
        case "matrix" | "matrix-encrypted":
            from tests.conformance import matrix_door

            assert homeserver is not None
            return homeserver, matrix_door.settings(homeserver)
        case _:
            return None, {}


@contextlib.asynccontextmanager
async def open_door(kind: str, world: World) -> AsyncIterator[Door]:
    """Open a frontend's door in a running hub."""
    owner = (await world.hub.services.registry.people())[0]
    match kind:
        case "console":
            console = ConsoleDoor(world, owner.person_id)
            await console.come_back()
            yield console
            await console.leave()
        case "web":
            from tests.conformance.web_door import open_web_door

            async with open_web_door(world, owner.person_id) as web:
                yield web
        case "telegram":
            from tests.conformance.telegram_door import open_telegram_door
            from tests.fakes.bot_api import FakeBotApi

            fake = world.around[kind]
            assert isinstance(fake, FakeBotApi)
            async with open_telegram_door(world, fake, owner.person_id) as telegram:
                yield telegram
        case "discord":
            from tests.conformance.discord_door import open_discord_door
            from tests.discord_servers.server import FakeDiscord

            server = world.around[kind]
            assert isinstance(server, FakeDiscord)
            async with open_discord_door(world, server, owner.person_id) as discord:
                yield discord
        case "sms":
            from tests.conformance.sms_door import open_sms_door
            from tests.fakes.sms_provider import FakeProvider

            provider = world.around[kind]
            assert isinstance(provider, FakeProvider)
            async with open_sms_door(world, provider, owner.person_id) as sms:
                yield sms
        case "matrix" | "matrix-encrypted":
            from tests.conformance.matrix_door import open_matrix_door

            synapse = world.around[kind]
            assert isinstance(synapse, Synapse)
            is_encrypted = kind == "matrix-encrypted"
            async with open_matrix_door(
                world, synapse, owner.person_id, is_encrypted=is_encrypted
            ) as matrix:
                yield matrix
        case _:
            paper = PaperDoor(world, owner.person_id)
            world.hub.outbox.add(paper.paper)
            await paper.paper.start(world.hub.inbox)
            yield paper
            await paper.paper.stop()
