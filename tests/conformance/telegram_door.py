"""A person with a phone: Telegram's side of the suite, over the fake Bot API server.

Imported only by tests that talk to Telegram: aiogram, which checks every word, loads slowly.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from hub.core.view import Sender
from hub.ports import Frontend, HealthState
from hub.services.deliveries import Deliveries
from hub.services.registry import Registry
from hub.store.deliveries import was_heard
from shared.ids import ConversationId, JobId, PersonId
from tests.conformance.bubbles import Bubble
from tests.conformance.witness import Witness
from tests.fakes.bot_api import TOKEN, FakeBotApi
from tests.fakes.bot_api_state import Json, Shown, User
from tests.hub.frontends.world import HastyClock, World, until

if TYPE_CHECKING:
    from shared.database import Database

ANNA_ID = 7001
BEN_ID = 7002
GROUP_ID = -100_7001


def settings(fake: FakeBotApi) -> dict[str, Any]:
    """The settings of a hub whose bot lives on a fake server."""
    return {
        "telegram_token": TOKEN,
        "telegram_api_url": fake.url,
        "telegram_groups": str(GROUP_ID),
    }


class TelegramDoor:
    """Anna's phone."""

    def __init__(self, world: World, fake: FakeBotApi, witness: Witness, anna: User) -> None:
        self.frontend: Frontend = witness
        self.conversation = ConversationId(f"telegram:{anna.user_id}")
        self.splits_at = 4096
        self.knows_keys = False
        self.fake = fake
        self.anna = anna
        self._witness = witness
        self._database: Database = world.hub.database
        self._deliveries = Deliveries(world.hub.database, world.hub.environment)
        self._updates: dict[str, Json] = {}

    @property
    def last_words(self) -> set[int]:
        return {message_id_of(ref) for ref in self._witness.last_words}

    @property
    def messages(self) -> list[Shown]:
        """What the bot has written to Anna, as it looks now."""
        return self.fake.of_bot(self.anna)

    @property
    def bubbles(self) -> list[Bubble]:
        return [
            Bubble(
                ref=str(shown.message_id),
                text=_as_written(shown),
                labels=shown.labels,
                is_final=shown.message_id in self.last_words,
                edits=shown.edits,
            )
            for shown in self.messages
        ]

    async def say(self, text: str, update: str = "") -> None:
        known = len(self.fake.state.all_updates)
        if update in self._updates:
            # Sent again as it was, since the bot did not say in time that it had it. What is
            # said after it is dealt with after it.
            self.fake.repeat(self._updates[update])
            self.fake.say(self.anna, "/help start")
        else:
            self.fake.say(self.anna, text)
        if update:
            self._updates[update] = self.fake.state.all_updates[known]
        await self.heard(known)

    async def tap(self, label: str) -> None:
        known = len(self.fake.state.all_updates)
        shown = next(m for m in reversed(self.messages) if label in _labels_ever(m))
        tap = self.fake.tap(self.anna, shown, label, as_it_was=True)
        await self.heard(known)
        await self.fake.until(lambda: tap.is_answered)

    async def reply(self, to: Bubble, job_id: JobId, text: str) -> None:
        del job_id
        known = len(self.fake.state.all_updates)
        shown = next(m for m in self.messages if str(m.message_id) == to.ref)
        self.fake.say(self.anna, text, reply_to=shown)
        await self.heard(known)

    async def leave(self) -> None:
        self.fake.go_down()

    async def come_back(self) -> None:
        self.fake.come_back()

    async def heard(self, known: int) -> None:
        """Wait until all updates but the first `known` are dealt with, and their answers shown."""
        for update in self.fake.state.all_updates[known:]:
            while not await self._is_heard(str(update["update_id"])):
                await self.fake.pause()
        while True:
            found = await self._deliveries.next_waiting(self.conversation)
            if found is None or found[1] > 0 or self.fake.is_down:
                return
            await self.fake.pause()

    async def _is_heard(self, update: str) -> bool:
        return await self._database.read(lambda c: was_heard(c, "telegram", update))


def _as_written(shown: Shown) -> str:
    """The text; what is set as code stands between backticks, as elsewhere."""
    text = shown.text.encode("utf-16-le")
    for entity in reversed(shown.entities):
        if entity["type"] == "code":
            start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
            tick = "`".encode("utf-16-le")
            text = text[:start] + tick + text[start:end] + tick + text[end:]
    return text.decode("utf-16-le")


def _labels_ever(shown: Shown) -> set[str]:
    rows = [row for keyboard in (shown.rows, *shown.earlier_rows) for row in keyboard]
    return {button["text"] for row in rows for button in row}


def message_id_of(ref: str) -> int:
    """The message a ref names: its last number."""
    return int(re.findall(r"\d+", ref)[-1])


@contextlib.asynccontextmanager
async def open_telegram_door(
    world: World, fake: FakeBotApi, person_id: PersonId
) -> AsyncIterator[TelegramDoor]:
    """Take Anna's phone in the hand; her account speaks for the person."""
    await _introduce(world.hub.services.registry, person_id, ANNA_ID, "Anna")
    await until(lambda: world.hub.host.find("telegram") is not None)
    frontend = world.hub.host.find("telegram")
    assert frontend is not None
    await until(lambda: frontend.status().state is HealthState.OK)
    witness = Witness(frontend)
    world.hub.outbox.add(witness)
    anna = fake.user(ANNA_ID, "Anna", "anna")
    # Whoever opens a chat with a bot can be written to.
    fake.state.private_chat(anna).is_started = True
    # A hub that has just started holds back, since it cannot know what it sent before.
    clock = world.hub.environment.clock
    assert isinstance(clock, HastyClock)
    clock.ahead_seconds += 10
    yield TelegramDoor(world, fake, witness, anna)


async def _introduce(registry: Registry, person_id: PersonId, user_id: int, name: str) -> None:
    sender = Sender(frontend="telegram", external_id=str(user_id), name=name)
    await registry.link(person_id, sender)
