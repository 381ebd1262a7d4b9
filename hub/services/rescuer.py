"""Finds what will not go on by itself: lost attempts, questions that ran out.

A timer alone gives nothing away that may have had an effect: of a worker that is gone, only
idempotent and resumable work is queued again; the rest waits for the worker's word or a person.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import structlog

from hub.core import job as core
from hub.core.board import Board
from hub.core.job import Job
from hub.core.question import QuestionState, run_out
from hub.core.worker import PULL_SILENT_SECONDS, verdict
from hub.services import endings
from hub.store import events, questions, queue, workers
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError
from shared.events import QuestionAnswered, QuestionAsked, QuestionParked
from shared.ids import JobId, PersonId, QuestionId, WorkerId
from shared.jobs import JobState
from shared.kinds import Kind
from shared.messages import Decision, Held, HeldState, Hello, Verdict
from shared.questions import QUESTION_SECONDS

log = structlog.get_logger()

RESTART_SECONDS = 60.0
"""How long workers have to come back after the hub itself was away: their longest wait between
two tries is 45 s."""
POLL_SECONDS = 1.0
"""How often it looks; a closed socket's work moves within this of its time."""

_STATES = {
    HeldState.GRANTED: JobState.GRANTED,
    HeldState.RUNNING: JobState.RUNNING,
    HeldState.ASKING: JobState.ASKING,
    # Its outcome comes by push and must find the grant in force.
    HeldState.ENDED: JobState.RUNNING,
}


class Rescuer:
    def __init__(self, ledger: Ledger, board: Board, kinds: Mapping[str, Kind]) -> None:
        self._ledger = ledger
        self._board = board
        self._kinds = kinds
        self._question_ends: dict[QuestionId, float] = {}
        """When the time of each open question is over (monotonic), from when it was first seen."""
        self._just_asked: dict[QuestionId, float] = {}
        """The same of those that were asked since the last look: what the wall's clock says of
        them then may be days off already."""
        self._missing: dict[WorkerId, tuple[int, int, list[Job]]] = {}
        """Grants a worker did not list in its hello: they are lost once its log has been taken in
        up to the number it named there (epoch, number, jobs)."""
        ledger.listeners.append(self._note_asked)

    async def rebuild(self) -> None:
        """After a start: everybody with a grant is away, and has a while to come back."""
        jobs, pulling, fleets = await self._ledger.read(
            lambda c: (queue.held(c), workers.pulling(c), workers.fleets(c))
        )
        # What the fleet has is lost node by node, and that is seen to elsewhere.
        self._board.gone_until |= {worker.worker_id: math.inf for worker in fleets}
        now = self._ledger.environment.monotonic()
        for job in jobs:
            worker_id = job.life.worker_id
            assert worker_id is not None
            if worker_id not in self._board.present and worker_id not in self._board.gone_until:
                wait_seconds = PULL_SILENT_SECONDS if worker_id in pulling else RESTART_SECONDS
                self._board.gone_until[worker_id] = now + wait_seconds

    async def take_inventory(
        self, hello: Hello, person_id: PersonId
    ) -> tuple[events.Acked, tuple[Verdict, ...]]:
        """Reconcile what a worker holds with what it was granted.

        Returns how far its log has been taken in, and a verdict for each attempt it told. A grant
        it did not tell is lost, unless its outcome is still to come: that shows once its log has
        been taken in.
        """
        # From here on its grants are not lost for being away.
        self._board.gone_until.pop(hello.device, None)
        acked, verdicts, missing = await self._ledger.write(
            lambda entry: self._judge(entry, hello, person_id), is_vital=True
        )
        self._missing.pop(hello.device, None)
        if missing:
            self._missing[hello.device] = (hello.epoch, hello.outbox_seq, missing)
            await self._settle_missing(hello.device)
        return acked, verdicts

    async def compare(
        self, worker_id: WorkerId, person_id: PersonId, told: tuple[Held, ...]
    ) -> tuple[tuple[Verdict, ...], tuple[Job, ...]]:
        """Judge what a worker tells to have that fetches its work; nothing is lost by this alone.

        Returns a verdict for each, and what it was granted and did not tell.
        """
        return await self._ledger.write(
            lambda entry: self._look_at(entry, worker_id, person_id, told, is_telling=False)
        )

    async def lose(self, jobs: Sequence[Job]) -> None:
        """Lose what a worker no longer has, by its own word; what moved on meanwhile stays."""
        await self._ledger.write(lambda entry: self._lose_all(entry, jobs), is_vital=True)

    async def give_back(self, worker_id: WorkerId, job_id: JobId, fence: int) -> None:
        """Queue a job again whose grant is known not to have reached its worker."""

        def run(entry: Entry) -> None:
            job = queue.load_in(entry, job_id)
            if job is None or (job.life.worker_id, job.life.fence) != (worker_id, fence):
                return
            if job.life.is_held:
                endings.give_back(entry, job)

        await self._ledger.write(run, is_vital=True)

    async def run(self) -> None:
        """Look once a second."""
        while True:
            try:
                await self.run_once()
            except AppError as error:
                log.warning("rescue_failed", code=error.code, error=str(error))
            await asyncio.sleep(POLL_SECONDS)

    async def run_once(self) -> None:
        """Queue what was lost with its worker; end questions whose time is over."""
        now = self._ledger.environment.monotonic()
        gone = [w for w, until in self._board.gone_until.items() if until <= now]
        for worker_id in gone:
            await self._rescue_from(worker_id)
        for worker_id in list(self._missing):
            await self._settle_missing(worker_id)
        await self._end_questions(now)

    async def _end_questions(self, now: float) -> None:
        """End the questions whose time is over, by the clock that does not jump."""
        wall = self._ledger.environment.now()
        self._question_ends |= self._just_asked
        # Cleared before the store is read: what is asked meanwhile is kept for the next look.
        self._just_asked = {}
        waiting = await self._ledger.read(questions.waiting)
        known = self._question_ends | self._just_asked
        self._question_ends = {
            question_id: known.get(question_id, now + _left_seconds(expires_at, wall))
            for question_id, expires_at in waiting
        }
        for question_id in [q for q, ends in self._question_ends.items() if ends <= now]:
            await self._ledger.write(partial(_run_out, question_id=question_id))

    def _note_asked(self, entry: Entry) -> None:
        """Time the questions of a commit from when they are asked."""
        ends = self._ledger.environment.monotonic() + QUESTION_SECONDS
        for fact in entry.facts:
            if fact.type == "question_asked" and isinstance(fact.body, QuestionAsked):
                self._just_asked[fact.body.question_id] = ends

    async def _rescue_from(self, worker_id: WorkerId) -> None:
        held = await self._ledger.write(lambda entry: self._lose_of(entry, worker_id))
        # What is not idempotent stays where it is, and is looked at when its worker says hello.
        if worker_id not in self._board.present:
            self._board.gone_until.pop(worker_id, None)
        if held:
            log.info("work_rescued", worker_id=worker_id, jobs=held)

    def _lose_of(self, entry: Entry, worker_id: WorkerId) -> int:
        if worker_id not in self._board.gone_until:
            return 0
        worker = workers.load(entry.connection, worker_id)
        name = worker.name if worker else "the worker"
        is_revoked = worker is None or worker.is_revoked
        pulls = worker is not None and worker.pulls
        lost = 0
        for job in queue.held(entry.connection, worker_id):
            # What fetches its work asks by calling again and again: silent, it asks no more.
            asks = not pulls and _waits_for_a_person(entry, job)
            if is_revoked or (self._repeats(job) and not asks and not self._stays(job)):
                reason = f"{name} was disconnected." if is_revoked else f"{name} went offline."
                code = "worker_revoked" if is_revoked else "worker_lost"
                environment = self._ledger.environment
                endings.lose(entry, job, self._kinds, environment, reason=reason, code=code)
                lost += 1
        return lost

    def _stays(self, job: Job) -> bool:
        """Say whether a job goes on where it is, with or without a line.

        What parts have done stands on that computer alone: elsewhere, all of it would be done
        twice.
        """
        kind = self._kinds.get(job.kind)
        return job.is_kept_part or (kind is not None and bool(kind.makes))

    def _repeats(self, job: Job) -> bool:
        kind = self._kinds.get(job.kind)
        return kind is not None and kind.may_repeat

    def _judge(
        self, entry: Entry, hello: Hello, person_id: PersonId
    ) -> tuple[events.Acked, tuple[Verdict, ...], list[Job]]:
        acked = events.acked(entry.connection, hello.device, hello.epoch)
        is_telling = hello.outbox_seq > acked.seq
        verdicts, missing = self._look_at(
            entry, hello.device, person_id, hello.held, is_telling=is_telling
        )
        return acked, verdicts, list(missing)

    def _look_at(
        self,
        entry: Entry,
        worker_id: WorkerId,
        person_id: PersonId,
        inventory: tuple[Held, ...],
        *,
        is_telling: bool,
    ) -> tuple[tuple[Verdict, ...], tuple[Job, ...]]:
        verdicts = []
        told = set()
        for held in inventory:
            job = queue.load_in(entry, held.job_id)
            if job is not None and job.person_id != person_id:
                job = None
            said = verdict(job.life if job else None, held, worker_id, is_telling=is_telling)
            verdicts.append(said)
            if said.decision in (Decision.KEEP, Decision.GRANT):
                told.add((held.job_id, held.attempt))
            if job is not None:
                _follow(entry, worker_id, job, held, said)
        missing = tuple(
            job
            for job in queue.held(entry.connection, worker_id)
            if (job.job_id, job.life.attempt) not in told
        )
        return tuple(verdicts), missing

    async def _settle_missing(self, worker_id: WorkerId) -> None:
        waiting = self._missing[worker_id]
        is_settled = await self._ledger.write(
            partial(self._lose_missing, worker_id=worker_id, waiting=waiting), is_vital=True
        )
        # A hello in between may have put down a new list.
        if is_settled and self._missing.get(worker_id) is waiting:
            del self._missing[worker_id]

    def _lose_missing(
        self, entry: Entry, worker_id: WorkerId, waiting: tuple[int, int, list[Job]]
    ) -> bool:
        """Lose what a worker did not tell of; False while its log may still tell of it."""
        epoch, outbox_seq, missing = waiting
        if events.cursor(entry.connection, worker_id, epoch) < outbox_seq:
            return False
        self._lose_all(entry, missing)
        return True

    def _lose_all(self, entry: Entry, missing: Sequence[Job]) -> None:
        for then in missing:
            job = queue.load_in(entry, then.job_id)
            if job is None or not job.life.is_held or job.life.fence != then.life.fence:
                continue
            assert job.life.worker_id is not None
            worker = workers.load(entry.connection, job.life.worker_id)
            name = worker.name if worker else "The worker"
            endings.lose(
                entry,
                job,
                self._kinds,
                self._ledger.environment,
                reason=f"{name} came back without this job.",
            )


def _follow(entry: Entry, worker_id: WorkerId, job: Job, held: Held, said: Verdict) -> None:
    """Bring the job in line with the verdict on it."""
    life = job.life
    if said.decision is Decision.KEEP:
        if held.state is HeldState.ENDED and events.has_outcome(
            entry.connection, job.job_id, held.fence
        ):
            return  # only the acknowledgement was lost: nothing more will come of this attempt
        if held.state in _STATES and core.may_readopt(life, worker_id, held.attempt, held.fence):
            back = core.readopt(life, attempt=held.attempt, state=_STATES[held.state])
            endings.tell_granted(entry, queue.save(entry, job, back))
    elif (
        held.state is HeldState.ACCEPTED
        and life.cancel_by
        and core.is_held_by(life, worker_id, held.attempt, life.fence)
    ):
        # It never started and now never will: the cancel is done.
        endings.cancel_unheld(entry, job, core.cancelled(life))


def _waits_for_a_person(entry: Entry, job: Job) -> bool:
    if job.life.state is not JobState.ASKING or job.life.question_id is None:
        return False
    question = questions.load(entry.connection, job.life.question_id)
    return question is not None and question.state.is_open


def _left_seconds(expires_at: datetime, wall: datetime) -> float:
    """How long a question may still wait; a wrong clock does not make it longer than ever."""
    return min((expires_at - wall).total_seconds(), QUESTION_SECONDS)


def _run_out(entry: Entry, question_id: QuestionId) -> None:
    question = questions.load(entry.connection, question_id)
    if question is None or question.state is not QuestionState.OPEN:
        return
    ended = run_out(question)
    questions.save(entry, ended)
    if ended.answer is None:
        body = QuestionParked(question_id=ended.question_id, job_id=ended.job_id)
        entry.tell(ended.person_id, body)
        return
    entry.tell(
        ended.person_id,
        QuestionAnswered(question_id=ended.question_id, job_id=ended.job_id, answer=ended.answer),
    )
