"""A run while its cells are asked: parts, progress, its budget, and endpoints that refuse.

cells without an end ─▶ parts ─▶ what ended without a word is closed ─▶ again? ─▶ …
                         ├─ told twice a second: done, of how many, time left, cost, faults
                         └─ an endpoint refuses the key or the account: one question, at once
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from desktop.core.llm.fault import FaultClass
from desktop.core.llm.types import CellEnd, CellState, Model
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import run_plan, run_words
from desktop.jobs.llm.conversation import cost_usd
from desktop.jobs.llm.house import House, Trip
from desktop.store.transcripts import pages, reading
from desktop.store.transcripts.records import Run
from desktop.store.transcripts.transcripts import Transcripts
from shared.money import dollars
from shared.questions import TEXT_CHARS_MAX, Asking, Choice, QuestionKind

PROBE = "llm.probe"
LOOK_SECONDS = 0.5
"""How often it is told how far a run is."""
RATE_PROBES_MIN = 5
"""Fewer say nothing about how long the rest will take."""
NEWS_SECONDS = 0.05
"""Within that a refusal is known that has just ended the last probe."""
REFUSALS = (FaultClass.AUTH_ERROR, FaultClass.QUOTA, FaultClass.MISSING_API_KEY)
"""What a person may have mended when they say "try again"."""
AGAIN, WITHOUT = "again", "without"
GO_ON, STOP = "go on", "stop"
BATCH_MIN = 8
"""Probes of a run with a budget that are asked before their price is looked at."""
BATCH_SHARE = 0.5
"""Of what the rest of a budget may pay for; the next look comes before it can be gone over."""


@dataclass(slots=True, eq=False)
class Asked:
    """One run, in one attempt of its job."""

    context: SharedContext
    kept: Transcripts
    run_id: str
    house: House
    _models: dict[str, Model] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    """Endpoints that are to be tried again, since a person said so."""
    _dealt: int = 0
    """The number of the last trip of a breaker that was dealt with."""
    _questions: int = 0
    _unpriced: set[str] = field(default_factory=set)
    """Models without a price that were told of."""
    _dealing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def all(self, cost_usd_max: float | None = None) -> None:
        """Ask what has no end, until nothing is left or a person lets it be."""
        await self._each_without_an_end(cost_usd_max)
        # A probe of before a crash may have its end here, and not have told it yet.
        await self.context.parts(PROBE, {"run": self.run_id}, ())

    async def _each_without_an_end(self, cost_usd_max: float | None) -> None:
        self._models = run_plan.known((await self.look()).models, self.context.endpoints)
        while indexes := await self.kept.open_cells(self.run_id):
            async with self._watched(len(indexes)):
                is_stopped = not await self._parts(shuffled(indexes, self.run_id), cost_usd_max)
            if is_stopped:
                return
            await self._close(indexes)
            if not await self._reopened():
                return

    async def look(self) -> Run:
        """Read how far it is."""
        return await self.kept.look(lambda connection: reading.run(connection, self.run_id))

    async def _parts(self, indexes: list[int], cost_usd_max: float | None) -> bool:
        """Have them asked; False when a person does not want to pay for all of them."""
        if cost_usd_max is None:
            await self.context.parts(PROBE, {"run": self.run_id}, indexes)
            return True
        limit = cost_usd_max
        while indexes:
            now = await self.look()
            self._warn_of_prices(now)
            count = affordable(now, limit, len(indexes))
            if count:
                await self.context.parts(PROBE, {"run": self.run_id}, indexes[:count])
                indexes = indexes[count:]
            elif await self._may_cost_more(now, limit, len(indexes)):
                limit += cost_usd_max
            else:
                return False
        return True

    def _warn_of_prices(self, now: Run) -> None:
        """Say once for each model that a budget cannot hold it: nobody knows its price."""
        for model in sorted(run_words.unpriced(now) - self._unpriced):
            self._unpriced.add(model)
            self.context.log(f"⚠ {model} has no known price; the budget does not count it.")

    async def _may_cost_more(self, now: Run, limit: float, left: int) -> bool:
        cost = now.cost_usd or 0.0
        rest = cost / max(1, now.done) * left
        answer = await self.context.ask(
            Asking(
                key=f"budget-{limit:g}",
                kind=QuestionKind.APPROVAL,
                text=f"{run_words.titled(now.name)} has cost {dollars(cost)} of"
                f" {dollars(limit)}. The other {run_words.waiting(left)} may cost about"
                f" {dollars(rest)}. Go on?",
                choices=(
                    Choice(value=GO_ON, label="Go on", detail="for as much again"),
                    Choice(value=STOP, label="Stop here"),
                ),
                default=STOP,
            )
        )
        return answer == GO_ON

    async def _close(self, indexes: Sequence[int]) -> None:
        """End cells whose probes are over and said nothing: stopped, or out of tries."""
        asked = set(indexes)
        for index in await self.kept.open_cells(self.run_id):
            if index in asked:
                fault, message = await self._last_fault(index)
                end = CellEnd(
                    state=CellState.FAILED,
                    fault=fault or FaultClass.CANCELLED,
                    message=message or "The probe was stopped before it had an answer.",
                    cost_usd=await self._spent(index),
                )
                await self.kept.end_cell(self.run_id, index, end)

    async def _spent(self, index: int) -> float | None:
        probe = await self.kept.probe(self.run_id, index)
        model = self._models.get(probe.cell.model)
        return cost_usd(model, probe.turns) if model is not None and probe.turns else None

    async def _last_fault(self, index: int) -> tuple[str, str]:
        page = await self.kept.look(
            lambda connection: pages.cells(connection, self.run_id, after=index - 1, count=1)
        )
        return page.cells[0].fault, page.cells[0].message

    async def _reopened(self) -> bool:
        """Open what failed at endpoints that a person has mended."""
        names, self._again = self._again, set()
        models = self._models_at(names)
        if not models:
            return False
        return await self.kept.reopen_cells(self.run_id, models=models, faults=REFUSALS) > 0

    @contextlib.asynccontextmanager
    async def _watched(self, count: int) -> AsyncIterator[None]:
        """While probes are asked: tell how far they are, and mind endpoints that refuse."""
        async with asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell(count))
            minding = group.create_task(self._mind())
            try:
                yield
                async with self._dealing:  # a question that is open says whether to go on
                    minding.cancel()
                await self._mind_last()
            finally:
                telling.cancel()
                minding.cancel()
        self._told(await self.look(), None)

    async def _tell(self, count: int) -> None:
        loop = asyncio.get_running_loop()
        began, done_before = loop.time(), None
        while True:
            now = await self.look()
            done_before = now.done if done_before is None else done_before
            self._told(now, left_seconds(now.done - done_before, count, loop.time() - began))
            await asyncio.sleep(LOOK_SECONDS)

    def _told(self, now: Run, left: float | None) -> None:
        self.context.progress(run_words.stage(now), now.done, now.total, eta_seconds=left)

    async def _mind(self) -> None:
        names = {model.endpoint.name for model in self._models.values()}
        while True:
            trip = await self.house.tripped(names, after=self._dealt)
            async with self._dealing:
                await self._deal(trip)

    async def _mind_last(self) -> None:
        """Deal with what has ended the last probes, and was not heard of yet."""
        names = {model.endpoint.name for model in self._models.values()}
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(NEWS_SECONDS):
                    trip = await self.house.tripped(names, after=self._dealt)
                await self._deal(trip)

    async def _deal(self, trip: Trip) -> None:
        """Ask a person about an endpoint that refuses, unless somebody asks already."""
        self._dealt = trip.number
        if not self.house.claim(trip):
            return
        self._questions += 1
        name = trip.endpoint.name
        waiting = _not_answered(await self.look(), self._models_at({name}))
        text = f"{trip.refusal.message} {run_words.waiting(waiting)} wait for it. "
        answer = await self.context.ask(
            Asking(
                key=f"refused-{name}-{self._questions}",
                kind=QuestionKind.CHOICE,
                text=f"{text}{trip.refusal.hint}".strip()[:TEXT_CHARS_MAX],
                choices=(
                    Choice(value=AGAIN, label="Try again"),
                    Choice(value=WITHOUT, label="Go on without"),
                ),
                default=WITHOUT,
            )
        )
        if answer == AGAIN:
            self._again.add(name)
            self.house.reset(name)

    def _models_at(self, endpoints: set[str]) -> list[str]:
        return [name for name, at in self._models.items() if at.endpoint.name in endpoints]


def shuffled(indexes: Sequence[int], run_id: str) -> list[int]:
    """Mix cells, always alike for a run, so that models and scenarios are spread over its time."""
    mixed = sorted(indexes)
    seed = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:8], "big")
    random.Random(seed).shuffle(mixed)  # noqa: S311 - it spreads, it hides nothing
    return mixed


def affordable(now: Run, limit: float, left: int) -> int:
    """How many probes may be asked at once so that the budget is looked at before it is gone."""
    if not now.done:
        return min(BATCH_MIN, left)
    cost = now.cost_usd or 0.0
    mean = cost / now.done
    if mean == 0:
        return left
    rest = int((limit - cost) / mean)
    return min(left, rest, max(BATCH_MIN, int(rest * BATCH_SHARE)))


def left_seconds(done: int, count: int, seconds: float) -> float | None:
    """Say from what was done since this began how long the rest will take."""
    if done < RATE_PROBES_MIN:
        return None
    return max(0, count - done) * seconds / done


def _not_answered(now: Run, models: Sequence[str]) -> int:
    each = now.total // max(1, len(now.models))
    answered = sum(
        tally.cells
        for tally in now.tallies
        if tally.model in models and tally.state in (CellState.ANSWERED, CellState.REFUSED)
    )
    return each * len(models) - answered
