"""A person with a program for Matrix: its side of the suite, over a real Synapse.

Imported only by tests that talk to a homeserver: the library of the person's side loads slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hub.core.view import FrontendCapabilities, Sender, View
from hub.frontends.commands import BY_NAME
from hub.frontends.matrix.kept import FILE_NAME, Kept
from hub.frontends.matrix.marks import TAPS, bare
from hub.ports import Frontend, Health, HealthState, Inbox, MessageRef
from hub.services.deliveries import Deliveries
from shared.ids import ConversationId, JobId, PersonId
from tests.conformance.bubbles import Bubble
from tests.hub.frontends.world import HastyClock, World, until
from tests.matrix_servers.people import Person, Shown
from tests.matrix_servers.synapse import PASSWORD, Synapse

_COMMAND = re.compile(rf"!((?:{'|'.join(BY_NAME)})\b|(?<=command !)\w+)")
_BY_HAND = re.compile(r" · !\S.*$")


def settings(server: Synapse) -> dict[str, Any]:
    """The settings of a hub whose bot has an account of its own on a server."""
    return {
        "matrix_homeserver": server.url,
        "matrix_user": server.person("deskhand"),
        "matrix_password": PASSWORD,
    }


class Witness:
    """The frontend itself, with a note of which messages were last words: Matrix has no sign."""

    def __init__(self, frontend: Frontend) -> None:
        self._frontend = frontend
        self.name = frontend.name
        self.capabilities: FrontendCapabilities = frontend.capabilities
        self.last_words: set[str] = set()

    async def start(self, inbox: Inbox) -> None:
        await self._frontend.start(inbox)

    async def stop(self) -> None:
        await self._frontend.stop()

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        ref = await self._frontend.render(conversation, view, replace)
        if view.final:
            self.last_words.add(ref.value)
        return ref

    def status(self) -> Health:
        return self._frontend.status()


class MatrixDoor:
    """Anna's phone."""

    def __init__(
        self, world: World, server: Synapse, witness: Witness, anna: Person, bot: str, room_id: str
    ) -> None:
        self.frontend: Frontend = witness
        self.conversation = ConversationId(f"matrix:{room_id}")
        self.splits_at = 0
        self.knows_keys = True
        self.anna = anna
        self.bot = bot
        self.room_id = room_id
        self._world = world
        self._server = server
        self._witness = witness
        self._deliveries = Deliveries(world.hub.database, world.hub.environment)
        self._places: dict[str, str] = {}
        """By update: how far the hub had read before it."""
        self._before: set[str] = set()

    @property
    def messages(self) -> list[Shown]:
        """What the bot has written to Anna, as it looks now."""
        told = self.anna.of(self.bot, self.room_id)
        return [shown for shown in told if shown.event_id not in self._before]

    @property
    def bubbles(self) -> list[Bubble]:
        return [
            Bubble(
                ref=shown.event_id,
                text=text_of(shown.content),
                labels=list(labels_of(shown.content)),
                is_final=shown.event_id in self._witness.last_words,
                edits=_changes(shown),
            )
            for shown in self.messages
        ]

    async def say(self, text: str, update: str = "") -> None:
        if update in self._places:
            # The hub did not keep how far it had read, and reads that part again.
            await self._go_back(self._places[update])
            await self.heard(await self.anna.say(self.room_id, "/help start"))
            return
        if update:
            self._places[update] = self._kept().place
        await self.heard(await self.anna.say(self.room_id, text))

    async def tap(self, label: str) -> None:
        shown = next(m for m in reversed(self.messages) if label in _labels_ever(m))
        await self.heard(await self.anna.react(shown, _labels_ever(shown)[label]))

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del job_id
        shown = next(m for m in self.messages if m.event_id == to.ref)
        await self.heard(await self.anna.reply(shown, text))

    async def leave(self) -> None:
        await asyncio.to_thread(self._server.stop)

    async def come_back(self) -> None:
        await asyncio.to_thread(self._server.start)

    async def heard(self, event_id: str) -> None:
        """Wait until the bot has dealt with an event, and Anna has seen all it says to that."""
        await self.anna.until(lambda: self.anna.is_read(self.room_id, self.bot, event_id))
        while True:
            found = await self._deliveries.next_waiting(self.conversation)
            if found is None or found[1] > 0:
                break
            await asyncio.sleep(0.005)
        await self.anna.catch_up(self.room_id)

    def forget_the_past(self) -> None:
        """Nothing that was said until now counts."""
        self._before = {shown.event_id for shown in self.messages}

    async def _go_back(self, place: str) -> None:
        await self.frontend.stop()
        kept = self._kept()
        kept.place = place
        self._path.write_text(kept.model_dump_json())
        await self.frontend.start(self._world.hub.inbox)

    def _kept(self) -> Kept:
        return Kept.model_validate_json(self._path.read_bytes())

    @property
    def _path(self) -> Path:
        return self._world.hub.settings.data / "frontends" / "matrix" / FILE_NAME


def text_of(content: dict[str, Any]) -> str:
    """The words as elsewhere: without what is to be chosen, commands beginning with "/"."""
    signs = content.get(TAPS, {})
    lines = str(content["body"]).split("\n")
    words = [line for line in lines if bare(line.partition(" ")[0]) not in signs]
    return _COMMAND.sub(r"/\1", "\n".join(words).rstrip("\n"))


def labels_of(content: dict[str, Any]) -> dict[str, str]:
    """What is to be chosen, and by which sign."""
    signs = content.get(TAPS, {})
    found = {}
    for line in str(content["body"]).split("\n"):
        sign, _, label = line.partition(" ")
        if bare(sign) in signs:
            found[_BY_HAND.sub("", label)] = sign
    return found


def _labels_ever(shown: Shown) -> dict[str, str]:
    found: dict[str, str] = {}
    for content in (*shown.earlier, shown.content):
        found |= labels_of(content)
    return found


def _changes(shown: Shown) -> int:
    looks = [*shown.earlier, shown.content]
    return sum(a["body"] != b["body"] for a, b in itertools.pairwise(looks))


@contextlib.asynccontextmanager
async def open_matrix_door(
    world: World, server: Synapse, person_id: PersonId, *, is_encrypted: bool
) -> AsyncIterator[MatrixDoor]:
    """Open a room with the bot; Anna's account speaks for the person."""
    bot = world.hub.settings.matrix_user
    anna_id = server.person("anna")
    sender = Sender(frontend="matrix", external_id=anna_id, name="Anna")
    await world.hub.services.registry.link(person_id, sender)
    await until(lambda: world.hub.host.find("matrix") is not None)
    frontend = world.hub.host.find("matrix")
    assert frontend is not None
    await until(lambda: frontend.status().state is HealthState.OK)
    witness = Witness(frontend)
    world.hub.outbox.add(witness)
    folder = world.hub.settings.data / f"anna-{anna_id[6:14]}"
    anna = Person(server, anna_id, folder)
    async with anna.online():
        room_id = await anna.open_room(bot, is_encrypted=is_encrypted)
        await anna.until(lambda: anna.sees_member(room_id, bot))
        door = MatrixDoor(world, server, witness, anna, bot, room_id)
        if is_encrypted:
            await anna.reads(lambda shown: shown.body.startswith("This room is encrypted."))
        # The bot knows the room once it has heard something there.
        await door.heard(await anna.say(room_id, "/help start"))
        door.forget_the_past()
        # A hub that has just started holds back, since it cannot know what it sent before.
        clock = world.hub.environment.clock
        assert isinstance(clock, HastyClock)
        clock.ahead_seconds += 10
        yield door
