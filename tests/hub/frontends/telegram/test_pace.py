"""Fifty jobs that tell progress ten times a second: Telegram never has to say "too many".

The fake enforces the limits and so does its clock. Minutes of waiting are wound down to seconds;
the storm itself runs in real time.
"""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hub.core.view import Sender
from hub.ports import HealthState
from shared.environment import Environment
from shared.messages import Grant
from tests.fakes.fast_loop import FastLoop, LoopClock
from tests.hub.frontends.world import PuppetWorker, World, open_world, until

if TYPE_CHECKING:
    from tests.fakes.bot_api import FakeBotApi
    from tests.fakes.bot_api_state import User

pytestmark = pytest.mark.slow

JOBS = 50
PROGRESS_HZ = 10
STORM_SECONDS = 6
PATIENCE_SECONDS = 900.0
"""Of the wound time."""
GROUP_ID = -1007001


@pytest.fixture(scope="module", autouse=True)
def _telegram() -> None:
    """Seconds of import, before there is a loop that they would hold up."""
    importlib.import_module("tests.fakes.bot_api")
    importlib.import_module("hub.frontends.telegram.frontend")


@pytest.mark.parametrize(
    ("where", "pace"), [("one chat", 10.0), ("fifty chats", 1.0), ("a group", 25.0)]
)
def test_a_storm_of_progress_breaks_no_limit_and_every_last_word_is_shown(
    tmp_path: Path, where: str, pace: float
) -> None:
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(storm(tmp_path, where, pace))


async def storm(folder: Path, where: str, pace: float) -> None:
    from tests.fakes.bot_api import TOKEN, open_bot_api

    loop = asyncio.get_running_loop()
    assert isinstance(loop, FastLoop)
    environment = Environment(clock=LoopClock(loop))
    async with open_bot_api(clock=loop.time) as fake:
        telegram: dict[str, Any] = {
            "telegram_token": TOKEN,
            "telegram_api_url": fake.url,
            "telegram_groups": str(GROUP_ID),
        }
        async with open_world(folder, environment, **telegram) as world:
            people = await people_at(world, fake, 50 if where == "fifty chats" else 1)
            chats = [person.user_id for person in people]
            if where == "a group":
                chats = [fake.group(GROUP_ID, "Team", people[0])]
            worker = await world.pair()
            worker.slots = JOBS
            async with worker.online():
                grants = await ask(fake, worker, people, chats)
                await rage(worker, grants)
                loop.pace = pace
                await finish(fake, worker, grants, chats)
                loop.pace = 1.0
    assert fake.refusals(429) == []
    assert Counter(last_words(fake, chats)) == Counter(f"Model {n} ready." for n in range(JOBS))
    if where == "fifty chats":
        # Where there is room for it, progress is shown as well.
        assert sum("▓" in moment.text for moment in fake.state.moments) > 0


async def people_at(world: World, fake: FakeBotApi, count: int) -> list[User]:
    """Accounts of the hub's owner, each with a chat of its own."""
    [owner] = await world.hub.services.registry.people()
    people = [fake.user(7001 + number, f"Anna {number}") for number in range(count)]
    for user in people:
        sender = Sender(frontend="telegram", external_id=str(user.user_id), name=user.name)
        await world.hub.services.registry.link(owner.person_id, sender)
    await until(lambda: world.hub.host.find("telegram") is not None)
    bot = world.hub.host.find("telegram")
    assert bot is not None
    assert bot.status().state is HealthState.OK
    return people


async def ask(
    fake: FakeBotApi, worker: PuppetWorker, people: list[User], chats: list[int]
) -> list[Grant]:
    """Ask for as many jobs as there shall be, and start them."""
    for number in range(JOBS):
        place = number % len(chats)
        user = people[place % len(people)]
        group = chats[place] if chats[place] < 0 else 0
        fake.say(user, f"/train a{number}.csv y", chat=group)
    await until(lambda: len(worker.grants) == JOBS)
    grants = list(worker.grants.values())
    for grant in grants:
        await worker.starts(grant)
    return grants


async def rage(worker: PuppetWorker, grants: list[Grant]) -> None:
    """Every job tells progress, ten times a second, at times of its own."""

    async def tell(grant: Grant, delay: float) -> None:
        await asyncio.sleep(delay)
        for step in range(STORM_SECONDS * PROGRESS_HZ):
            await worker.tells(grant, step, STORM_SECONDS * PROGRESS_HZ)
            await asyncio.sleep(1 / PROGRESS_HZ)

    async with asyncio.TaskGroup() as tasks:
        for number, grant in enumerate(grants):
            tasks.create_task(tell(grant, number / len(grants) / PROGRESS_HZ))


async def finish(
    fake: FakeBotApi, worker: PuppetWorker, grants: list[Grant], chats: list[int]
) -> None:
    for number, grant in enumerate(grants):
        await worker.succeeds(grant, {"headline": f"Model {number} ready."})
    await fake.until(lambda: len(last_words(fake, chats)) >= JOBS, PATIENCE_SECONDS)


def last_words(fake: FakeBotApi, chats: list[int]) -> list[str]:
    return [m.text for chat in chats for m in fake.of_bot(chat) if m.text.startswith("Model ")]
