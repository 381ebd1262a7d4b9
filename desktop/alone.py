"""What the person at this machine asks for, done here as far as it can be without a hub.

A job is kept and run, a question of a job here is answered, a job here is stopped, a known one is
tried again. With a hub in reach all of that goes by the hub's order; what concerns other machines
waits for it. Either way it is an event of this machine's log first.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome_event import names
from desktop.store import kept
from desktop.store.hands import Hands
from desktop.store.journal import OpenQuestion
from shared.environment import Environment
from shared.errors import AppError
from shared.events import (
    AnswerGiven,
    CancelAsked,
    JobCancelled,
    JobFailed,
    RequestEventBody,
    RetryAsked,
    TaskRequested,
)
from shared.ids import JobId, SessionId, WorkerId
from shared.jobs import JobSpec, Origin

log = structlog.get_logger(__name__)


class Here(Protocol):
    """The worker, as far as what is asked for at its machine concerns it."""

    @property
    def worker_id(self) -> WorkerId:
        """Who this worker is."""

    @property
    def is_online(self) -> bool:
        """Whether the line to the hub is up."""

    @property
    def is_offline(self) -> bool:
        """Whether a hub was called in vain; while it is called for the first time, neither."""

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        """Return why a job that was asked for here may not start now, or at all."""

    def is_due(self, attempt: Attempt) -> bool:
        """Whether an attempt that waits for its start may start by now."""

    def is_light(self, attempt: Attempt) -> bool:
        """Whether an attempt takes no slot of this machine."""

    async def begin(self, attempt: Attempt) -> None:
        """Start an attempt that this worker was granted from the beginning."""

    def pass_on(self, question: OpenQuestion, value: str) -> None:
        """Tell a child its answer."""

    def stop(self, job_id: JobId) -> None:
        """End a child and all it started."""


class Alone:
    def __init__(self, hands: Hands, here: Here, environment: Environment) -> None:
        self._hands = hands
        self._here = here
        self._environment = environment
        self._starting = asyncio.Lock()
        """Held while waiting jobs are started, so that none is started twice."""

    async def say(self, body: RequestEventBody) -> None:
        """Write down what is asked for, and do what can be done at once.

        Raises:
            BadInput: `answer_unfit`.
        """
        match body:
            case TaskRequested() if self._may_keep(body):
                await self._keep(body, kept.spec_for(body))
            case AnswerGiven() if not self._here.is_online and await self._use(body):
                pass
            case CancelAsked():
                await self._cancel(body)
            case RetryAsked() if not self._here.is_online:
                await self._try_again(body)
            case _:
                await self._hands.say(body)

    async def start_waiting(self) -> None:
        """Start what waits here for a slot, or for whatever held it back.

        What could not be written down goes on waiting.
        """
        async with self._starting:
            due = [attempt for attempt in self._hands.waiting if self._here.is_due(attempt)]
            for attempt in due:
                if not self._here.is_light(attempt):
                    await self._try_start(attempt)
            # What takes no slot takes none from the next, so that many share a commit.
            async with asyncio.TaskGroup() as tasks:
                for attempt in due:
                    if self._here.is_light(attempt):
                        tasks.create_task(self._try_start(attempt))

    async def use_given(self) -> None:
        """Go on with answers that were given here and found no hub to count them."""
        try:
            for body in await self._hands.given_here():
                await self._use(body)
        except AppError as error:
            log.warning("answer not used", code=error.code, error=str(error))

    async def _try_start(self, attempt: Attempt) -> None:
        try:
            await self._start(attempt)
        except AppError as error:
            log.warning("kept job not started", code=error.code, error=str(error))

    async def _start(self, attempt: Attempt) -> None:
        error = self._here.refusal_of_own(attempt.spec)
        if error is None:
            await self._here.begin(attempt)
        elif not error.retryable:
            await self._hands.end_waiting(attempt, JobFailed(**names(attempt), error=error.body))

    def _may_keep(self, body: TaskRequested) -> bool:
        """Say whether a new job is run here because no hub is there."""
        is_mine = body.worker_id == self._here.worker_id
        is_anyones = body.worker_id is None and self._here.is_offline
        if self._here.is_online or not (is_mine or is_anyones):
            return False
        return self._is_able(kept.spec_for(body))

    def _is_able(self, spec: JobSpec) -> bool:
        error = self._here.refusal_of_own(spec)
        return error is None or error.retryable

    async def _keep(self, body: TaskRequested, spec: JobSpec) -> None:
        """Hold a job, in a session that the hub will take over with it."""
        session_id = SessionId(self._environment.new_id())
        told = body.model_copy(
            update={
                "is_kept": True,
                "worker_id": self._here.worker_id,
                "session_id": session_id,
            }
        )
        await self._hands.keep(told, spec.model_copy(update={"session_id": session_id}))
        log.info("job kept without a hub", job_id=spec.job_id, kind=spec.kind)
        await self.start_waiting()

    async def _use(self, body: AnswerGiven) -> bool:
        """Go on with an answer; False when no attempt here waits for it."""
        used = body.model_copy(update={"is_used": True})
        question = await self._hands.use_answer(used)
        if question is not None:
            self._here.pass_on(question, body.value)
        return question is not None

    async def _cancel(self, body: CancelAsked) -> None:
        """Stop a job that is here at once; the hub hears of the wish and of what became of it."""
        async with self._starting:
            found = [a for a in self._hands.waiting if a.spec.job_id == body.job_id]
            for attempt in found:
                await self._hands.end_waiting(attempt, JobCancelled(**names(attempt)), body)
            if not found:
                await self._hands.say(body)
                if self._hands.alive(body.job_id) is not None:
                    self._here.stop(body.job_id)

    async def give_up(self, attempt: Attempt) -> None:
        """The hub wants a kept job stopped that has not started."""
        async with self._starting:
            if attempt in self._hands.waiting:
                await self._hands.end_waiting(attempt, JobCancelled(**names(attempt)))

    async def drop_parts(self, maker: JobId) -> None:
        """End the parts of a job that wait for their start: the job is over."""
        async with self._starting:
            parts = self._hands.parts_of(maker)
            waiting = [part for part in parts if part.state is AttemptState.GRANTED]
            if waiting:
                await self._hands.end_parts(waiting)

    async def _try_again(self, body: RetryAsked) -> None:
        """Run a job anew here, as a new one: the hub may have given the old one to another."""
        spec = await self._hands.known_spec(body.job_id)
        is_here = any(
            a.spec.job_id == body.job_id and a.state is not AttemptState.ENDED
            for a in self._hands.attempts
        )
        if spec is None or is_here:
            await self._hands.say(body)
            return
        request = TaskRequested(
            task_id=spec.task_id,
            job_id=JobId(self._environment.new_id()),
            kind=spec.kind,
            inputs=spec.inputs,
            title=spec.title,
            worker_id=self._here.worker_id,
            replaces=body.job_id,
        )
        is_own = await self._hands.asked_here(body.job_id) is not None
        origin = Origin.LOCAL if is_own else Origin.CHAT
        again = kept.spec_for(request, spec.answers, origin, spec.traceparent)
        if self._is_able(again):
            await self._keep(request, again)
        else:
            await self._hands.say(body)
