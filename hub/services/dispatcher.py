"""Brings ready jobs to workers: offer, accept, grant; passes cancels on.

The board decides in memory; only the grant is written. An offer may be lost or run out, a grant
is told after it is committed and never runs out. Who has said yes ahead is granted a job without
an offer, and may give it back as long as it has not begun.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from hub.core import job as core
from hub.core.board import Board, No, Placement
from hub.core.job import Job
from hub.ports import Engine
from hub.services import endings, pulled, session_steps
from hub.store import fleet, queue, sessions
from hub.store.ledger import Entry, Ledger
from shared.errors import AppError, Conflict
from shared.ids import JobId, SessionId, WorkerId
from shared.jobs import NO_SESSION, JobSpec, JobState
from shared.messages import Accept, Cancel, Decline, Grant, Offer

log = structlog.get_logger()

SPECS_KEPT_MAX = 10_000
"""Descriptions of fresh jobs kept in memory, so that offering them needs no read."""
LOAD_MAX = 200
IDLE_SECONDS = 60.0
STEP_SECONDS = 0.001
"""A wait that is shorter than a clock's step would be waited for again and again until it moves."""
TROUBLE_SECONDS = 1.0
"""Before the next look when the store could not be read."""


class Dispatcher:
    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._engines: list[Engine] = []
        self._specs: OrderedDict[JobId, JobSpec] = OrderedDict()
        self._stirred = asyncio.Event()
        ledger.listeners.append(self._follow)

    def add_engine(self, engine: Engine) -> None:
        self._engines.append(engine)

    @property
    def engines(self) -> Sequence[Engine]:
        return tuple(self._engines)

    async def rebuild(self) -> None:
        """Read the board back from the store, once, at the start."""
        jobs, waits = await self._ledger.read(
            lambda c: ([*queue.queued(c), *queue.held(c)], queue.waits(c))
        )
        now, wall = self._ledger.environment.monotonic(), self._ledger.environment.now()
        for job in jobs:
            # A clock that was wrong then or is wrong now makes no wait longer than it was meant.
            self._board.update(job, now, wall, waits.get(job.job_id, 0.0))
        self._stirred.set()

    def stir(self) -> None:
        """Something about workers changed: look again."""
        self._stirred.set()

    async def run(self) -> None:
        """Offer whenever something changes."""
        while True:
            try:
                wait_seconds = await self.run_once()
            except AppError as error:
                log.warning("dispatch_failed", code=error.code, error=str(error))
                wait_seconds = TROUBLE_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._stirred.wait()
            except TimeoutError:
                continue

    async def run_once(self) -> float:
        """Offer what can be offered; return after how many seconds there is more to do."""
        self._stirred.clear()
        if self._ledger.trouble is not None:
            return TROUBLE_SECONDS  # what was offered now could not be granted
        placements = self._board.place(self._ledger.environment.monotonic())
        unknown = [p for p in placements if p.ready.job.job_id not in self._specs]
        for placement in placements:
            if (spec := self._specs.pop(placement.ready.job.job_id, None)) is not None:
                self._send_offer(placement, spec)
        for start in range(0, len(unknown), LOAD_MAX):
            await self._offer_from_store(unknown[start : start + LOAD_MAX])
        due = self._board.next_due()
        if due is None:
            return IDLE_SECONDS
        left = due - self._ledger.environment.monotonic()
        return min(IDLE_SECONDS, max(STEP_SECONDS, left))

    def accept(self, worker_id: WorkerId, accept: Accept) -> None:
        """A worker said yes: commit its grant, then tell it. A stale yes is told to stop."""
        placement = self._board.accept(worker_id, accept.job_id, accept.attempt)
        if placement is None:
            if not self._board.is_holder(worker_id, accept.job_id):
                self._refuse(worker_id, accept.job_id, accept.attempt)
            return
        presence = self._board.present.get(worker_id)
        if presence is not None and presence.is_fleet:
            granted = self._ledger.post(lambda entry: _hand_over(entry, placement))
        else:
            is_fetched = presence is not None and presence.claims is not None
            granted = self._ledger.post(
                lambda entry: _grant(entry, placement, is_fetched=is_fetched)
            )
        granted.add_done_callback(lambda done: self._granted(placement, done))

    def _grant_unasked(self, placement: Placement, spec: JobSpec) -> None:
        self._board.accept(placement.worker_id, spec.job_id, placement.attempt)
        granted = self._ledger.post(lambda entry: _grant(entry, placement, spec=spec))
        granted.add_done_callback(lambda done: self._granted_unasked(placement, done))

    def decline(self, worker_id: WorkerId, decline: Decline) -> None:
        """A worker said no: the job is offered elsewhere, or here later."""
        ready = self._board.decline(
            worker_id,
            decline.job_id,
            decline.attempt,
            is_for_now=decline.error.retryable,
            reason=decline.error.message,
            now=self._ledger.environment.monotonic(),
        )
        if ready is None and self._board.is_holder(worker_id, decline.job_id):
            no = No(worker_id, decline.error.retryable, decline.error.message)
            self._board.note_given_back(decline.job_id, no)
            self._take_back(worker_id, decline.job_id, decline.attempt)
        if ready is not None and not decline.error.retryable:
            # Said once for each worker that will never take it; why, `views.why_waiting` tells.
            told = self._ledger.post(lambda entry: _tell_declined(entry, decline.job_id))
            told.add_done_callback(_log_failure)
        self._stirred.set()

    def is_holder(self, worker_id: WorkerId, job_id: JobId) -> bool:
        """Say whether a worker may speak of a job."""
        return self._board.is_holder(worker_id, job_id)

    def _take_back(self, worker_id: WorkerId, job_id: JobId, attempt: int) -> None:
        """Queue a job again that was granted to a worker and that it has not begun."""
        taken = self._ledger.post(
            lambda entry: _give_back(entry, worker_id, job_id, attempt), is_vital=True
        )
        taken.add_done_callback(_log_failure)
        taken.add_done_callback(lambda _done: self._board.forget_given_back(job_id))

    def _follow(self, entry: Entry) -> None:
        for spec in entry.specs:
            self._specs[spec.job_id] = spec
        while len(self._specs) > SPECS_KEPT_MAX:
            self._specs.popitem(last=False)
        if not entry.jobs:
            return
        now = self._ledger.environment.monotonic()
        for job in entry.jobs:
            self._board.update(job, now, entry.now)
            kept = self._specs.get(job.job_id)
            is_moved = kept is not None and kept.session_id != (job.session_id or NO_SESSION)
            if job.life.state is not JobState.QUEUED or is_moved:
                # What is told of a job that has begun grows by its answers.
                self._specs.pop(job.job_id, None)
            if job.life.cancel_by and job.life.is_held:
                self._send_cancel(job)
        for worker_id, grant in entry.grants:
            if not self._send(worker_id, grant):
                # It is going: until it is gone or back, nothing is written down for it in vain.
                self._board.ask_first(worker_id)
                self._take_back(worker_id, grant.job_id, grant.attempt)
        self._stirred.set()

    def _send_offer(self, placement: Placement, spec: JobSpec) -> None:
        left = placement.expires_at - self._ledger.environment.monotonic()
        presence = self._board.present.get(placement.worker_id)
        if presence is not None and presence.is_fleet:
            spec = spec.model_copy(update={"session_id": NO_SESSION})  # nodes keep no folders
        elif not spec.session_id and not placement.ready.job.is_lent:
            # The session that is opened with the grant, so that the worker knows its folder.
            minted = SessionId(self._ledger.environment.new_id())
            spec = spec.model_copy(update={"session_id": minted})
        placement.session_id = spec.session_id
        if self._board.is_unasked(placement, spec.origin):
            self._grant_unasked(placement, spec)
            return
        offer = Offer(job=spec, attempt=placement.attempt, expires_in_seconds=max(1.0, left))
        if not self._send(placement.worker_id, offer):
            self._board.take_back(placement)

    async def _offer_from_store(self, placements: list[Placement]) -> None:
        job_ids = [p.ready.job.job_id for p in placements]
        seated = [(p.ready.job.job_id, p.worker_id) for p in placements if p.ready.job.session_id]
        try:
            specs, kept = await self._ledger.read(
                lambda c: (queue.specs(c, job_ids), sessions.kept(c, seated))
            )
        except AppError:
            for placement in placements:
                self._board.take_back(placement)
            raise
        for placement in placements:
            # While it was read, the worker may have gone or the job been cancelled.
            if self._board.offer_of(placement.ready.job.job_id) is placement:
                spec = specs[placement.ready.job.job_id]
                session_id = kept.get(spec.job_id, NO_SESSION)
                self._send_offer(placement, spec.model_copy(update={"session_id": session_id}))

    def _granted(self, placement: Placement, done: asyncio.Future[Job]) -> None:
        job_id = placement.ready.job.job_id
        error = done.exception()
        if error is None:
            life = done.result().life
            grant = Grant(job_id=job_id, attempt=life.attempt, fence=life.fence)
            self._send(placement.worker_id, grant)
            return
        self._refuse(placement.worker_id, job_id, placement.attempt)
        self._not_granted(placement, error)

    def _granted_unasked(self, placement: Placement, done: asyncio.Future[Job]) -> None:
        if (error := done.exception()) is not None:
            self._not_granted(placement, error)

    def _not_granted(self, placement: Placement, error: BaseException) -> None:
        self._board.take_back(placement)
        self._stirred.set()
        if not isinstance(error, Conflict):
            log.error("grant_failed", job_id=placement.ready.job.job_id, error=str(error))

    def _refuse(self, worker_id: WorkerId, job_id: JobId, attempt: int) -> None:
        self._send(
            worker_id,
            Cancel(job_id=job_id, attempt=attempt, reason="The offer is no longer yours."),
        )

    def _send_cancel(self, job: Job) -> None:
        life = job.life
        assert life.worker_id is not None
        self._send(
            life.worker_id,
            Cancel(
                job_id=job.job_id,
                attempt=life.attempt,
                reason=f"Cancelled by {life.cancel_by}."[:400],
            ),
        )

    def _send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        return any(engine.send(worker_id, message) for engine in self._engines)


def _grant(
    entry: Entry,
    placement: Placement,
    *,
    is_fetched: bool = False,
    spec: JobSpec | None = None,
) -> Job:
    """Grant a job to whoever said yes; `spec`: what it is, for a worker that was not asked."""
    job = queue.load_in(entry, placement.ready.job.job_id)
    if job is None:
        raise Conflict("offer_gone", "The job is gone.")
    life = core.grant(job.life, placement.worker_id, placement.attempt)
    granted = session_steps.seat(entry, job, life, placement.worker_id, placement.session_id)
    if (granted.session_id or NO_SESSION) != placement.session_id:
        raise Conflict("offer_gone", "The worker was told of another session.")
    endings.tell_granted(entry, granted)
    if spec is not None:
        grant = Grant(job_id=job.job_id, attempt=life.attempt, fence=life.fence, job=spec)
        entry.grants.append((placement.worker_id, grant))
    return pulled.start(entry, granted) if is_fetched else granted


def _give_back(entry: Entry, worker_id: WorkerId, job_id: JobId, attempt: int) -> None:
    job = queue.load_in(entry, job_id)
    if job is None or job.life.state is not JobState.GRANTED:
        return
    if (job.life.worker_id, job.life.attempt) == (worker_id, attempt):
        endings.give_back(entry, job)


def _hand_over(entry: Entry, placement: Placement) -> Job:
    """Grant a job to the fleet: what is published for it stands in the same transaction."""
    job = queue.load_in(entry, placement.ready.job.job_id)
    if job is None:
        raise Conflict("offer_gone", "The job is gone.")
    life = core.grant(job.life, placement.worker_id, placement.attempt)
    granted = queue.seat(entry, job, life, None)
    endings.tell_granted(entry, granted)
    fleet.hand_over(entry, granted)
    return granted


def _tell_declined(entry: Entry, job_id: JobId) -> None:
    job = queue.load_in(entry, job_id)
    if job is not None and job.life.state is JobState.QUEUED:
        endings.tell_queued(entry, job, "declined")


def _log_failure(done: asyncio.Future[None]) -> None:
    if (error := done.exception()) is not None:
        log.error("decline_unwritten", error=str(error))
