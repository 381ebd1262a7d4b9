"""The attempts in this worker's hands: journal, outbox and memory, changed together.

Every change is one transaction: the journal's entry, the event that tells of it, and the cursor
it came by. Memory follows the commit, so nobody acts on what a crash would undo.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from desktop.core import attempt as step
from desktop.core.admission import AskedHere
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.news import News
from desktop.core.outcome_event import Names, names
from desktop.store import (
    copied,
    copy_tables,
    facts,
    journal,
    kept,
    known,
    outbox,
    outgoing,
    parts,
    postponed,
    rebuilt,
    recovery,
    steps,
)
from desktop.store.copies import HUB
from desktop.store.journal import OpenQuestion
from desktop.store.outgoing import Parcel
from desktop.store.own_log import OwnLog
from desktop.store.parts import PartEnd
from desktop.store.steps import KnownStep
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError
from shared.events import (
    AnswerGiven,
    AttemptEventBody,
    CancelAsked,
    Event,
    EventBody,
    JobCancelled,
    JobFailed,
    JobLogged,
    JobParked,
    JobPlanned,
    JobResumed,
    JobStarted,
    JobSucceeded,
    PartSettled,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestEventBody,
    RequestRefused,
    SessionEnded,
    TaskRequested,
    body_of,
)
from shared.ids import JobId, QuestionId, SessionId
from shared.jobs import JobSpec, Origin
from shared.kinds import Kind
from shared.messages import Events, Held
from shared.plan import PlanStage, ShownPlan
from shared.questions import Asking
from shared.signatures import Sign

T = TypeVar("T")
MACHINES_CHANGED = ("worker_offers", "worker_lost", "worker_back", "worker_revoked")
QUESTION_SETTLING = ("question_answered", "question_parked")
SETTLING = ("part_settled", "request_refused")
SESSION_ENDED: str = SessionEnded.model_fields["type"].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the hub's events mean for running children."""

    answers: tuple[tuple[OpenQuestion, str], ...]
    ended: tuple[Attempt, ...]
    """Attempts that are over: parked, or answered with what is no answer."""
    sessions: tuple[SessionEnded, ...] = ()
    """Sessions that are over, on whatever machine."""
    settled: tuple[JobId, ...] = ()
    """Parts that other machines run, or were to run, and that are over."""
    is_of_machines: bool = False
    """Whether machines of this person have come, gone or changed."""


class Hands:
    """What this worker holds. One instance per store."""

    def __init__(
        self,
        database: Database,
        environment: Environment,
        on_growth: Callable[[], None],
        on_news: Callable[[frozenset[News]], None] = lambda _news: None,
        sign: Sign | None = None,
        *,
        light: frozenset[str] = frozenset(),
        makers: frozenset[str] = frozenset(),
    ) -> None:
        """Hold nothing yet; `recover` comes first.

        `light`: kinds that take no slot. `makers`: those that have parts.
        """
        self._database = database
        self._light, self._makers = light, makers
        self._sign = sign
        self._environment = environment
        self.own_log = OwnLog(database, environment, on_growth, on_news, sign)
        self.on_ended: list[Callable[[Attempt], None]] = []
        """Told of each attempt whose end is committed."""
        self._attempts: dict[tuple[JobId, int], Attempt] = {}

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts.values())

    @property
    def held(self) -> tuple[Held, ...]:
        return tuple(attempt.held for attempt in self._attempts.values())

    @property
    def slots_taken(self) -> int:
        light = self._light
        return sum(a.takes_slot and a.spec.kind not in light for a in self._attempts.values())

    @property
    def light_taken(self) -> int:
        """Jobs from the hub that take no slot."""
        return sum(
            a.takes_slot and not a.is_kept and a.spec.kind in self._light
            for a in self._attempts.values()
        )

    def get(self, job_id: JobId, number: int) -> Attempt | None:
        return self._attempts.get((job_id, number))

    def alive(self, job_id: JobId) -> Attempt | None:
        """The attempt of a job that runs or asks here."""
        return next(
            (a for a in self._attempts.values() if a.spec.job_id == job_id and a.is_alive), None
        )

    def has(self, job_id: JobId) -> bool:
        """Whether a job is in hand: it waits, runs or asks here."""
        return any(
            a.spec.job_id == job_id and a.state is not AttemptState.ENDED
            for a in self._attempts.values()
        )

    def parts_of(self, maker: JobId | None = None) -> list[Attempt]:
        """The open parts of a job; those of all jobs when None."""
        return [
            a
            for a in self._attempts.values()
            if a.part_of is not None and maker in (None, a.part_of)
        ]

    def accepted(self, job_id: JobId) -> list[Attempt]:
        """Attempts of a job whose offer was accepted and never granted."""
        return [
            a
            for a in self._attempts.values()
            if a.spec.job_id == job_id and a.state is AttemptState.ACCEPTED
        ]

    async def recover(self, kinds: Mapping[str, Kind], reason: str) -> None:
        """Settle what a crash left: attempts that were running have no child any more."""

        def settle(connection: sqlite3.Connection) -> list[Attempt]:
            rebuilt.bring_up_to_date(connection)
            for attempt in journal.attempts(connection):
                if attempt.is_alive:
                    kind = kinds.get(attempt.spec.kind)
                    outcome = recovery.settle(connection, attempt, kind, reason)
                    if outcome is not None:
                        self._end(connection, attempt, outcome)
            for orphan in recovery.orphans(connection):
                self._end(connection, orphan, JobCancelled(**names(orphan)))
            parts.forget_orphans(connection)
            return journal.attempts(connection)

        attempts = await self.own_log.write(settle)
        self._attempts = {(a.spec.job_id, a.number): a for a in attempts}

    async def acknowledge(self, seq: int) -> None:
        """The hub has committed our events up to `seq`; what ended by then is forgotten."""

        def note(connection: sqlite3.Connection) -> None:
            outbox.acknowledge(connection, seq)
            journal.forget_ended(connection, seq)

        await self._database.write(note)
        for key, attempt in list(self._attempts.items()):
            if step.is_forgotten(attempt, seq):
                del self._attempts[key]

    async def renew(self, acked_seq: int) -> None:
        """Start a new epoch: the store turned out to be a copy, or an older one of itself."""

        def note(connection: sqlite3.Connection) -> list[Attempt]:
            outbox.take_back_acks(connection, acked_seq)
            outbox.start_epoch(connection, self._sign)
            return journal.attempts(connection)

        attempts = await self.own_log.write(note)
        self._attempts = {(a.spec.job_id, a.number): a for a in attempts}

    async def accept(self, spec: JobSpec, number: int) -> None:
        """Journal a yes to an offer. Its slot is taken from this moment on."""
        attempt = Attempt(spec=spec, number=number)
        self._keep(attempt)
        try:
            await self._database.write(lambda connection: journal.save(connection, attempt))
        except AppError:
            del self._attempts[spec.job_id, number]
            raise

    async def forget(self, attempt: Attempt) -> None:
        self._attempts.pop((attempt.spec.job_id, attempt.number), None)
        await self._database.write(
            lambda connection: journal.forget(connection, attempt.spec.job_id, attempt.number)
        )

    async def start(self, job_id: JobId, number: int, fence: int) -> Attempt | None:
        """Journal the start of a granted attempt; None when there is none to start."""
        attempt = self.get(job_id, number)
        running = step.start(attempt, fence) if attempt else None
        if running is None:
            return None

        assert attempt is not None
        # A job that was postponed is told to have started already.
        is_told = attempt.not_before is not None
        await self.own_log.write(lambda c: self._note_started(c, running, is_told=is_told))
        self._keep(running)
        return running

    async def begin(self, spec: JobSpec, number: int, fence: int) -> Attempt:
        """Journal a grant that was not asked for and its start, as one."""
        running = step.granted(spec, number, fence)
        self._keep(running)  # its slot is taken from this moment on
        try:
            await self.own_log.write(lambda c: self._note_started(c, running, is_told=False))
        except AppError:
            del self._attempts[spec.job_id, number]
            raise
        return running

    def _note_started(
        self, connection: sqlite3.Connection, running: Attempt, *, is_told: bool
    ) -> None:
        journal.save(connection, running)
        if not is_told:
            told = kept.told_spec(running)
            self.own_log.append(connection, JobStarted(**names(running), job=told))

    async def say(self, body: RequestEventBody) -> None:
        """Write what the person at this machine asks for; the hub is told when it can be."""

        def note(connection: sqlite3.Connection) -> None:
            if isinstance(body, TaskRequested):
                copy_tables.note_asked(connection, body)
            self.own_log.append(connection, body)

        await self.own_log.write(note)

    async def postpone(self, job_id: JobId, seconds: float) -> bool:
        """Have the attempt that is alive wait for another start; False when it is not wanted."""
        attempt = self.alive(job_id)
        if attempt is None:
            return False
        now = self._environment.now()
        waiting = await self._database.write(lambda c: postponed.wait(c, attempt, seconds, now))
        if waiting is not None:
            self._keep(waiting)
        return waiting is not None

    # What is done here although no hub is to be had.

    @property
    def waiting(self) -> tuple[Attempt, ...]:
        """Attempts of this machine's own jobs that wait for their start."""
        return tuple(a for a in self._attempts.values() if a.state is AttemptState.GRANTED)

    async def keep(self, body: TaskRequested, spec: JobSpec) -> None:
        """Write down a job that this machine runs itself, and hold it from now on."""
        attempt = kept.attempt_at(spec)
        await self.own_log.write(lambda connection: self._note_kept(connection, body, attempt))
        self._keep(attempt)

    def _note_kept(
        self, connection: sqlite3.Connection, body: TaskRequested, attempt: Attempt
    ) -> None:
        if attempt.spec.origin is Origin.LOCAL and attempt.part_of is None:
            copy_tables.note_asked(connection, body)
        self.own_log.append(connection, body)
        journal.save(connection, attempt)

    async def keep_parts(self, maker: Attempt, bodies: Mapping[int, TaskRequested]) -> bool:
        """Write down parts of a job, by their index; False when the job is over meanwhile."""
        made = {
            index: kept.attempt_at(kept.spec_of_part(maker.spec, body), body.part_of)
            for index, body in bodies.items()
        }

        def note(connection: sqlite3.Connection) -> bool:
            if not journal.is_alive(connection, maker.spec.job_id, maker.number):
                return False
            for index, attempt in made.items():
                parts.add(connection, maker.spec.job_id, index, attempt.spec.job_id)
                self._note_kept(connection, bodies[index], attempt)
            return True

        is_made = await self.own_log.write(note)
        for attempt in made.values() if is_made else ():
            self._keep(attempt)
        return is_made

    async def lend_part(self, maker: Attempt, number: int, body: TaskRequested) -> bool:
        """Ask for a part that another machine is to run; False when the job is over meanwhile."""

        def note(connection: sqlite3.Connection) -> bool:
            if not journal.is_alive(connection, maker.spec.job_id, maker.number):
                return False
            parts.add(connection, maker.spec.job_id, number, body.job_id)
            self.own_log.append(connection, body)
            return True

        return await self.own_log.write(note)

    async def known_parts(self, maker: JobId) -> dict[int, JobId]:
        """The parts of a job that are open or have ended well, by their index."""
        return await self._database.read(lambda c: parts.known_of(c, maker))

    async def part_ends(self, maker: JobId, indexes: Iterable[int]) -> Mapping[PartEnd, int]:
        """How parts of a job came out, of those with these indexes."""
        return await self._database.read(lambda c: parts.ends_of(c, maker, indexes))

    async def step(self, maker: JobId, number: int) -> KnownStep | None:
        """What is known of the step of a job that a number stands for."""
        return await self._database.read(lambda c: steps.find(c, maker, number))

    async def tell_plan(self, job_id: JobId, stage: PlanStage, plan: ShownPlan) -> None:
        """Write down the plan of a job that runs here."""
        if attempt := self.alive(job_id):
            body = JobPlanned(**names(attempt), stage=stage, plan=plan)
            await self.own_log.write(lambda connection: self.own_log.append(connection, body))

    async def forget_parts(self, maker: JobId) -> None:
        """A job is over: how its parts came out is asked no more."""
        await self._database.write(lambda c: parts.forget_ended(c, maker))

    async def end_parts(self, ending: Sequence[Attempt]) -> None:
        """Cancel parts that wait for their start."""

        def note(connection: sqlite3.Connection) -> list[Attempt]:
            return [self._end(connection, a, JobCancelled(**names(a))) for a in ending]

        for attempt in await self.own_log.write(note):
            self._keep(attempt)

    async def end_waiting(
        self, attempt: Attempt, outcome: AttemptEventBody, wish: CancelAsked | None = None
    ) -> None:
        """End a kept attempt that never started, with the wish that ended it, if one did."""

        def note(connection: sqlite3.Connection) -> Attempt:
            if wish is not None:
                self.own_log.append(connection, wish)
            return self._end(connection, attempt, outcome)

        self._keep(await self.own_log.write(note))

    async def use_answer(self, body: AnswerGiven) -> OpenQuestion | None:
        """Let an attempt go on with an answer given here; None when none here waits for it.

        Raises:
            BadInput: `answer_unfit`.
        """

        def note(connection: sqlite3.Connection) -> tuple[Attempt, OpenQuestion] | None:
            found = self._asking(connection, body.question_id)
            if found is None:
                return None
            attempt, question = found
            if not step.is_answer(question.asking, body.value):
                raise step.answer_unfit(question.asking, body.value)
            self.own_log.append(connection, body)
            journal.answer(connection, body.question_id, body.value)
            return self._resume(connection, attempt, body.question_id), question

        used = await self.own_log.write(note)
        if used is None:
            return None
        self._keep(used[0])
        return used[1]

    async def given_here(self) -> list[AnswerGiven]:
        """Return answers given here that no hub has counted, to questions asked here."""

        def read(connection: sqlite3.Connection) -> list[AnswerGiven]:
            found = []
            for attempt in self._attempts.values():
                if attempt.state is AttemptState.ASKING:
                    job_id = attempt.spec.job_id
                    if (given := kept.given(connection, job_id)) is not None:
                        found.append(
                            AnswerGiven(question_id=given[0], job_id=job_id, value=given[1])
                        )
            return found

        return await self._database.read(read)

    async def known_spec(self, job_id: JobId) -> JobSpec | None:
        """Describe a job, as far as its events tell."""
        return await self._database.read(lambda c: kept.known_spec(c, job_id))

    async def asked_here(self, job_id: JobId) -> AskedHere | None:
        """What the person at this machine asked for under a job's id."""
        return await self._database.read(lambda c: copy_tables.asked_here(c, job_id))

    async def is_session_over(self, session_id: SessionId) -> bool:
        """Whether the hub has ended a session, as far as it has told this machine."""
        return await self._database.read(lambda c: known.is_session_over(c, session_id))

    async def log(self, job_id: JobId, lines: tuple[str, ...]) -> None:
        if attempt := self.alive(job_id):
            body = JobLogged(**names(attempt), lines=lines)
            await self.own_log.write(lambda connection: self.own_log.append(connection, body))

    async def ask(self, job_id: JobId, asking: Asking) -> None:
        attempt = self.alive(job_id)
        waiting = step.ask(attempt) if attempt else None
        if waiting is None:
            return
        question = OpenQuestion(
            question_id=QuestionId(self._environment.new_id()),
            job_id=job_id,
            number=waiting.number,
            asking=asking,
        )
        body = QuestionAsked(**names(waiting), question_id=question.question_id, asking=asking)

        def note(connection: sqlite3.Connection) -> None:
            journal.ask(connection, question)
            journal.save(connection, waiting)
            self.own_log.append(connection, body)

        await self.own_log.write(note)
        self._keep(waiting)

    async def hear(self, hub_epoch: str, events: Events) -> Heard:
        """Apply events of the hub; their cursor moves with what they change."""

        def note(connection: sqlite3.Connection) -> tuple[list[Attempt], Heard]:
            changed: list[Attempt] = []
            answers: list[tuple[OpenQuestion, str]] = []
            self.own_log.copy(connection, hub_epoch, events)
            for entry in events.events:
                if entry.event.device != HUB or entry.event.type not in QUESTION_SETTLING:
                    continue  # only the hub settles questions
                match known_body(entry.event):
                    case QuestionAnswered() as told:
                        found = self._asking(connection, told.question_id)
                        if found is None:
                            continue
                        attempt, question = found
                        journal.answer(connection, told.question_id, told.answer.value)
                        if step.is_answer(question.asking, told.answer.value):
                            changed.append(self._resume(connection, attempt, told.question_id))
                            answers.append((question, told.answer.value))
                        else:
                            body = JobFailed(**names(attempt), error=step.answer_invalid())
                            changed.append(self._end(connection, attempt, body))
                    case QuestionParked() as told:
                        found = self._asking(connection, told.question_id)
                        if found is None or self._stays(found[0]):
                            continue
                        parked = JobParked(**names(found[0]), question_id=told.question_id)
                        changed.append(self._end(connection, found[0], parked))
                    case _:
                        pass
            facts.move_hub_cursor(connection, hub_epoch, events.upto)
            ended = tuple(attempt for attempt in changed if not attempt.is_alive)
            heard = Heard(
                answers=tuple(answers),
                ended=ended,
                sessions=_sessions_ended(events),
                settled=_settled(events),
                is_of_machines=any(
                    told.event.device == HUB and told.event.type in MACHINES_CHANGED
                    for told in events.events
                ),
            )
            return changed, heard

        changed, heard = await self.own_log.write(note)
        for attempt in changed:
            self._keep(attempt)
        return heard

    async def end(
        self,
        job_id: JobId,
        body_for: Callable[[Names], AttemptEventBody],
        *,
        parcels: tuple[Parcel, ...] = (),
        wrote: str = "",
        following: Sequence[TaskRequested] = (),
    ) -> None:
        """Write the outcome of the attempt that is alive; a second outcome is ignored.

        Args:
            job_id: whose attempt.
            body_for: makes the outcome.
            parcels: copies of the files that a success hands over.
            wrote: the file that a success wrote for its person.
            following: jobs that this machine keeps after a success.
        """
        attempt = self.alive(job_id)
        if attempt is None:
            return
        body = body_for(names(attempt))
        after = [kept.attempt_at(kept.spec_of_part(attempt.spec, told)) for told in following]

        def note(connection: sqlite3.Connection) -> Attempt:
            if isinstance(body, JobSucceeded):
                for told, follower in zip(following, after, strict=True):
                    self._note_kept(connection, told, follower)
                outgoing.put(connection, parcels, self._environment.now())
                if wrote:
                    outgoing.note_written(connection, job_id, wrote, self._environment.now())
            return self._end(connection, attempt, body)

        self._keep(await self.own_log.write(note))
        for follower in after if isinstance(body, JobSucceeded) else ():
            self._keep(follower)

    async def machines(self) -> tuple[copied.Worker, ...]:
        """The machines of this person, as the hub has told of them."""
        return await self._database.read(copied.workers)

    async def written_by(self, job_id: str) -> str | None:
        """The file that a job wrote on this machine for its person."""
        return await self._database.read(lambda c: outgoing.written_by(c, job_id))

    def _end(
        self, connection: sqlite3.Connection, attempt: Attempt, body: AttemptEventBody
    ) -> Attempt:
        ended = step.end(attempt, self.own_log.append(connection, body))
        assert ended is not None
        if ended.part_of is None:
            journal.save(connection, ended)
        else:
            # Nobody asks after a part that has ended: its maker is told by the table of parts.
            parts.end(connection, ended.spec.job_id, parts.end_of(body))
            journal.forget(connection, ended.spec.job_id, ended.number)
        return ended

    def _stays(self, attempt: Attempt) -> bool:
        """Whether an attempt waits for its person however long that takes.

        A part has nowhere to wait but here, and what has parts would lose them.
        """
        return attempt.part_of is not None or attempt.spec.kind in self._makers

    def _asking(
        self, connection: sqlite3.Connection, question_id: QuestionId
    ) -> tuple[Attempt, OpenQuestion] | None:
        """Find the attempt that still waits for an answer to this question.

        A log that is told again after a hub was restored is full of questions long settled.
        """
        question = journal.open_question(connection, question_id)
        attempt = self.get(question.job_id, question.number) if question else None
        if question is None or attempt is None or attempt.state is not AttemptState.ASKING:
            return None
        return attempt, question

    def _resume(
        self, connection: sqlite3.Connection, attempt: Attempt, question_id: QuestionId
    ) -> Attempt:
        running = step.resume(attempt)
        assert running is not None
        journal.save(connection, running)
        self.own_log.append(connection, JobResumed(**names(running), question_id=question_id))
        return running

    def _keep(self, attempt: Attempt) -> None:
        key = (attempt.spec.job_id, attempt.number)
        has_ended = attempt.state is AttemptState.ENDED
        if has_ended and attempt.part_of is not None:
            self._attempts.pop(key, None)
        else:
            self._attempts[key] = attempt
        if has_ended:
            for tell in self.on_ended:
                tell(attempt)


def _settled(events: Events) -> tuple[JobId, ...]:
    told = [entry.event for entry in events.events if entry.event.device == HUB]
    bodies = [known_body(event) for event in told if event.type in SETTLING]
    return tuple(body.job_id for body in bodies if isinstance(body, PartSettled | RequestRefused))


def _sessions_ended(events: Events) -> tuple[SessionEnded, ...]:
    told = [entry.event for entry in events.events if entry.event.device == HUB]
    bodies = [known_body(event) for event in told if event.type == SESSION_ENDED]
    return tuple(body for body in bodies if isinstance(body, SessionEnded))


def known_body(event: Event) -> EventBody | None:
    """Read an event of the hub; one that is newer or does not fit means nothing here."""
    try:
        return body_of(event)
    except ValidationError:
        return None
