"""The one child of all shared kinds: started by the first job, ended when idle, begun anew.

What its jobs do on the way is theirs (`desktop.runner.shared_job`); its processes are lives
(`desktop.runner.shared_life`). Jobs that were there each time when a child died go apart, first a
few together, then one by one: they harm nobody else then, and it is known which one it was.
Kinds that say so have a child of their own from the beginning (`desktop.runner.apart_child`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Protocol
from weakref import WeakSet

import structlog

from desktop.core.outcome import Ending, Outcome
from desktop.runner.apart_child import ApartChild, Supply
from desktop.runner.child import ChildLimits
from desktop.runner.lines import (
    FromChild,
    Order,
    Supplied,
)
from desktop.runner.shared_job import SharedJob
from desktop.runner.shared_life import Life, Patience
from desktop.runner.suspects import Place, Suspects
from shared.environment import Environment

log = structlog.get_logger(__name__)

FEW_MAX = 16
"""Suspects that share a child."""
ALONE_MAX = 2
"""Children for suspects at the same time; each costs as much as the one for all others."""


class Sharing(Protocol):
    """Where jobs of shared kinds are run."""

    def job(
        self,
        order: Order,
        limits: ChildLimits,
        on_line: Callable[[FromChild], None],
        *,
        is_maker: bool = False,
    ) -> SharedJob:
        """Make a job; its `run` begins it. `is_maker`: it may wait for other jobs."""

    def apart(
        self, order: Order, limits: ChildLimits, on_line: Callable[[FromChild], None]
    ) -> ApartChild:
        """Make a job that gets a child of its own; its `run` begins it."""

    def end(self) -> None:
        """End everything without a word; used when this process ends."""


class SharedChild:
    """Gives every job a place in the process that lives now, or in a new one."""

    def __init__(
        self,
        environment: Environment,
        tasks: asyncio.TaskGroup,
        supply: Supply,
        *,
        supply_apart: Supply | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Make it; nothing is started.

        `supply_apart`: what a job with a child of its own works with, if that is more.
        """
        self._environment = environment
        self._tasks = tasks
        self._supply = supply
        self._supply_apart = supply_apart or supply
        self._patience = patience or Patience()
        self._numbers = count(1)
        self._suspects = Suspects()
        self._few = asyncio.Semaphore(FEW_MAX)
        self._alone = asyncio.Semaphore(ALONE_MAX)
        self._open: dict[Place, Life] = {}
        """Where the next job goes, unless that is leaving."""
        self._lives: set[Life] = set()
        self._apart: WeakSet[ApartChild] = WeakSet()
        self._is_ended = False
        self.begun = 0
        """Processes that it has started for many jobs."""

    @property
    def pid(self) -> int | None:
        """Of the process that lives now."""
        life = self._open.get(Place.WITH_ALL)
        return life.pid if life is not None and not life.is_leaving else None

    def job(
        self,
        order: Order,
        limits: ChildLimits,
        on_line: Callable[[FromChild], None],
        *,
        is_maker: bool = False,
    ) -> SharedJob:
        return SharedJob(order, limits, self._environment, on_line, self._begin, is_maker=is_maker)

    def apart(
        self, order: Order, limits: ChildLimits, on_line: Callable[[FromChild], None]
    ) -> ApartChild:
        child = ApartChild(order, limits, self._environment, on_line, self._supply_apart)
        self._apart.add(child)
        return child

    def end(self) -> None:
        self._is_ended = True
        for life in self._lives:
            life.kill()
        for child in self._apart:
            child.kill()

    async def _begin(self, job: SharedJob) -> None:
        supplied = await self._supply()
        place = self._suspects.place(job.job_id)
        if place is Place.WITH_ALL or job.is_maker:
            self._put(job, supplied, Place.WITH_ALL)
        else:
            log.warning("job goes apart", job_id=job.job_id, place=place.name)
            self._tasks.create_task(self._work_apart(job, supplied, place), name="suspect")

    async def _work_apart(self, job: SharedJob, supplied: Supplied, place: Place) -> None:
        async with self._few if place is Place.WITH_FEW else self._alone:
            life = self._put(job, supplied, place)
            await job.over()
            if place is Place.ALONE and life is not None:
                life.close()

    def _put(self, job: SharedJob, supplied: Supplied, place: Place) -> Life | None:
        """Have a job run where it belongs; None when nobody wants that any more."""
        if job.is_over or self._is_ended:
            job.lose(Outcome(ending=Ending.GONE))
            return None
        life = self._open.get(place)
        if life is None or life.is_leaving or place is Place.ALONE:
            life = self._open[place] = self._new_life(job, is_for_one=place is Place.ALONE)
        life.supply(supplied)
        life.begin(next(self._numbers), job)
        return life

    def _new_life(self, first: SharedJob, *, is_for_one: bool) -> Life:
        life = Life(first, self._environment, self._suspects, self._patience, is_for_one=is_for_one)
        self._lives.add(life)
        self.begun += 1
        task = self._tasks.create_task(life.run(), name="shared child")
        task.add_done_callback(lambda _: self._lives.discard(life))
        return life
