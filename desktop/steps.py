"""Has the steps of jobs made, one by one, and tells each job how each of them came out.

A step is a part (`desktop.parts`) of a kind of its own, known by its number: this machine keeps
it when it runs the kind itself, and else asks the hub to have it run by another of the person's
machines, whose word on its end comes with the hub's log. What a job wants is known only while it
runs: begun anew after a crash it asks again, and a number that is open, or has ended well, is not
made twice. Whatever is open when its job is over is ended with it: here by `desktop.parts`, there
by the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from desktop.alone import Alone
from desktop.core import steps as core
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.steps import StepWanted
from desktop.store import kept
from desktop.store import steps as stored
from desktop.store.hands import Hands
from desktop.store.minder import Minder
from desktop.store.steps import KnownStep
from shared.environment import Environment
from shared.errors import AppError
from shared.events import CancelAsked
from shared.ids import JobId, WorkerId
from shared.jobs import JobSpec
from shared.kinds import Kind
from shared.plan import StepEnded

log = structlog.get_logger(__name__)

INVALID = "inputs_invalid"
"""What no machine can run."""


class Floor(Protocol):
    """The worker, as far as steps concern it."""

    @property
    def worker_id(self) -> WorkerId:
        """Who this worker is."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What jobs can be of."""

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        """Return why a job of this machine's own may not start now, or at all."""

    def stop(self, job_id: JobId) -> None:
        """End a job that runs here."""

    def start_waiting(self) -> None:
        """Start soon what waits here."""

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        """Tell a job how a step of it came out."""


@dataclass(slots=True, eq=False)
class _Step:
    """A step that a job waits for."""

    maker: Attempt
    wanted: StepWanted
    job_id: JobId | None = None
    """None until it is made, or found."""
    is_over: bool = False
    failures: int = 0
    """How often it failed since it was asked for."""
    due: float = field(default=0.0)
    """When it is tried again."""


class Steps:
    """One for each worker. `run` until cancelled."""

    def __init__(
        self, hands: Hands, alone: Alone, floor: Floor, minder: Minder, environment: Environment
    ) -> None:
        self._hands, self._alone, self._floor = hands, alone, floor
        self._minder, self._environment = minder, environment
        self._steps: dict[tuple[JobId, int], _Step] = {}
        self._dropped: list[_Step] = []
        """Those that nobody waits for any more, and that are to be stopped."""
        self._stopping: set[JobId] = set()
        self._bell = asyncio.Event()
        hands.on_ended.append(self._note_end)

    def want(self, job_id: JobId, wanted: StepWanted) -> None:
        """A job that runs here wants a step; asked for again, it is the same one."""
        maker = self._hands.alive(job_id)
        if maker is not None:
            self._steps[job_id, wanted.number] = _Step(maker, wanted)
            self._bell.set()

    def drop(self, job_id: JobId, number: int) -> None:
        """A job waits for a step no more: it is stopped."""
        step = self._steps.pop((job_id, number), None)
        if step is not None:
            self._dropped.append(step)
            self._bell.set()

    def heard(self, settled: Collection[JobId]) -> None:
        """The hub says that parts are over that other machines were to run."""
        for step in self._steps.values():
            if step.job_id in settled:
                step.is_over = True
        self._bell.set()

    async def run(self) -> None:
        """Make what is wanted and tell what is over, whenever there is something to do."""
        self._bell.set()
        while True:
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_left()):
                    await self._bell.wait()
            self._bell.clear()
            await self._minder.insist(self.run_once)

    async def run_once(self) -> None:
        """Do all that can be done now."""
        while self._dropped:
            await self._stop(self._dropped[0])
            self._dropped.pop(0)
        for key, step in list(self._steps.items()):
            if not self._hands.has(key[0]):
                self._forget(key, step)  # its job is over, and what is open of it ended elsewhere
            elif self._steps.get(key) is step:
                await self._go_on(key, step)

    def _seconds_left(self) -> float | None:
        """How long there is nothing to do but listen; None for until the bell."""
        waiting = [step.due for step in self._steps.values() if step.job_id is None]
        return max(0.0, min(waiting) - self._environment.monotonic()) if waiting else None

    async def _go_on(self, key: tuple[JobId, int], step: _Step) -> None:
        if step.job_id is None and step.due <= self._environment.monotonic():
            await self._begin(key, step)
        if step.job_id is not None and step.is_over:
            await self._settle(key, step)

    async def _begin(self, key: tuple[JobId, int], step: _Step) -> None:
        """Find the step that a number stands for, or make it."""
        found = await self._hands.step(*key)
        kind = self._floor.kinds.get(step.wanted.kind)
        if found is not None and found.ended is None:
            if self._hands.has(found.job_id) or not found.is_kept:
                # Its end may have been told while it was looked up.
                step.job_id, step.is_over = found.job_id, True
                self._bell.set()
                return
            found = stored.lost(found.job_id)
        if found is not None and self._is_final(step, found, kind):
            assert found.ended is not None
            self._tell(key, step, found.ended)
            return
        await self._make(key, step)

    def _is_final(self, step: _Step, found: KnownStep, kind: Kind | None) -> bool:
        """Whether what is known of a step's end is told instead of it being made anew."""
        assert found.ended is not None
        if found.ended.state == "succeeded":
            return True
        return not step.failures and not core.is_repeated(kind, found.error)

    async def _make(self, key: tuple[JobId, int], step: _Step) -> None:
        maker, wanted = step.maker, step.wanted
        body = core.request_of(
            maker.spec,
            wanted,
            job_id=JobId(self._environment.new_id()),
            worker_id=self._floor.worker_id,
        )
        error = core.refusal(maker.spec, wanted, self._floor.kinds, self._open_count(key[0]))
        if error is not None:
            self._tell(key, step, _refused(body.job_id, error))
            return
        error = self._floor.refusal_of_own(kept.spec_of_part(maker.spec, body))
        is_here = error is None or error.retryable
        if error is not None and error.code == INVALID:
            self._tell(key, step, _refused(body.job_id, error))
            return
        if is_here:
            is_made = await self._hands.keep_parts(maker, {wanted.number: body})
        else:
            body = core.request_of(maker.spec, wanted, job_id=body.job_id, worker_id=None)
            is_made = await self._hands.lend_part(maker, wanted.number, body)
        if not is_made:
            self._forget(key, step)
            return
        log.info("step made", job_id=body.job_id, part_of=key[0], kind=wanted.kind, here=is_here)
        step.job_id, step.is_over = body.job_id, False
        self._floor.start_waiting()

    def _open_count(self, maker: JobId) -> int:
        return sum(key[0] == maker and step.job_id is not None for key, step in self._steps.items())

    async def _settle(self, key: tuple[JobId, int], step: _Step) -> None:
        """Tell how a step ended, or have it made anew."""
        step.is_over = False  # before it is looked up: it may end meanwhile
        try:
            found = await self._hands.step(*key)
        except AppError:
            step.is_over = True
            raise
        if found is None or found.ended is None:
            return
        if found.job_id in self._stopping:
            self._stopping.discard(found.job_id)
            step.job_id, step.is_over = None, False
            self._bell.set()
            return
        kind = self._floor.kinds.get(step.wanted.kind)
        step.failures += 1
        wait = None
        if found.ended.state == "failed" and found.is_kept:  # the hub sees to the others
            random = self._environment.random()
            wait = core.retry_seconds(kind, found.error, step.failures, random)
        if wait is None:
            self._tell(key, step, found.ended)
        else:
            log.info("step tried again", part_of=key[0], number=key[1], seconds=wait)
            step.job_id, step.is_over = None, False
            step.due = self._environment.monotonic() + wait

    async def _stop(self, step: _Step) -> None:
        """End the job of a step that nobody waits for any more."""
        maker_id = step.maker.spec.job_id
        found = await self._hands.step(maker_id, step.wanted.number)
        if found is None or found.ended is not None:
            return
        if not found.is_kept:
            self._stopping.add(found.job_id)
            await self._hands.say(CancelAsked(job_id=found.job_id))
        for part in self._hands.parts_of(maker_id):
            if part.spec.job_id == found.job_id:
                self._stopping.add(found.job_id)
                await self._stop_kept(part)

    async def _stop_kept(self, part: Attempt) -> None:
        if part.state is AttemptState.GRANTED:
            await self._alone.give_up(part)
        if self._hands.alive(part.spec.job_id) is not None:
            self._floor.stop(part.spec.job_id)

    def _tell(self, key: tuple[JobId, int], step: _Step, ended: StepEnded) -> None:
        self._forget(key, step)
        self._floor.step_ended(*key, ended)

    def _forget(self, key: tuple[JobId, int], step: _Step) -> None:
        if self._steps.get(key) is step:
            del self._steps[key]

    def _note_end(self, attempt: Attempt) -> None:
        """An attempt of this worker has ended, whichever way."""
        job_id = attempt.spec.job_id
        for step in self._steps.values():
            if step.job_id == job_id:
                step.is_over = True
        if attempt.part_of is not None or any(key[0] == job_id for key in self._steps):
            self._bell.set()


def _refused(job_id: JobId, error: AppError) -> StepEnded:
    body = error.body
    return StepEnded(job_id=job_id, state="failed", error=body.message, code=body.code)
