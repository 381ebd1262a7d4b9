"""A hub whose store is a few dictionaries: real ends, board, lives, verdicts and questions.

What its services do in transactions stands here in as few lines as it can, so that the decisions
of `hub.core` meet every order of messages. A transaction changes the store when it is committed,
all at once; a hub that falls in between loses it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hub.core import job as core
from hub.core import retry
from hub.core.board import Board, Placement
from hub.core.job import Job, Life
from hub.core.question import Question, QuestionState, run_out, settle
from hub.core.worker import GONE_SECONDS, Presence, verdict
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
from shared.ids import ConversationId, JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import JobSpec, JobState
from shared.messages import (
    Accept,
    Cancel,
    Decision,
    Decline,
    Grant,
    Held,
    HeldState,
    Hello,
    Numbered,
    Offer,
    Push,
    Verdict,
)
from shared.protocol import Phase
from tests.makers import KINDS
from tests.protocol_machine.line import Clock, Line, Transaction

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


class PaperHub:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.store = Store()
        self.lines: list[Line] = []
        self._changed: list[Job] = []
        self.rise()

    def rise(self) -> None:
        """Start from what is committed; every line is gone."""
        self.board = Board()
        self.pending: list[Transaction] = []
        self.current: dict[WorkerId, Line] = {}
        self.missing: dict[WorkerId, tuple[int, int, list[Job]]] = {}
        for job in self.store.jobs.values():
            self.board.update(job, self.clock.seconds, self.clock.wall)
            if job.life.is_held and job.life.worker_id is not None:
                self.board.gone_until[job.life.worker_id] = self.clock.seconds + RESTART_SECONDS
        for line in self.lines:
            line.ended_by_hub = True
            line.up.clear()
        self.lines = []

    def post(
        self, run: Callable[[], object], then: Callable[[], None] = lambda: None
    ) -> Transaction:
        transaction = Transaction(run, then)
        self.pending.append(transaction)
        return transaction

    def commit(self) -> None:
        """Commit what waits, all in one; then everybody is told."""
        for transaction in self._run_all():
            for job in transaction.changed:
                self._follow_store(job)
            transaction.then()

    def commit_and_fall(self) -> None:
        """Die after a commit and before anybody is told."""
        self._run_all()
        self.rise()

    def _run_all(self) -> list[Transaction]:
        group, self.pending = self.pending, []
        for transaction in group:
            self._changed = transaction.changed
            transaction.run()
        return group

    def _follow_store(self, job: Job) -> None:
        self.board.update(job, self.clock.seconds, self.clock.wall)
        if job.life.cancel_by and job.life.is_held:
            assert job.life.worker_id is not None
            self.send(job.life.worker_id, Cancel(job_id=job.job_id, attempt=job.life.attempt))

    # The log, and jobs in it.

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
        self._changed.append(saved)
        return saved

    def request(self, job_id: JobId, kind: str) -> None:
        job = Job(
            job_id=job_id,
            task_id=TaskId(f"task of {job_id}"),
            person_id=ANNA,
            kind=kind,
            created_at=self.clock.wall,
        )
        self.post(lambda: self.save(job, job.life))

    # Lines.

    def connect(self, line: Line) -> None:
        self.lines.append(line)

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        line = self.current.get(worker_id)
        if line is None or line.hub.phase is not Phase.OPEN:
            return False
        line.hub.send(message)
        line.carry()
        return True

    def receive(self, line: Line) -> None:
        """Read the next frame of a line."""
        message = line.hub.receive(line.up.popleft(), self.clock.seconds)
        match message:
            case Hello():
                self._greet(line, message)
            case Push():
                self._take_in(line, message)
            case Accept():
                self._accept(_device(line), message)
            case Decline():
                self.board.decline(
                    _device(line),
                    message.job_id,
                    message.attempt,
                    is_for_now=message.error.retryable,
                    reason=message.error.message,
                    now=self.clock.seconds,
                )
            case _:
                pass
        self.look_at(line)

    def look_at(self, line: Line) -> None:
        """Carry what the end wants sent; a line that has ended is left."""
        line.carry()
        if line.hub.phase is Phase.CLOSED:
            self.lose(line)

    def lose(self, line: Line) -> None:
        """A line has ended."""
        if line not in self.lines:
            return
        self.lines.remove(line)
        line.ended_by_hub = True
        line.hub.close()
        line.carry()
        line.up.clear()
        device = line.hub.hello.device if line.hub.hello else None
        if device is not None and self.current.get(device) is line:
            del self.current[device]
            error = line.hub.close_error
            wait = 0.0 if error is not None and error.code == "peer_silent" else GONE_SECONDS
            self.board.depart(device, self.clock.seconds + wait)

    def _greet(self, line: Line, hello: Hello) -> None:
        before = self.current.get(hello.device)
        self.current[hello.device] = line
        if before is not None:
            before.hub.close(Conflict("connection_replaced", "It has connected again."))
            self.look_at(before)
            self.board.depart(hello.device, self.clock.seconds + GONE_SECONDS)
        self.board.gone_until.pop(hello.device, None)
        judged: list[tuple[Verdict, ...]] = []
        line.is_welcoming = True
        self.post(lambda: judged.append(self._judge(hello)), lambda: self._welcome(line, judged[0]))

    def _welcome(self, line: Line, verdicts: tuple[Verdict, ...]) -> None:
        hello = line.hub.hello
        assert hello is not None
        line.is_welcoming = False
        self.settle_missing(hello.device)
        if line.hub.phase is not Phase.OPENING:
            return
        line.hub.welcome(
            hub_epoch="h",
            acked_seq=len(self.store.taken.get((hello.device, hello.epoch), [])),
            hub_seq=hello.hub_seq if hello.hub_epoch == "h" else 0,
            time=self.clock.wall,
            verdicts=verdicts,
        )
        self.board.arrive(
            Presence(
                worker_id=hello.device,
                person_id=ANNA,
                name=hello.name,
                capabilities=hello.capabilities,
                slots=hello.slots,
                last_seen_at=self.clock.wall,
                kinds=frozenset(c.kind for c in hello.capabilities),
            )
        )
        self.look_at(line)

    def stream(self, line: Line, count: int) -> None:
        """Send the log on to a worker."""
        end = line.hub
        if not end.may_send_events:
            return
        fresh = [n for n in self.store.log if n.hub_seq > end.sent_hub_seq][:count]
        if fresh:
            end.send_events(fresh, fresh[-1].hub_seq)
        elif self.store.hub_seq > end.sent_hub_seq:
            end.send_events([], self.store.hub_seq)
        self.look_at(line)

    # Offers and grants.

    def place(self) -> None:
        for placement in self.board.place(self.clock.seconds):
            job = placement.ready.job
            spec = JobSpec(
                job_id=job.job_id,
                task_id=job.task_id,
                kind=job.kind,
                title="x",
                answers=self.answers_of(job.job_id),
            )
            offer = Offer(job=spec, attempt=placement.attempt, expires_in_seconds=30)
            if not self.send(placement.worker_id, offer):
                self.board.take_back(placement)

    def answers_of(self, job_id: JobId) -> dict[str, str]:
        return {
            q.asking.key: q.answer.value
            for q in self.store.questions.values()
            if q.job_id == job_id and q.answer is not None and not q.is_hubs
        }

    def _accept(self, device: WorkerId, accept: Accept) -> None:
        placement = self.board.accept(device, accept.job_id, accept.attempt)
        if placement is not None:
            outcome: list[Life | Conflict] = []
            self.post(
                lambda: outcome.append(self._grant(placement)),
                lambda: self._granted(placement, outcome[0]),
            )
        elif not self.board.is_holder(device, accept.job_id):
            self.send(device, Cancel(job_id=accept.job_id, attempt=accept.attempt))

    def _grant(self, placement: Placement) -> Life | Conflict:
        job = self.store.jobs[placement.ready.job.job_id]
        try:
            life = core.grant(job.life, placement.worker_id, placement.attempt)
        except Conflict as conflict:
            return conflict
        name = (job.job_id, life.attempt, life.fence)
        fences = [fence for of, _, fence in self.store.grants if of == job.job_id]
        assert life.fence > max(fences, default=0), "a later grant has a higher fence"
        self.store.grants[name] = placement.worker_id
        self.store.holders[job.job_id] = name
        self.save(job, life)
        self.tell(
            JobGranted(
                job_id=job.job_id,
                attempt=life.attempt,
                fence=life.fence,
                worker_id=placement.worker_id,
            )
        )
        return life

    def _granted(self, placement: Placement, outcome: Life | Conflict) -> None:
        job_id = placement.ready.job.job_id
        if isinstance(outcome, Conflict):
            self.send(placement.worker_id, Cancel(job_id=job_id, attempt=placement.attempt))
            self.board.take_back(placement)
            return
        grant = Grant(job_id=job_id, attempt=outcome.attempt, fence=outcome.fence)
        self.send(placement.worker_id, grant)

    # What workers tell.

    def _take_in(self, line: Line, push: Push) -> None:
        device, epoch = _device(line), push.events[0].epoch
        upto = [0]

        def run() -> None:
            taken = self.store.taken.setdefault((device, epoch), [])
            for event in push.events:
                assert event.seq <= len(taken) + 1, "the end let a gap through"
                if event.seq == len(taken) + 1:
                    taken.append(event)
                    self._report(device, event)
            upto[0] = len(taken)

        def then() -> None:
            if line.hub.phase is Phase.OPEN:
                line.hub.committed(upto[0])
            self.look_at(line)
            if device in self.missing:
                self.settle_missing(device)

        self.post(run, then)

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

    # Inventory and absence.

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

    def settle_missing(self, device: WorkerId) -> None:
        self.post(lambda: self._lose_missing(device))

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

    def rescue(self) -> None:
        """Look after workers that are gone."""
        now = self.clock.seconds
        for device in [w for w, until in self.board.gone_until.items() if until <= now]:
            self.post(lambda device=device: self._rescue_from(device))  # type: ignore[misc]

    def _rescue_from(self, device: WorkerId) -> None:
        if device not in self.board.gone_until:
            return
        for job in list(self.store.jobs.values()):
            life = job.life
            if not (life.is_held and life.worker_id == device and KINDS[job.kind].idempotent):
                continue
            question = self.store.questions.get(life.question_id) if life.question_id else None
            if life.state is JobState.ASKING and question is not None and question.state.is_open:
                continue
            self.lose_attempt(job)
        if device not in self.board.present:
            self.board.gone_until.pop(device, None)

    # People.

    def answer(self, question_id: QuestionId, value: str, by: str) -> None:
        self.post(lambda: self._answer(question_id, value, by))

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

    def run_questions_out(self) -> None:
        self.post(self._run_out)

    def _run_out(self) -> None:
        for question in list(self.store.questions.values()):
            is_due = question.expires_at is not None and question.expires_at <= self.clock.wall
            if question.state is QuestionState.OPEN and is_due:
                self.store.questions[question.question_id] = run_out(question)
                self.tell(QuestionParked(question_id=question.question_id, job_id=question.job_id))

    def cancel(self, job_id: JobId) -> None:
        self.post(lambda: self._cancel(job_id))

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

    def retry(self, job_id: JobId) -> None:
        self.post(lambda: self._retry(job_id))

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


def _device(line: Line) -> WorkerId:
    assert line.hub.hello is not None
    return line.hub.hello.device
