"""A talk from the first word to the last, with a whole hub: invited, linked, asked, answered, sent.

In the middle of it the hub dies and comes again, and so does the homeserver.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.ports import HealthState
from shared.environment import Environment
from shared.ids import QuestionId
from shared.pairing import Purpose
from shared.questions import Asking, Choice, QuestionKind
from tests.hub.frontends.world import HastyClock, World, open_world, until
from tests.matrix_servers.synapse import PASSWORD, Synapse

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
WHICH_FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/a.csv", label="a.csv"), Choice(value="/d/b.csv", label="b.csv")),
)


async def well(world: World) -> None:
    await until(lambda: world.hub.host.find("matrix") is not None)
    frontend = world.hub.host.find("matrix")
    assert frontend is not None
    await until(lambda: frontend.status().state is HealthState.OK)


@pytest.mark.parametrize("is_encrypted", [False, True], ids=["plain", "encrypted"])
async def test_from_an_invitation_to_the_last_word(
    synapse: Synapse, tmp_path: Path, is_encrypted: bool
) -> None:
    from tests.matrix_servers.people import Person

    bot = synapse.person("deskhand")
    settings: dict[str, Any] = {
        "matrix_homeserver": synapse.url,
        "matrix_user": bot,
        "matrix_password": PASSWORD,
    }
    anna = Person(synapse, synapse.person("anna"), tmp_path / "anna")
    async with anna.online():
        async with open_world(
            tmp_path / "hub", Environment(clock=HastyClock()), **settings
        ) as world:
            await well(world)
            owner = (await world.hub.services.registry.people())[0].person_id
            room_id = await anna.open_room(bot, is_encrypted=is_encrypted)
            await anna.until(lambda: anna.sees_member(room_id, bot))
            if is_encrypted:
                await anna.reads(lambda m: m.body.startswith("This room is encrypted."))
            # Who is not linked is told so, and nothing they say is done.
            await anna.say(room_id, "!train sales.csv")
            await anna.reads(lambda m: m.body.startswith("This hub does not know you."))
            assert await world.hub.services.views.jobs(None) == ()
            told = await world.hub.services.pairing.invite(owner, Purpose.ACCOUNT)
            await anna.say(room_id, f"!start {told.code}")
            await anna.reads(lambda m: "Deskhand runs work on your own computers." in m.body)
            worker = await world.pair()
            async with worker.online():
                await anna.say(room_id, "!train")
                grant = await worker.any_grant()
                await worker.starts(grant)
                await worker.asks(grant, WHICH_FILE, QUESTION)
                asked = await anna.reads(lambda m: m.body.startswith("Which file?"))
                await anna.until(lambda: len(asked.signs_of(bot)) == 2)
        # Nobody listens, and Anna taps.
        await anna.react(asked, asked.signs_of(bot)[1])
        port = int(worker.url.rpartition(":")[2].partition("/")[0])
        environment = Environment(clock=HastyClock())
        async with open_world(tmp_path / "hub", environment, port=port, **settings) as world:
            await well(world)
            answered = "Which file?\nAnswered by you on Matrix: b.csv"
            await anna.until(lambda: anna.messages[asked.event_id].body == answered)
            await anna.until(lambda: anna.messages[asked.event_id].signs_of(bot) == [])
            await asyncio.to_thread(synapse.stop)
            async with worker.online():
                await worker.succeeds(grant, {"headline": "Model ready."})
                await until(lambda: worker.acked == len(worker.log))
                await asyncio.to_thread(synapse.start)
                await anna.reads(lambda m: m.body.startswith("Model ready."))
                await anna.say(room_id, "!help start")
                await anna.reads(lambda m: m.body.startswith("What this is"))
    bodies = [m.body for m in anna.of(bot, room_id)]
    assert len([b for b in bodies if b.startswith("Model ready.")]) == 1
    assert len([b for b in bodies if b.startswith("Which file?")]) == 1
    assert all(m.was_encrypted == is_encrypted for m in anna.of(bot, room_id))
