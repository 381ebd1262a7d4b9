"""What a hub on paper has committed, and the steps of its transactions.

What the hub's services do in transactions stands here in as few lines as it can, so that the
decisions of `hub.core` meet every order of messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hub.core import job as core
from hub.core import retry
from hub.core.board import Placement
from hub.core.job import Job, Life
from hub.core.question import Question, QuestionState, run_out, settle
from hub.core.worker import verdict
from shared.errors import Conflict, ErrorBody
from shared.events import (
    AttemptEventBody,
    Event,
    EventBody,
    JobCancelled,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobParked,
    JobResumed,
    JobStarted,
    JobSucceeded,
    LateResult,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    body_of,
    write_event,
)
from shared.ids import ConversationId, JobId, PersonId, QuestionId, WorkerId
from shared.jobs import JobState
from shared.messages import (
    Decision,
    Held,
    HeldState,
    Hello,
    Numbered,
    Verdict,
)
from tests.makers import KINDS
from tests.protocol_machine.line import Clock

ANNA = PersonId("anna")
RESTART_SECONDS = 60.0
_BACK_AS = {
    HeldState.GRANTED: JobState.GRANTED,
    HeldState.RUNNING: JobState.RUNNING,
    HeldState.ASKING: JobState.ASKING,
    HeldState.ENDED: JobState.RUNNING,
}


@dataclass
class Store:
    """What is committed."""

    jobs: dict[JobId, Job] = field(default_factory=dict)
    log: list[Numbered] = field(default_factory=list)
    hub_seq: int = 0
    taken: dict[tuple[WorkerId, int], list[Event]] = field(default_factory=dict)
    grants: dict[tuple[JobId, int, int], WorkerId] = field(default_factory=dict)
    holders: dict[JobId, tuple[JobId, int, int]] = field(default_factory=dict)
    """The grant that was given last."""
    questions: dict[QuestionId, Question] = field(default_factory=dict)
    second_chances: set[JobId] = field(default_factory=set)
    """Jobs that a person started again after they had ended."""


class Books:
    """A hub's store. A step is called when its transaction is committed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.store = Store()
        self.missing: dict[WorkerId, tuple[int, int, list[Job]]] = {}
        """Grants that a worker did not tell: its log's epoch, where it ended, the jobs."""
        self.changed: list[Job] = []
        """Jobs as the transaction under way leaves them."""

    def tell(self, body: EventBody) -> None:
        event = write_event(
            body, device="hub", epoch=1, seq=self.store.hub_seq + 1, at=self.clock.wall
        )
        self.keep(event)

    def keep(self, event: Event) -> None:
        # Every third number is about somebody else.
        self.store.hub_seq += 2 if self.store.hub_seq % 3 == 2 else 1
        self.store.log.append(Numbered(hub_seq=self.store.hub_seq, event=event))

    def save(self, job: Job, life: Life) -> Job:
        saved = replace(job, life=life)
        self.store.jobs[job.job_id] = saved
        self.changed.append(saved)
        return saved

    def answers_of(self, job_id: JobId) -> dict[str, str]:
        return {
            q.asking.key: q.answer.value
            for q in self.store.questions.values()
            if q.job_id == job_id and q.answer is not None and not q.is_hubs
        }

    def _grant(self, placement: Placement) -> Life | Conflict:
        job = self.store.jobs[placement.ready.job.job_id]
        try:
            return self.grant(job, placement.worker_id, placement.attempt)
        except Conflict as conflict:
            return conflict

    def grant(self, job: Job, worker_id: WorkerId, attempt: int) -> Life:
        life = core.grant(job.life, worker_id, attempt)
        name = (job.job_id, life.attempt, life.fence)
        fences = [fence for of, _, fence in self.store.grants if of == job.job_id]
        assert life.fence > max(fences, default=0), "a later grant has a higher fence"
        self.store.grants[name] = worker_id
        self.store.holders[job.job_id] = name
        self.save(job, life)
        self.tell(
            JobGranted(
                job_id=job.job_id,
                attempt=life.attempt,
                fence=life.fence,
                worker_id=worker_id,
            )
        )
        return life

    def _report(self, device: WorkerId, event: Event) -> None:
        body = body_of(event)
        if not isinstance(body, AttemptEventBody):
            return
        job = self.store.jobs[body.job_id]
        is_current = core.is_held_by(job.life, device, body.attempt, body.fence)
        name = (body.job_id, body.attempt, body.fence)
        assert self.store.grants.get(name) == device, "only what was granted is reported"
        self.keep(event)
        if is_current:
            assert name == self.store.holders[body.job_id], "a former holder's word counts"
            self._apply(job, body)
        elif isinstance(body, JobSucceeded | JobFailed):
            self.tell(LateResult(job_id=job.job_id, attempt=body.attempt, outcome=body.type))

    def _apply(self, job: Job, body: AttemptEventBody) -> None:
        match body:
            case JobStarted():
                self.save(job, core.start(job.life))
            case QuestionAsked():
                self._ask(job, body)
            case JobResumed():
                self.save(job, core.resume(job.life))
            case JobParked():
                self._park(job, body)
            case JobSucceeded():
                self._end(job, core.succeed(job.life))
            case JobFailed():
                self._fail(job, body.error)
            case JobCancelled():
                self._end(job, core.cancelled(job.life))
            case JobInterrupted():
                self.lose_attempt(job)
            case _:
                pass

    def _end(self, job: Job, life: Life) -> None:
        self._close_questions(job.job_id)
        self.save(job, life)

    def _close_questions(self, job_id: JobId) -> None:
        for question in list(self.store.questions.values()):
            if question.job_id == job_id and question.state.is_open:
                closed = replace(question, state=QuestionState.CLOSED)
                self.store.questions[question.question_id] = closed

    def _fail(self, job: Job, error: ErrorBody) -> None:
        if job.life.cancel_by:
            self._end(job, core.cancelled(job.life))
            return
        match retry.decide(job.life, KINDS[job.kind], error, self.clock.wall, 0.5):
            case retry.TryAgain(not_before):
                self.save(job, core.retry_later(job.life, not_before))
                self._close_questions(job.job_id)
            case retry.GiveUp():
                self._end(job, core.fail(job.life))
            case retry.Bury():
                self._end(job, core.bury(job.life))

    def _ask(self, job: Job, body: QuestionAsked) -> None:
        if body.question_id in self.store.questions:
            return
        self.store.questions[body.question_id] = Question(
            question_id=body.question_id,
            job_id=job.job_id,
            person_id=ANNA,
            conversation=ConversationId(""),
            asking=body.asking,
            asked_at=self.clock.wall,
            expires_at=self.clock.wall + timedelta(minutes=30),
        )
        self.save(job, core.ask(job.life, body.question_id))

    def _park(self, job: Job, body: JobParked) -> None:
        parked = self.save(job, core.park(job.life))
        question = self.store.questions.get(body.question_id)
        if question is None or job.life.cancel_by:
            self._end(parked, core.cancelled(parked.life))
        elif question.state is QuestionState.ANSWERED:
            self.save(parked, core.answered(parked.life))

    def lose_attempt(self, job: Job) -> None:
        if job.life.cancel_by:
            self._end(job, core.cancelled(job.life))
        elif core.is_worn_out(job.life):
            self._end(job, core.bury(job.life))
        elif KINDS[job.kind].idempotent:
            self._close_questions(job.job_id)
            self.save(job, core.lose(job.life))
        else:
            self._close_questions(job.job_id)
            self.save(job, core.interrupt(job.life, QuestionId(f"about {job.job_id}")))

    def _judge(self, hello: Hello) -> tuple[Verdict, ...]:
        verdicts, told = [], set()
        for held in hello.held:
            job = self.store.jobs.get(held.job_id)
            said = verdict(job.life if job else None, held, hello.device)
            verdicts.append(said)
            if said.decision in (Decision.KEEP, Decision.GRANT):
                told.add((held.job_id, held.attempt))
            if job is not None:
                self._follow(hello.device, job, held, said)
        missing = [
            job
            for job in self.store.jobs.values()
            if job.life.is_held
            and job.life.worker_id == hello.device
            and (job.job_id, job.life.attempt) not in told
        ]
        self.missing[hello.device] = (hello.epoch, hello.outbox_seq, missing)
        return tuple(verdicts)

    def _follow(self, device: WorkerId, job: Job, held: Held, said: Verdict) -> None:
        life = job.life
        if said.decision is Decision.KEEP:
            if core.may_readopt(life, device, held.attempt, held.fence):
                state = _BACK_AS[held.state]
                self.save(job, core.readopt(life, attempt=held.attempt, state=state))
        elif (
            held.state is HeldState.ACCEPTED
            and life.cancel_by
            and core.is_held_by(life, device, held.attempt, life.fence)
        ):
            self._end(job, core.cancelled(life))

    def _lose_missing(self, device: WorkerId) -> None:
        if device not in self.missing:
            return
        epoch, outbox_seq, missing = self.missing[device]
        if len(self.store.taken.get((device, epoch), [])) < outbox_seq:
            return
        del self.missing[device]
        for then in missing:
            job = self.store.jobs[then.job_id]
            if job.life.is_held and job.life.fence == then.life.fence:
                self.lose_attempt(job)

    def _answer(self, question_id: QuestionId, value: str, by: str) -> None:
        try:
            settled = settle(self.store.questions[question_id], value, by)
        except Conflict:
            return
        assert settled.answer is not None
        self.store.questions[question_id] = settled
        self.tell(
            QuestionAnswered(question_id=question_id, job_id=settled.job_id, answer=settled.answer)
        )
        job = self.store.jobs[settled.job_id]
        if job.life.state is JobState.ASKING and not job.life.is_held:
            self.save(job, core.answered(job.life))

    def _run_out(self) -> None:
        for question in list(self.store.questions.values()):
            is_due = question.expires_at is not None and question.expires_at <= self.clock.wall
            if question.state is QuestionState.OPEN and is_due:
                self.store.questions[question.question_id] = run_out(question)
                self.tell(QuestionParked(question_id=question.question_id, job_id=question.job_id))

    def _cancel(self, job_id: JobId) -> None:
        job = self.store.jobs.get(job_id)
        if job is None:
            return
        try:
            life = core.request_cancel(job.life, "anna")
        except Conflict:
            return
        if life.state is JobState.CANCELLED:
            self._end(job, life)
        else:
            self.save(job, life)

    def _retry(self, job_id: JobId) -> None:
        job = self.store.jobs.get(job_id)
        if job is None:
            return
        try:
            life = core.reopen(job.life)
        except Conflict:
            return
        self.store.second_chances.add(job_id)
        self.save(job, life)
