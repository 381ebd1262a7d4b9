"""All that a node has in hand: what tickets become, what their children say, how it ends.

Runs on one loop; Celery's threads come in through `take`. Whether something may begin is the hub's
word alone, and what came of it is told to the hub before it is forgotten here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import structlog

from desktop.core.attempt import Attempt, answer_invalid, is_answer
from desktop.core.outcome import Ending, Outcome, PartsWanted, no_place
from desktop.core.outcome_event import names, outcome_event
from desktop.core.result_size import RESULT_BYTES_MAX
from desktop.core.steps import StepWanted
from desktop.fleet.beating import Beating
from desktop.fleet.hub_line import DeliveryLine, HubLine
from desktop.fleet.reports import AGAIN, Reports, Told
from desktop.fleet.setup import NodeSetup
from desktop.fleet.starting import Starting
from desktop.fleet.work import TOOK, Took, Work, job_alone, node_ended
from desktop.runner.lines import Planned
from desktop.runner.runner import Runner
from shared import trace
from shared.api.fleet import FleetBeat, FleetEventBody, FleetHeard
from shared.environment import Environment
from shared.errors import AppError, Conflict, ErrorBody, NotFound
from shared.events import (
    JobFailed,
    JobLogged,
    JobParked,
    JobResumed,
    JobStarted,
    QuestionAsked,
)
from shared.fleet import Ticket
from shared.ids import JobId, QuestionId
from shared.kinds import Kind
from shared.messages import Metrics, Progress
from shared.questions import Asking

log = structlog.get_logger(__name__)

ASKING_MAX = 64
"""Jobs that wait for a person without a slot; more keep theirs."""
LAST_SECONDS = 15.0
"""How long the hub may take to hear how the last jobs of a node came out."""
OPEN, PARKED, ANSWERED = "open", "parked", "answered"


class Node:
    """One node: a `desktop.runner.ports.Listener`, and whoever takes tickets' port."""

    def __init__(
        self,
        setup: NodeSetup,
        line: HubLine,
        environment: Environment,
        tasks: asyncio.TaskGroup,
        on_over: Callable[[JobId], None],
        measure: Callable[[], Metrics],
    ) -> None:
        """Take what it works with.

        Args:
            setup: what it was started with.
            line: to its hub.
            environment: clocks and chance.
            tasks: what it has going on; ended from outside.
            on_over: told of jobs of which nothing is in hand any more.
            measure: how the machine is doing.
        """
        self._setup, self._line, self._environment, self._tasks = setup, line, environment, tasks
        self._on_over, self._measure = on_over, measure
        self._starting = Starting(line, setup, environment, lambda: self.is_draining)
        self._held: dict[JobId, Work] = {}
        self._beaten: frozenset[str] = frozenset()
        """Deliveries that had begun when the last beat was made: its answer knows of no other."""
        self._runner: Runner
        self._kinds: dict[str, Kind] = {}
        self.beating = Beating(line, self, environment)
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self.is_draining = False
        self.on_drain: Callable[[], None] = lambda: None  # once nothing more is to be taken
        self.done = asyncio.Event()
        """It is drained, or cannot go on: `error` says why."""
        self.error: AppError | None = None

    def use(self, runner: Runner) -> None:
        """Take the runner, whose listener this is."""
        self._runner = runner
        self._kinds = dict(runner.workshop.kinds)

    @property
    def held(self) -> int:
        """How many attempts are in hand, those that ask included."""
        return len(self._held)

    @property
    def works(self) -> tuple[Work, ...]:
        return tuple(self._held.values())

    # Tickets.

    async def take(self, ticket: Ticket) -> Took:
        """Work on a ticket; returns once its slot is free."""
        if self.is_draining:
            return Took.BACK
        delivery = self._environment.new_id()
        while (before := self._held.get(ticket.job_id)) is not None:
            if before.ticket.fence >= ticket.fence:
                return Took.STALE
            if not await self._starting.is_given(ticket, delivery):
                return Took.STALE
            # The hub has given the job anew: whatever is here of it is nobody's.
            self._abandon(before)
            await before.over.wait()
        speaker = DeliveryLine(self._line, ticket, delivery)
        work = Work(
            ticket,
            delivery,
            Reports(
                speaker,
                self._environment,
                partial(self.refuse, ticket.job_id),
                partial(self._stop, ticket.job_id, ticket.attempt),
            ),
            asyncio.get_running_loop().create_future(),
        )
        self._held[ticket.job_id] = work
        self._tasks.create_task(self._work(work), name=f"ticket {ticket.task_id}")
        return await work.freed

    async def _work(self, work: Work) -> None:
        ticket, job_id = work.ticket, work.ticket.job_id
        place = trace.of_attempt(ticket.traceparent, job_id, ticket.attempt, ticket.fence)
        facts = {"job_id": job_id, "attempt": ticket.attempt, "trace_id": place.trace_id}
        with trace.carried(place), structlog.contextvars.bound_contextvars(**facts):
            try:
                begun = await self._starting.begin(ticket, work.delivery)
                if isinstance(begun, Took):
                    took = begun
                else:
                    work.attempt = begun
                    self._start(work)
                    took = await self._see_through(work)
            finally:
                del self._held[job_id]
                work.over.set()
                self._changed.set()
            work.free(took)
            if work.attempt is not None:
                self._on_over(job_id)

    def _start(self, work: Work) -> None:
        assert work.attempt is not None
        try:
            self._runner.start(work.attempt)
        except (OSError, AppError) as error:
            work.child_gone.set()
            work.reports.put(JobFailed(**names(work.attempt), error=no_place(error)))

    async def _see_through(self, work: Work) -> Took:
        """Tell the hub everything, until it has the outcome."""
        told = await work.reports.run()
        if told is not Told.OVER:
            self._abandon(work)
        if work.waiter is not None:
            work.waiter.cancel()
        await work.child_gone.wait()
        return Took.STALE if told is Told.LOST else work.took

    def _abandon(self, work: Work) -> None:
        """End a child whose outcome nobody wants."""
        work.is_unwanted = True
        work.reports.abandon()
        if work.attempt is not None and not self._runner.end(work.ticket.job_id, Ending.CANCELLED):
            work.child_gone.set()

    async def _pause(self, failures: int, error: AppError) -> None:
        wait = AGAIN.wait_seconds(failures, self._environment.random())
        await asyncio.sleep(max(wait, error.retry_after_seconds or 0.0))

    # What children say (`desktop.runner.ports.Listener`).

    def progressed(self, progress: Progress) -> None:
        if (work := self._held.get(progress.job_id)) is not None:
            work.reports.note(progress)

    async def logged(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        work = self._held[job_id]
        assert work.attempt is not None
        work.reports.put(JobLogged(**names(work.attempt), lines=lines))

    async def asked(self, job_id: JobId, asking: Asking) -> None:
        work = self._held[job_id]
        assert work.attempt is not None
        size = len(asking.model_dump_json().encode())
        if size > RESULT_BYTES_MAX:
            words = f"A question of {size:,} bytes is more than a chat takes."
            hint = "This is a fault of the program; please report it with the job's log."
            self.refuse(job_id, AppError("question_too_large", words, hint).body)
            return
        question_id = QuestionId(self._environment.new_id())
        work.question_id = question_id
        work.reports.put(
            QuestionAsked(**names(work.attempt), question_id=question_id, asking=asking)
        )
        if self.is_draining:
            self._runner.end(job_id, Ending.PARKED)
            return
        work.waiter = self._tasks.create_task(
            self._await_answer(work, question_id, asking), name=f"question {question_id}"
        )
        if sum(one.freed.done() for one in self._held.values()) < ASKING_MAX:
            work.free(Took.ASKING)

    def parts_wanted(self, job_id: JobId, wanted: PartsWanted | StepWanted) -> None:
        self.refuse(job_id, job_alone())

    step_wanted = parts_wanted

    def step_dropped(self, job_id: JobId, number: int) -> None: ...

    async def planned(self, job_id: JobId, told: Planned) -> None:
        self.refuse(job_id, job_alone())

    async def ended(self, job_id: JobId, outcome: Outcome) -> None:
        work = self._held[job_id]
        assert work.attempt is not None
        work.child_gone.set()
        if not work.is_unwanted:
            body = self._body(work, work.attempt, outcome)
            work.took = TOOK.get(type(body), Took.FAILED)
            work.reports.put(body)

    def _body(self, work: Work, attempt: Attempt, outcome: Outcome) -> FleetEventBody:
        if outcome.ending is Ending.PARKED:
            assert work.question_id is not None
            return JobParked(**names(attempt), question_id=work.question_id)
        body = outcome_event(names(attempt), outcome, self._kinds[attempt.spec.kind])
        assert not isinstance(body, JobStarted)
        return body

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        """End a job as if it had failed with this."""
        self._runner.refuse(job_id, error)

    # Questions.

    async def _await_answer(self, work: Work, question_id: QuestionId, asking: Asking) -> None:
        """Wait for an answer, for as long as it takes, and pass it on."""
        await work.reports.told()
        failures = 0
        while True:
            try:
                told = await self._line.question(question_id)
            except (Conflict, NotFound) as error:
                log.warning("question is not ours any more", code=error.code)
                self._abandon(work)
                return
            except AppError as error:
                failures += 1
                await self._pause(failures, error)
                continue
            failures = 0
            if told.state == OPEN:
                continue
            if told.state == ANSWERED and told.answer is not None:
                self._answered(work, question_id, asking, told.answer.value)
            else:
                ending = Ending.PARKED if told.state == PARKED else Ending.CANCELLED
                self._runner.end(work.ticket.job_id, ending)
            return

    def _answered(self, work: Work, question_id: QuestionId, asking: Asking, value: str) -> None:
        assert work.attempt is not None
        work.question_id = None
        if is_answer(asking, value):
            work.reports.put(JobResumed(**names(work.attempt), question_id=question_id))
            self._runner.answer(work.ticket.job_id, asking.key, value)
        else:
            self.refuse(work.ticket.job_id, answer_invalid())

    # Beats (`desktop.fleet.beating.Floor`).

    def now(self) -> FleetBeat:
        setup = self._setup
        self._beaten = frozenset(
            work.delivery for work in self._held.values() if work.attempt is not None
        )
        return FleetBeat(
            node=setup.node,
            instance=setup.instance,
            pool=setup.pool,
            kinds=setup.kinds,
            slots=setup.slots,
            held=tuple(work.held for work in self._held.values()),
            is_draining=self.is_draining,
            metrics=self._measure(),
        )

    def heard(self, heard: FleetHeard) -> None:
        for stop in heard.stops:
            work = self._held.get(JobId(stop.job_id))
            # What has begun meanwhile was nobody's then: the next beat hears of it again.
            if work is not None and work.delivery in self._beaten:
                self._stop(work.ticket.job_id, stop.attempt, stop.reason)
        if heard.must_drain:
            self.drain("the hub says so")

    def is_back(self) -> None:
        for work in self._held.values():
            work.reports.hurry()

    def give_up(self, error: AppError) -> None:
        """End at once: nothing that could be told would be heard."""
        log.warning("the hub refuses this node", code=error.code, error=str(error))
        self.error = self.error or error
        self.done.set()

    def _stop(self, job_id: JobId, number: int, reason: str) -> None:
        work = self._held.get(job_id)
        if work is None or work.attempt is None or work.ticket.attempt != number:
            return
        if self._runner.end(job_id, Ending.CANCELLED):
            log.info("job stopped", job_id=job_id, reason=reason)

    # The end.

    def drain(self, why: str) -> None:
        """Take nothing more, finish what is in hand, and end."""
        if self.is_draining:
            return
        log.info("draining", why=why, held=self.held)
        self.is_draining = True
        self.on_drain()
        self.beating.ring()
        self._tasks.create_task(self._drain(), name="drain")

    def hasten(self) -> None:
        """Put down at once what is still in hand."""
        self._hurry.set()
        self._changed.set()

    async def _drain(self) -> None:
        for work in list(self._held.values()):
            if work.question_id is not None:
                self._runner.end(work.ticket.job_id, Ending.PARKED)
        if not await self._emptied(self._setup.drain_seconds, self._hurry):
            log.warning("jobs are put down", held=self.held)
            for work in list(self._held.values()):
                self._put_down(work)
            await self._emptied(LAST_SECONDS)
        with contextlib.suppress(AppError):
            await self.beating.run_once()
        self.done.set()

    def _put_down(self, work: Work) -> None:
        if work.attempt is None:
            return
        kind = self._kinds[work.attempt.spec.kind]
        if kind.may_repeat:
            self.refuse(work.ticket.job_id, node_ended(self._setup.node).body)
        else:
            self._runner.end(work.ticket.job_id, Ending.GONE)

    async def _emptied(self, seconds: float, hurry: asyncio.Event | None = None) -> bool:
        """Wait until nothing is in hand, for so long; say whether it is so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._held and not (hurry and hurry.is_set()):
                    self._changed.clear()
                    await self._changed.wait()
        return not self._held
