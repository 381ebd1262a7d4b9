"""A job with a child of its own that is made like the one that many share: one coroutine in it.

It ends with its job: `run` returns when nothing is left of its whole tree. Whoever loses its child
to the system is begun again a few times, which its kind must bear.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from desktop.core.outcome import Ending, Outcome
from desktop.runner.child import ChildLimits
from desktop.runner.lines import FromChild, Offers, Order, PartsOver, StepOver, Supplied
from desktop.runner.shared_job import SharedJob
from desktop.runner.shared_life import LOST, Life, Patience
from desktop.runner.suspects import Suspects
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId

END_SECONDS = 5.0
"""How long it may take to stop when it is told to; then the whole tree goes."""
CLOSE_SECONDS = 3.0
"""How long its child may take to close once it is over. Both together stay under ten seconds."""
LOSSES_MAX = 3
"""How often one is begun again in the same attempt whose child was killed."""

Supply = Callable[[], Awaitable[Supplied]]
"""What the jobs of a child work with, as it is now."""


class ApartChild:
    """A running job and its process (`desktop.runner.ports.Worked`)."""

    def __init__(
        self,
        order: Order,
        limits: ChildLimits,
        environment: Environment,
        on_line: Callable[[FromChild], None],
        supply: Supply,
    ) -> None:
        self._environment = environment
        self._supply = supply
        self._job = SharedJob(
            order, limits, environment, on_line, self._begin, end_seconds=END_SECONDS
        )
        # What it loses is nobody else's fault, and nobody else's to know.
        self._life = Life(
            self._job,
            environment,
            Suspects(),
            Patience(close_seconds=CLOSE_SECONDS),
            is_for_one=True,
        )
        self._tasks: asyncio.TaskGroup

    @property
    def job_id(self) -> JobId:
        return self._job.job_id

    @property
    def pid(self) -> int | None:
        """Of its process, once there is one."""
        return self._life.pid

    async def run(self) -> Outcome:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            outcome = await self._job.run()
            self._life.close()
        return self._settled(outcome)

    def answer(self, key: str, value: str) -> None:
        self._job.answer(key, value)

    def parts_ended(self, over: PartsOver) -> None:
        self._job.parts_ended(over)

    def step_ended(self, over: StepOver) -> None:
        self._job.step_ended(over)

    def offered(self, offers: Offers) -> None:
        self._job.offered(offers)

    def end(self, ending: Ending) -> None:
        self._job.end(ending)

    def refuse(self, error: ErrorBody) -> None:
        self._job.refuse(error)

    def kill(self) -> None:
        """End the whole tree without a word; used when this process ends."""
        self._life.kill()

    async def _begin(self, job: SharedJob) -> None:
        supplied = await self._supply()
        if job.is_over or self._life.is_leaving:
            job.lose(Outcome(ending=Ending.GONE))
            return
        self._life.supply(supplied)
        self._life.begin(1, job)
        self._tasks.create_task(self._life.run(), name="child apart")

    def _settled(self, outcome: Outcome) -> Outcome:
        """Have one begin again whose child was killed by somebody, and say it as it was."""
        tries = self._job.order.tries
        is_killed = outcome.ending is Ending.GONE and (outcome.exit_code or 0) < 0
        if not is_killed or tries >= LOSSES_MAX:
            return outcome
        return replace(
            outcome,
            ending=Ending.POSTPONED,
            error=outcome.failure(),
            seconds=LOST.wait_seconds(tries + 1, self._environment.random()),
        )
