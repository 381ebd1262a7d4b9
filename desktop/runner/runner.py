"""All running jobs of this worker: starts a child per attempt, passes on what it says.

The runner decides nothing durable. What a child asks and how it ends is told to a Listener, which
writes it to the journal first and then calls back (`answer`, `end`).
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType

import structlog

from desktop.core.attempt import Attempt
from desktop.core.figures import Tally
from desktop.core.outcome import Ending, Outcome
from desktop.runner.child import Child
from desktop.runner.lines import Offered, Offers, PartsOver, StepOver
from desktop.runner.ports import Listener, MakeChild
from desktop.runner.running import Running
from desktop.runner.shared_child import Sharing
from desktop.runner.telling import tell
from desktop.runner.workshop import Workshop, place_of
from desktop.store.parts import PartEnd
from shared import spans, trace
from shared.environment import Environment
from shared.errors import ErrorBody
from shared.ids import JobId
from shared.plan import StepEnded

log = structlog.get_logger(__name__)

LAST_WORDS_FILE = "last-words.log"
"""In a failed job's working folder: the end of its standard error."""
WIND_DOWN_SECONDS = 3.0
"""How long jobs may take to put themselves down when this program ends."""


class Runner:
    """Runs attempts until its TaskGroup ends; all children die with it."""

    def __init__(
        self,
        workshop: Workshop,
        listener: Listener,
        environment: Environment,
        tasks: asyncio.TaskGroup,
        shared: Sharing,
        make_child: MakeChild = Child,
    ) -> None:
        self._make_child = make_child
        self._shared = shared
        self.workshop = workshop
        """What the next job is run with."""
        self._listener = listener
        self._environment = environment
        self._tasks = tasks
        self._running: dict[JobId, Running] = {}
        self.tally = Tally()
        """What it has done since it was made."""

    @property
    def running(self) -> frozenset[JobId]:
        return frozenset(self._running)

    def start(
        self,
        attempt: Attempt,
        known_files: Mapping[str, str] = MappingProxyType({}),
        *,
        is_planned: bool = False,
        offers: tuple[Offered, ...] = (),
    ) -> None:
        """Start the child of an attempt whose start is committed.

        `known_files`, `is_planned`, `offers`: see `Order`.
        """
        job_id = attempt.spec.job_id
        assert job_id not in self._running
        kind = self.workshop.kinds[attempt.spec.kind]
        running = Running(attempt)
        order = self.workshop.order(attempt, known_files)
        if is_planned or offers:
            order = order.model_copy(update={"is_planned": is_planned, "offers": offers})
        limits = self.workshop.limits(kind)
        if kind.is_apart:
            assert kind.is_shared
            assert kind.may_repeat  # it is begun again when its child is killed
            running.child = self._shared.apart(order, limits, running.take)
        elif kind.is_shared:
            assert kind.may_repeat  # it may lose its child to another's fault
            is_maker = bool(kind.makes)
            running.child = self._shared.job(order, limits, running.take, is_maker=is_maker)
        else:
            running.child = self._make_child(order, limits, self._environment, running.take)
        self.tally.begun += 1
        self.tally.children += not kind.is_shared or kind.is_apart
        self._running[job_id] = running
        running.task = self._tasks.create_task(self._run(running), name=f"job {job_id}")

    async def errand(self, attempt: Attempt) -> Outcome:
        """Run something for the worker itself, which no journal knows and nobody is told of."""
        kind = self.workshop.kinds[attempt.spec.kind]
        assert kind.is_shared
        assert kind.idempotent
        limits = self.workshop.limits(kind)
        job = self._shared.job(self.workshop.order(attempt, {}), limits, lambda _line: None)
        try:
            return await job.run()
        finally:
            job.end(Ending.CANCELLED)

    def answer(self, job_id: JobId, key: str, value: str) -> None:
        """Pass an answer on; a child that is gone needs none."""
        if running := self._running.get(job_id):
            running.child.answer(key, value)

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        """Tell a job that none of its parts is open; a child that is gone asks again."""
        if running := self._running.get(job_id):
            counts = {end.value: ends.get(end, 0) for end in PartEnd}
            running.child.parts_ended(PartsOver.model_validate(counts))

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        """Tell a job how a step of it came out; a child that is gone asks again."""
        if running := self._running.get(job_id):
            running.child.step_ended(StepOver.model_validate({**asdict(ended), "number": number}))

    def offered(self, job_id: JobId, offers: tuple[Offered, ...]) -> None:
        """Tell a job what the person's workers offer now."""
        if running := self._running.get(job_id):
            running.child.offered(Offers(offers=offers))

    def end(self, job_id: JobId, ending: Ending) -> bool:
        """End a job's tree; False when it was not running."""
        running = self._running.get(job_id)
        if running is None:
            return False
        running.child.end(ending)
        return True

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        """End a job's tree; this error is its outcome."""
        if running := self._running.get(job_id):
            running.child.refuse(error)

    async def wind_down(self) -> None:
        """Let jobs that go on later put down what they have in hand; used before `end_all`.

        Nobody is told of their end: the journal keeps them as running, and the next start has them
        begun again.
        """
        those = [
            running
            for running in self._running.values()
            if self.workshop.kinds[running.attempt.spec.kind].is_apart
        ]
        for running in those:
            running.is_silent = True
            running.child.end(Ending.GONE)
        if those:
            await asyncio.wait([running.task for running in those], timeout=WIND_DOWN_SECONDS)

    def end_all(self) -> None:
        """Kill every child without a word; used when this process ends."""
        for running in self._running.values():
            running.is_silent = True
            running.child.end(Ending.CANCELLED)
        self._shared.end()

    async def _run(self, running: Running) -> None:
        attempt = running.attempt
        job_id = attempt.spec.job_id
        with (
            trace.carried(place_of(attempt)),
            structlog.contextvars.bound_contextvars(job_id=job_id, attempt=attempt.number),
        ):
            # Parts are many, and their job tells how far they are.
            say = log.info if attempt.part_of is None else log.debug
            say("job started", kind=attempt.spec.kind)
            told = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                teller = tasks.create_task(tell(running, self._listener, told))
                with spans.timed("run", _facts(attempt), sort="consumer"):
                    outcome = await running.child.run()
                told.set()
                running.news.set()
                running.urgent.set()
                await teller
            del self._running[job_id]
            self.tally.ends[outcome.ending] += 1
            say("job ended", ending=outcome.ending, seconds=round(outcome.running_seconds, 1))
            if not running.is_silent:
                self._keep_last_words(job_id, outcome)
                told_outcome = replace(
                    outcome, wishes=running.wishes, wrote=running.wrote, follows=running.follows
                )
                await self._listener.ended(job_id, told_outcome)
                self._clean(job_id, outcome)

    def _keep_last_words(self, job_id: JobId, outcome: Outcome) -> None:
        """Keep what a failed job said last, tracebacks included: on this machine alone."""
        if outcome.tail and outcome.ending not in _QUIET:
            path = self.workshop.jobs_folder / job_id / LAST_WORDS_FILE
            # A full disk must not cost the outcome as well.
            with contextlib.suppress(OSError):
                path.parent.mkdir(exist_ok=True, mode=0o700)
                path.write_text("\n".join(outcome.tail) + "\n", encoding="utf-8")

    def _clean(self, job_id: JobId, outcome: Outcome) -> None:
        """A job that ended well leaves no working folder; others keep theirs for a look."""
        if outcome.ending in (Ending.RESULT, Ending.CANCELLED):
            shutil.rmtree(self.workshop.jobs_folder / job_id, ignore_errors=True)


def _facts(attempt: Attempt) -> dict[str, str | int | float | bool]:
    """Tell what spans say of an attempt."""
    return {"deskhand.job_id": attempt.spec.job_id, "deskhand.kind": attempt.spec.kind}


_QUIET = (Ending.RESULT, Ending.CANCELLED, Ending.POSTPONED)
"""Endings whose last words nobody looks for."""
