"""A worker whose store is a few dictionaries: the real end and the real steps of attempts.

What `desktop.agent`, its link and its hands do stands here in as few lines as it can. A child is
a name in `children`; its visible effect is counted when it starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

from desktop.core import attempt as step
from desktop.core.attempt import Attempt, AttemptState
from shared.capabilities import Capability
from shared.events import (
    AttemptEventBody,
    Event,
    JobCancelled,
    JobInterrupted,
    JobParked,
    JobResumed,
    JobStarted,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    body_of,
    write_event,
)
from shared.ids import JobId, QuestionId, WorkerId
from shared.jobs import JobSpec, Origin
from shared.messages import (
    BATCH_EVENTS_MAX,
    Accept,
    Ack,
    Beat,
    Cancel,
    Decision,
    Decline,
    Events,
    FromHub,
    Grant,
    Hello,
    Numbered,
    Offer,
    Verdict,
    Welcome,
)
from shared.protocol import HubEnd, Phase, WorkerEnd
from tests.makers import KINDS, PASSING, PROBE, PUSH, make_asking
from tests.protocol_machine.line import Clock, Line, Transaction

CAPABLE = (Capability(kind=PROBE.name, unasked=(Origin.CHAT,)), Capability(kind=PUSH.name))
Key = tuple[JobId, int]


class Names(TypedDict):
    """What every event of an attempt names."""

    job_id: JobId
    attempt: int
    fence: int


@dataclass
class Store:
    """What is committed."""

    journal: dict[Key, Attempt] = field(default_factory=dict)
    outbox: list[Event] = field(default_factory=list)
    acked: int = 0
    hub_epoch: str = ""
    hub_seq: int = 0
    copy: list[Numbered] = field(default_factory=list)
    asked: dict[QuestionId, Key] = field(default_factory=dict)
    """Questions that nobody has answered here."""


class PaperWorker:
    def __init__(self, name: str, clock: Clock, slots: int = 1) -> None:
        self.device = WorkerId(name)
        self.clock = clock
        self.slots = slots
        self.store = Store()
        self.starts: Counter[tuple[JobId, int, int]] = Counter()
        """Visible effects: by job, attempt and fence."""
        self.used: dict[QuestionId, str] = {}
        self.questions = 0
        self.said_no = False
        """Whether it declines what it is offered."""
        self.line: Line | None = None
        self.rise()

    def rise(self) -> None:
        """Start from what is committed: children are gone, and what they did is told."""
        if self.line is not None:
            self.line.ended_by_worker = True
            self.line = None
        self.pending: list[Transaction] = []
        self.is_reading = False
        """Whether the frame that was read last waits for its commit."""
        self.children: set[Key] = set()
        for key, attempt in list(self.store.journal.items()):
            if not attempt.is_alive:
                continue
            asked = next((q for q, of in self.store.asked.items() if of == key), None)
            if not KINDS[attempt.spec.kind].idempotent:
                self._end(attempt, JobInterrupted(**_names(attempt), reason="It restarted."))
            elif attempt.state is AttemptState.ASKING and asked is not None:
                self._end(attempt, JobParked(**_names(attempt), question_id=asked))
            else:
                self._forget(key)

    def post(
        self,
        run: Callable[[], object],
        then: Callable[[], None] = lambda: None,
        *,
        is_read: bool = False,
    ) -> None:
        """Queue a transaction; `is_read`: no frame is read until it is committed."""
        self.is_reading |= is_read

        def done() -> None:
            if is_read:
                self.is_reading = False
            then()

        self.pending.append(Transaction(run, done))

    def commit(self) -> None:
        group, self.pending = self.pending, []
        for transaction in group:
            transaction.run()
        for transaction in group:
            transaction.then()
        self.push()

    def commit_and_fall(self) -> None:
        group, self.pending = self.pending, []
        for transaction in group:
            transaction.run()
        self.rise()

    # The line.

    def connect(self) -> Line:
        # A hello is read from the store behind everything that was to be written before.
        self.commit()
        store = self.store
        now = self.clock.seconds
        end = WorkerEnd(
            hub_epoch=store.hub_epoch, hub_seq=store.hub_seq, outbox_seq=len(store.outbox), now=now
        )
        end.hello(
            Hello(
                device=self.device,
                epoch=1,
                name=self.device,
                capabilities=CAPABLE,
                slots=self.slots,
                outbox_seq=len(store.outbox),
                hub_epoch=store.hub_epoch,
                hub_seq=store.hub_seq,
                held=tuple(a.held for a in store.journal.values()),
            )
        )
        self.line = Line(self.device, end, HubEnd(now))
        self.line.carry()
        return self.line

    def leave(self) -> None:
        """The line has ended, as far as this worker knows."""
        if self.line is not None:
            self.line.worker.close()
            self.line.carry()
            self.line.ended_by_worker = True
            self.line = None

    def look_at_line(self) -> None:
        if self.line is not None:
            self.line.carry()
            if self.line.worker.phase is Phase.CLOSED:
                self.leave()

    def push(self) -> None:
        """Send what is committed and not under way."""
        if self.line is None:
            return
        end = self.line.worker
        while end.room and end.next_seq <= len(self.store.outbox):
            start = end.next_seq - 1
            end.push(self.store.outbox[start : start + min(BATCH_EVENTS_MAX, 4)])
        self.look_at_line()

    def beat(self) -> Beat:
        return Beat(held=tuple(a.held for a in self.store.journal.values()), slots=self.slots)

    def receive(self) -> None:
        """Read the next frame, unless the last one is still being committed."""
        line = self.line
        assert line is not None
        message = line.worker.receive(line.down.popleft(), self.clock.seconds)
        if message is not None:
            self._take(line, message)
        self.push()

    def _take(self, line: Line, message: FromHub) -> None:
        match message:
            case Welcome():
                self.post(lambda: self._acknowledge(message.acked_seq), is_read=True)
                for verdict in message.verdicts:
                    self._obey(verdict)
            case Ack():
                self.post(lambda: self._acknowledge(message.seq), is_read=True)
            case Events():
                self._hear(line, message)
            case Offer():
                self._consider(line, message)
            case Grant(job=JobSpec() as spec):
                self._begin_unasked(line, spec, message)
            case Grant():
                self._start(message.job_id, message.attempt, message.fence)
            case Cancel():
                self._cancel((message.job_id, message.attempt))
            case _:
                pass

    def _say(self, line: Line, message: Accept | Decline) -> None:
        if line is self.line and line.worker.phase is Phase.OPEN:
            line.worker.send(message)
            self.look_at_line()

    # What the hub says.

    def _acknowledge(self, seq: int) -> None:
        self.store.acked = max(self.store.acked, seq)
        for key, attempt in list(self.store.journal.items()):
            if step.is_forgotten(attempt, seq):
                self._forget(key)

    def _obey(self, verdict: Verdict) -> None:
        match verdict.decision:
            case Decision.GRANT:
                self._start(verdict.job_id, verdict.attempt, verdict.fence)
            case Decision.ABORT | Decision.FORGET:
                self._cancel((verdict.job_id, verdict.attempt))
            case Decision.KEEP:
                pass

    def _consider(self, line: Line, offer: Offer) -> None:
        job_id, journal = offer.job.job_id, self.store.journal
        if (job_id, offer.attempt) in journal or self._alive(job_id):
            return
        if self.said_no:
            self._say(line, Decline(job_id=job_id, attempt=offer.attempt, error=PASSING))
            return

        def run() -> None:
            for key, attempt in list(journal.items()):
                if key[0] == job_id and attempt.state is AttemptState.ACCEPTED:
                    self._forget(key)
            journal[job_id, offer.attempt] = Attempt(spec=offer.job, number=offer.attempt)

        accept = Accept(job_id=job_id, attempt=offer.attempt)
        self.post(run, lambda: self._say(line, accept), is_read=True)

    def _begin_unasked(self, line: Line, spec: JobSpec, grant: Grant) -> None:
        job_id, journal = spec.job_id, self.store.journal
        if (job_id, grant.attempt) in journal or self._alive(job_id):
            return
        if self.said_no:
            self._say(line, Decline(job_id=job_id, attempt=grant.attempt, error=PASSING))
            return
        running = step.granted(spec, grant.attempt, grant.fence)

        def run() -> None:
            for key, attempt in list(journal.items()):
                if key[0] == job_id and attempt.state is AttemptState.ACCEPTED:
                    self._forget(key)
            journal[job_id, grant.attempt] = running
            self._append(JobStarted(**_names(running)))

        def then() -> None:
            self.children.add((job_id, grant.attempt))
            self.starts[job_id, grant.attempt, grant.fence] += 1

        self.post(run, then, is_read=True)

    def _start(self, job_id: JobId, number: int, fence: int) -> None:
        started: list[Attempt] = []

        def run() -> None:
            attempt = self.store.journal.get((job_id, number))
            running = step.start(attempt, fence) if attempt else None
            if running is not None:
                self.store.journal[job_id, number] = running
                self._append(JobStarted(**_names(running)))
                started.append(running)

        def then() -> None:
            for running in started:
                self.children.add((job_id, number))
                self.starts[job_id, number, running.fence] += 1

        self.post(run, then, is_read=True)

    def _cancel(self, key: Key) -> None:
        def run() -> None:
            attempt = self.store.journal.get(key)
            if attempt is not None and attempt.state is AttemptState.ACCEPTED:
                self._forget(key)
            elif attempt is not None and attempt.is_alive:
                self._end(attempt, JobCancelled(**_names(attempt)))

        self.post(run, lambda: self.children.discard(key), is_read=True)

    def _hear(self, line: Line, events: Events) -> None:
        def run() -> None:
            for entry in events.events:
                self.store.copy.append(entry)
                match body_of(entry.event):
                    case QuestionAnswered() as told:
                        self._go_on(told.question_id, told.answer.value)
                    case QuestionParked() as told:
                        self._park(told.question_id)
                    case _:
                        pass
            self.store.hub_epoch, self.store.hub_seq = line.worker.hub_epoch, events.upto

        def then() -> None:
            if line is self.line:
                line.worker.applied(events.upto)
                self.look_at_line()

        self.post(run, then, is_read=True)

    def _go_on(self, question_id: QuestionId, value: str) -> None:
        key = self.store.asked.get(question_id)
        attempt = self.store.journal.get(key) if key else None
        running = step.resume(attempt) if attempt else None
        if running is None or key is None:
            return
        del self.store.asked[question_id]
        self.store.journal[key] = running
        self._append(JobResumed(**_names(running), question_id=question_id))
        self.used[question_id] = value

    def _park(self, question_id: QuestionId) -> None:
        key = self.store.asked.get(question_id)
        attempt = self.store.journal.get(key) if key else None
        if attempt is not None and attempt.state is AttemptState.ASKING and key is not None:
            self._end(attempt, JobParked(**_names(attempt), question_id=question_id))
            self.children.discard(key)

    # What children do.

    @property
    def at_work(self) -> list[Key]:
        """Children that do something, and do not wait for an answer."""
        journal = self.store.journal
        return [
            key
            for key in sorted(self.children)
            if key in journal and journal[key].state is AttemptState.RUNNING
        ]

    def child_ends(self, key: Key, body_for: Callable[..., AttemptEventBody]) -> None:
        self.children.discard(key)

        def run() -> None:
            attempt = self.store.journal.get(key)
            if attempt is not None and attempt.is_alive:
                self._end(attempt, body_for(**_names(attempt)))

        self.post(run)

    def child_asks(self, key: Key) -> None:
        self.questions += 1
        question_id = QuestionId(f"{self.device}-{self.questions}")

        def run() -> None:
            attempt = self.store.journal.get(key)
            waiting = step.ask(attempt) if attempt else None
            if waiting is not None:
                self.store.journal[key] = waiting
                self.store.asked[question_id] = key
                asking = make_asking(key=question_id)
                body = QuestionAsked(**_names(waiting), question_id=question_id, asking=asking)
                self._append(body)

        self.post(run)

    # Steps of transactions.

    def _alive(self, job_id: JobId) -> bool:
        return any(key[0] == job_id and a.is_alive for key, a in self.store.journal.items())

    def _forget(self, key: Key) -> None:
        self.store.journal.pop(key, None)
        for question_id in [q for q, of in self.store.asked.items() if of == key]:
            del self.store.asked[question_id]

    def _append(self, body: AttemptEventBody) -> int:
        seq = len(self.store.outbox) + 1
        event = write_event(body, device=self.device, epoch=1, seq=seq, at=self.clock.wall)
        self.store.outbox.append(event)
        return seq

    def _end(self, attempt: Attempt, body: AttemptEventBody) -> None:
        ended = step.end(attempt, self._append(body))
        assert ended is not None
        self.store.journal[attempt.spec.job_id, attempt.number] = ended


def _names(attempt: Attempt) -> Names:
    return Names(job_id=attempt.spec.job_id, attempt=attempt.number, fence=attempt.fence)
