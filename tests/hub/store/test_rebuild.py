"""The board in memory equals the board a restart would read from the store, whatever happened."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.board import Board
from hub.store import queue
from shared.errors import AppError
from shared.events import AttemptEventBody, JobInterrupted
from shared.messages import Grant, HeldState
from tests.hub.reports import facts, failed, started, succeeded
from tests.hub.worlds import Desk, World, held
from tests.makers import LASTING

VERBS = ["request", "take", "succeed", "pass", "last", "interrupt"]
VERBS += ["cancel", "retry", "go", "come", "rescue", "wait"]
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 7)), min_size=5, max_size=40)
EXPECTED = frozenset({"too_late", "job_not_ended", "job_succeeded", "job_cancelled"})


def interrupted(grant: Grant) -> JobInterrupted:
    return JobInterrupted.model_validate({**facts(grant), "reason": "Stopped."})


ENDINGS: dict[str, Callable[[Grant], AttemptEventBody]] = {
    "succeed": succeeded,
    "pass": failed,
    "last": lambda grant: failed(grant, LASTING),
    "interrupt": interrupted,
}


class Story:
    """Drives a world at random."""

    def __init__(self, world: World, desk: Desk) -> None:
        self.world = world
        self.desk = desk
        self.grants: list[Grant] = []
        self.is_here = True

    async def step(self, verb: str, number: int) -> None:
        world, desk, intake = self.world, self.desk, self.world.services.intake
        cards = await world.services.views.jobs(desk.person_id)
        card = cards[number % len(cards)] if cards else None
        match verb:
            case "request":
                person = await world.services.registry.person(desk.person_id)
                await world.request(person, ("probe.run", "code.push")[number % 2])
            case "take" if self.is_here:
                for offer in await desk.offers():
                    answer = await desk.accept(offer)
                    if isinstance(answer, Grant):
                        self.grants.append(answer)
            case "succeed" | "pass" | "last" | "interrupt" if self.grants and self.is_here:
                await self.end(verb, self.grants.pop(number % len(self.grants)))
            case "cancel" if card:
                await intake.cancel(desk.person_id, card.job_id, "anna")
            case "retry" if card:
                await intake.retry(desk.person_id, card.job_id, "anna")
            case "go" if self.is_here:
                desk.go(was_silent=bool(number % 2))
                self.is_here = False
            case "come" if not self.is_here:
                # A part of what it held is forgotten, as after a crash.
                self.grants = [g for i, g in enumerate(self.grants) if i % 3 != number % 3]
                await desk.come(*(held(g, HeldState.RUNNING) for g in self.grants))
                self.is_here = True
            case "rescue":
                await world.rescue()
            case "wait":
                world.clock.advance(number * 10)
            case _:
                pass

    async def end(self, verb: str, grant: Grant) -> None:
        await self.desk.report(started(grant), ENDINGS[verb](grant))


async def live_and_rebuilt(folder: Path, steps: list[tuple[str, int]]) -> tuple[object, object]:
    world = World(folder)
    try:
        person = await world.person()
        story = Story(world, await world.desk(person, slots=3))
        for verb, number in steps:
            try:
                await story.step(verb, number)
            except AppError as refused:
                if refused.code not in EXPECTED:
                    raise
        await world.committed()
        rebuilt = Board()
        for job in await world.ledger.read(lambda c: [*queue.queued(c), *queue.held(c)]):
            rebuilt.update(job, world.clock.monotonic(), world.clock.now())
        live = world.board.contents(), world.board.ready_count(person.person_id)
        return live, (rebuilt.contents(), rebuilt.ready_count(person.person_id))
    finally:
        world.database.close()


@given(STEPS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_rebuilt_board_equals_the_live_one(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live, rebuilt = asyncio.run(live_and_rebuilt(Path(folder), steps))
    assert live == rebuilt
