"""A hub on paper: real ends, a real board, and stores that are a few dictionaries.

A transaction changes the store when it is committed, all at once; a hub that falls in between
loses it.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.core import job as core
from hub.core import seats
from hub.core.board import Board, No, Placement
from hub.core.job import Job, Life
from hub.core.worker import GONE_SECONDS, Presence
from shared.errors import Conflict
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.jobs import NO_SESSION, JobSpec, JobState, Origin
from shared.messages import (
    Accept,
    Cancel,
    Decline,
    Grant,
    Hello,
    Offer,
    Push,
    Verdict,
)
from shared.protocol import Phase
from tests.makers import KINDS
from tests.protocol_machine.books import ANNA, Books
from tests.protocol_machine.line import Clock, Line, Transaction

RESTART_SECONDS = 60.0


class PaperHub(Books):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.lines: list[Line] = []
        self.rise()

    def rise(self) -> None:
        """Start from what is committed; every line is gone."""
        self.board = Board()
        self.pending: list[Transaction] = []
        self.current: dict[WorkerId, Line] = {}
        self.missing.clear()
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
            self.changed = transaction.changed
            transaction.run()
        return group

    def _follow_store(self, job: Job) -> None:
        self.board.update(job, self.clock.seconds, self.clock.wall)
        if job.life.cancel_by and job.life.is_held:
            assert job.life.worker_id is not None
            self.send(job.life.worker_id, Cancel(job_id=job.job_id, attempt=job.life.attempt))

    def request(self, job_id: JobId, kind: str) -> None:
        job = Job(
            job_id=job_id,
            task_id=TaskId(f"task of {job_id}"),
            person_id=ANNA,
            kind=kind,
            created_at=self.clock.wall,
        )
        seat = seats.take(self.board, ANNA, kind, (), Origin.CHAT, mint=lambda: NO_SESSION)
        if seat is None:
            self.post(lambda: self.save(job, job.life))
            return

        def run() -> None:
            self.save(job, job.life)
            self.grant(self.store.jobs[job_id], seat.worker_id, job.life.attempt)

        def then() -> None:
            seats.leave(self.board, seat)
            self._send_unasked(job_id, 1, 1)

        self.post(run, then)

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
                self._declined(_device(line), message)
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
        device = line.hub.device
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
        self.post(
            lambda: judged.append(self._judge(hello)),
            lambda: self._welcome(line, hello, judged[0]),
        )

    def _welcome(self, line: Line, hello: Hello, verdicts: tuple[Verdict, ...]) -> None:
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

    def _spec_of(self, job: Job) -> JobSpec:
        return JobSpec(
            job_id=job.job_id,
            task_id=job.task_id,
            kind=job.kind,
            title="x",
            answers=self.answers_of(job.job_id),
            origin=Origin.CHAT,
        )

    def place(self) -> None:
        for placement in self.board.place(self.clock.seconds):
            job = placement.ready.job
            spec = self._spec_of(job)
            if self.board.is_unasked(placement, spec.origin):
                self.board.accept(placement.worker_id, job.job_id, placement.attempt)
                self._post_grant(placement, spec)
                continue
            offer = Offer(job=spec, attempt=placement.attempt, expires_in_seconds=30)
            if not self.send(placement.worker_id, offer):
                self.board.take_back(placement)

    def _accept(self, device: WorkerId, accept: Accept) -> None:
        placement = self.board.accept(device, accept.job_id, accept.attempt)
        if placement is not None:
            self._post_grant(placement)
        elif not self.board.is_holder(device, accept.job_id):
            self.send(device, Cancel(job_id=accept.job_id, attempt=accept.attempt))

    def _declined(self, device: WorkerId, decline: Decline) -> None:
        job_id, attempt = decline.job_id, decline.attempt
        is_for_now, reason = decline.error.retryable, decline.error.message
        ready = self.board.decline(
            device, job_id, attempt, is_for_now=is_for_now, reason=reason, now=self.clock.seconds
        )
        if ready is None and self.board.is_holder(device, job_id):
            self.board.note_given_back(job_id, No(device, is_for_now, reason))
            self._take_back(device, job_id, attempt)

    def _take_back(self, device: WorkerId, job_id: JobId, attempt: int) -> None:
        def run() -> None:
            job = self.store.jobs[job_id]
            is_its_own = (job.life.worker_id, job.life.attempt) == (device, attempt)
            if job.life.state is JobState.GRANTED and is_its_own:
                cancelled = job.life.cancel_by
                give_up = core.cancelled if cancelled else core.give_back
                self.save(job, give_up(job.life))

        self.post(run, lambda: self.board.forget_given_back(job_id))

    def _post_grant(self, placement: Placement, spec: JobSpec | None = None) -> None:
        outcome: list[Life | Conflict] = []
        self.post(
            lambda: outcome.append(self._grant(placement)),
            lambda: self._granted(placement, outcome[0], spec),
        )

    def _granted(
        self, placement: Placement, outcome: Life | Conflict, spec: JobSpec | None
    ) -> None:
        job_id = placement.ready.job.job_id
        if isinstance(outcome, Conflict):
            if spec is None:
                self.send(placement.worker_id, Cancel(job_id=job_id, attempt=placement.attempt))
            self.board.take_back(placement)
            return
        if spec is not None:
            self._send_unasked(job_id, outcome.attempt, outcome.fence)
            return
        grant = Grant(job_id=job_id, attempt=outcome.attempt, fence=outcome.fence)
        self.send(placement.worker_id, grant)

    def _send_unasked(self, job_id: JobId, attempt: int, fence: int) -> None:
        """Tell a worker of a grant that it was not asked about; it may have gone meanwhile."""
        job = self.store.jobs[job_id]
        device = self.store.grants[job_id, attempt, fence]
        spec = self._spec_of(job)
        if not self.send(device, Grant(job_id=job_id, attempt=attempt, fence=fence, job=spec)):
            self._take_back(device, job_id, attempt)

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

    def settle_missing(self, device: WorkerId) -> None:
        self.post(lambda: self._lose_missing(device))

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

    def answer(self, question_id: QuestionId, value: str, by: str) -> None:
        self.post(lambda: self._answer(question_id, value, by))

    def run_questions_out(self) -> None:
        self.post(self._run_out)

    def cancel(self, job_id: JobId) -> None:
        self.post(lambda: self._cancel(job_id))

    def retry(self, job_id: JobId) -> None:
        self.post(lambda: self._retry(job_id))


def _device(line: Line) -> WorkerId:
    assert line.hub.device is not None
    return line.hub.device
