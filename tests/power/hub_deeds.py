"""A hub that works: people ask, workers take, report, ask, are answered, and end.

python -m tests.power.hub_deeds FOLDER SYNCHRONOUS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.events import EventBody, JobLogged
from shared.ids import QuestionId
from shared.messages import Grant
from tests.hub.reports import asked, facts, failed, started, succeeded
from tests.hub.worlds import Desk, World
from tests.makers import LASTING
from tests.power.saying import Mouth, care

ROUNDS = 6
GROUP = 5
"""Requests that share a commit."""


async def live(folder: Path, synchronous: str) -> None:
    mouth = Mouth(folder)
    world = World(folder / "store", care(synchronous))
    anna = await world.person()
    desk = await world.desk(anna, slots=GROUP)
    mouth.say("paired", worker=desk.worker_id)
    for number in range(ROUNDS):
        cards = await asyncio.gather(
            *(world.request(anna, "code.push", text=f"{number}") for _ in range(GROUP))
        )
        for card in cards:
            mouth.say("queued", job=card.job_id)
        for offer in await desk.offers():
            grant = await desk.accept(offer)
            assert isinstance(grant, Grant)
            mouth.say("granted", job=grant.job_id, fence=grant.fence)
            await _carry_out(world, desk, grant, mouth)
    last = await world.request(anna, "code.push")
    await world.services.intake.cancel(anna.person_id, last.job_id, "anna")
    mouth.say("ended", job=last.job_id, state="cancelled")
    world.database.close()


async def _carry_out(world: World, desk: Desk, grant: Grant, mouth: Mouth) -> None:
    logged = JobLogged.model_validate({**facts(grant), "lines": ("a line " * 40,) * 5})
    await _report(desk, mouth, started(grant), logged)
    question = QuestionId(f"q-{grant.job_id}")
    await _report(desk, mouth, asked(grant, question))
    anna = desk.person_id
    await world.services.intake.answer(anna, question, "1", "anna")
    mouth.say("answered", question=question)
    is_well = desk.seq % 4 != 0
    await _report(desk, mouth, succeeded(grant) if is_well else failed(grant, LASTING))
    state = "succeeded" if is_well else "failed"
    mouth.say("ended", job=grant.job_id, state=state)


async def _report(desk: Desk, mouth: Mouth, *bodies: EventBody) -> None:
    recorded = await desk.report(*bodies)
    mouth.say("acked", device=desk.worker_id, seq=recorded.acked_seq)


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), sys.argv[2]))
