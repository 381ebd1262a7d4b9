"""What workers call for that fetch their work: beats, reports, questions.

The engine knows who is here and who waits for a job; the services keep what is told.
"""

from __future__ import annotations

import asyncio

from hub.core.access import Access, key_invalid
from hub.core.job import Job
from hub.core.pull import LEFT_OUT_SHARE, Claimed, Heard, Stop
from hub.core.pull import Grant as Held
from hub.core.question import Question, QuestionState
from hub.engines.pull import Here, PullEngine, first_of_waits
from hub.services import Services
from hub.services.recorder import Reported
from hub.services.requests import fence_stale
from shared.environment import Environment
from shared.errors import NotFound
from shared.events import AttemptEventBody, JobLogged, JobResumed, QuestionAsked
from shared.ids import QuestionId
from shared.messages import Beat, Decision, HeldState, Metrics, Progress
from shared.messages import Held as HeldTold
from shared.questions import Asking


class PullDesk:
    """What `hub.ports.Pulling` wants."""

    def __init__(self, services: Services, environment: Environment, engine: PullEngine) -> None:
        self._services = services
        self._environment = environment
        self._engine = engine

    async def claim(
        self, access: Access, kinds: frozenset[str] | None, wait_seconds: float
    ) -> Claimed | None:
        """Fetch a job; as `PullEngine.claim`."""
        return await self._engine.claim(access, kinds, wait_seconds)

    async def give_back(self, access: Access, claimed: Claimed) -> None:
        """Queue a job again whose answer never left the hub."""
        await self._engine.give_back(access, claimed)

    async def heartbeat(
        self,
        access: Access,
        held: tuple[Held, ...],
        slots: int | None,
        metrics: Metrics | None,
    ) -> Heard:
        """A worker is here, how it is, and all that it has in hand; what it is to stop."""
        here = await self._engine.hear(access)
        worker = here.worker
        self._services.registry.beat(worker.worker_id, Beat(slots=slots, metrics=metrics))
        self._services.dispatcher.stir()
        told = tuple(
            HeldTold(
                job_id=one.job_id, attempt=one.attempt, fence=one.fence, state=HeldState.RUNNING
            )
            for one in held
        )
        verdicts, missing = await self._services.rescuer.compare(
            worker.worker_id, worker.person_id, told
        )
        names = {one.job_id for one in held}
        await self._settle(here, [job for job in missing if job.job_id not in names])
        card = await self._services.views.worker(worker.worker_id)
        return Heard(
            is_paused=card is not None and card.worker.is_paused,
            stops=tuple(
                Stop(job_id=v.job_id, attempt=v.attempt, reason=v.reason)
                for v in verdicts
                if v.decision is not Decision.KEEP
            ),
            next_seconds=self._engine.beats.every_seconds,
            silent_seconds=self._engine.beats.dead_seconds,
        )

    async def _settle(self, here: Here, missing: list[Job]) -> None:
        """Lose what a worker left out of its heartbeats for long enough."""
        now = self._environment.monotonic()
        apart_seconds = self._engine.beats.every_seconds * LEFT_OUT_SHARE
        before = here.left_out
        here.left_out = {
            (job.job_id, job.life.fence): before.get((job.job_id, job.life.fence), now)
            for job in missing
        }
        lost = [
            job
            for job in missing
            if now - here.left_out[job.job_id, job.life.fence] >= apart_seconds
        ]
        if lost:
            await self._services.rescuer.lose(lost)

    async def progress(self, access: Access, held: Held, progress: Progress) -> str:
        """Pass on how far a job is; why it is to stop, or nothing.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `fence_stale`.
        """
        here = await self._engine.hear(access)
        reason = await self._stop_reason(here, held)
        self._services.feed.tell_progress(held.job_id, here.worker.worker_id, progress)
        return reason

    async def report(self, access: Access, body: AttemptEventBody) -> str:
        """Take in what a worker tells of its attempt; why it is to stop, or nothing.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `fence_stale`; an outcome is kept as a late result.
            BadInput: `result_invalid`, `event_too_large`.
        """
        here = await self._engine.hear(access)
        worker = here.worker
        reported = await asyncio.shield(
            self._services.recorder.report(worker.worker_id, worker.person_id, body)
        )
        self._services.dispatcher.stir()
        if reported is Reported.LATE:
            raise fence_stale(body.job_id)
        return ""

    async def log(self, access: Access, body: JobLogged) -> str:
        """Take lines of a log in; why the job is to stop, or nothing."""
        await self.report(access, body)
        here = await self._engine.hear(access)
        held = Held(job_id=body.job_id, attempt=body.attempt, fence=body.fence)
        return await self._stop_reason(here, held)

    async def _stop_reason(self, here: Here, held: Held) -> str:
        return await self._services.pullers.check_held(
            here.worker.worker_id, held.job_id, held.attempt, held.fence
        )

    async def ask(self, access: Access, held: Held, asking: Asking) -> QuestionId:
        """Ask a person; the slot is free meanwhile."""
        question_id = QuestionId(self._environment.new_id())
        await self.report(
            access,
            QuestionAsked(
                job_id=held.job_id,
                attempt=held.attempt,
                fence=held.fence,
                question_id=question_id,
                asking=asking,
            ),
        )
        return question_id

    async def question(
        self, access: Access, question_id: QuestionId, wait_seconds: float
    ) -> Question:
        """Wait for an answer; once it is there, the job goes on.

        Raises:
            NotFound: `question_unknown`; also for what another worker asked.
            Conflict: `fence_stale`, the job was given to another one meanwhile.
        """
        here = await self._engine.hear(access)
        await self._check_own(here, question_id)
        here.calls += 1
        try:
            with self._services.keys.line(access) as ended:
                question = await self._until_settled(here, question_id, wait_seconds, ended)
            if ended.is_set():
                raise key_invalid()
        finally:
            here.calls -= 1
            here.heard_at = self._environment.monotonic()
        if question.state is QuestionState.ANSWERED:
            await self._go_on(here, access, question)
        return question

    async def _check_own(self, here: Here, question_id: QuestionId) -> None:
        question = await self._services.views.question(question_id)
        if question is not None and question.person_id == here.worker.person_id:
            card = await self._services.views.job(question.person_id, question.job_id)
            if card.worker_id == here.worker.worker_id:
                return
        raise question_unknown()

    async def _until_settled(
        self, here: Here, question_id: QuestionId, wait_seconds: float, ended: asyncio.Event
    ) -> Question:
        feed = self._services.feed
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + wait_seconds
        while True:
            position = feed.position()
            question = await self._services.views.question(question_id)
            if question is None:
                raise question_unknown()
            left = ends_at - loop.time()
            is_over = left <= 0 or ended.is_set() or self._engine.closing.is_set()
            if is_over or not question.state.is_open:
                return question
            news = feed.wait(position, here.worker.person_id)
            await first_of_waits(left, news, ended.wait(), self._engine.closing.wait())

    async def _go_on(self, here: Here, access: Access, question: Question) -> None:
        card = await self._services.views.job(here.worker.person_id, question.job_id)
        life = card.job.life
        if life.worker_id != here.worker.worker_id or not life.is_held:
            raise fence_stale(question.job_id)
        if life.question_id == question.question_id:
            await self.report(
                access,
                JobResumed(
                    job_id=question.job_id,
                    attempt=life.attempt,
                    fence=life.fence,
                    question_id=question.question_id,
                ),
            )


def question_unknown() -> NotFound:
    return NotFound("question_unknown", "This worker has not asked that.", "POST …/ask asks.")
