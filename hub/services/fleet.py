"""Keeps what the fleet has in hand: workers that stand for it, starts, reports, losses.

Each person who may use the fleet has one worker that stands for all of its nodes. A ticket that a
node took is nothing yet: the start, committed here for exactly one delivery, comes before the
first effect. So whatever a broker loses, repeats or brings late can double nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.core import job as core
from hub.core.board import Board
from hub.core.fleet_calls import FleetQueue
from hub.core.fleet_rules import FLEET_NAME, FLEET_SLOTS, FleetRules, may_leave
from hub.core.lane import Place
from hub.core.pull import Grant, Stop
from hub.core.worker import Worker
from hub.services import arrivals, endings, offering, pulled
from hub.services.recorder import Recorder, Reported
from hub.services.requests import fence_stale, job_unknown
from hub.store import fleet, people, queue, workers
from hub.store.fleet import FleetAttempt
from hub.store.ledger import Entry, Ledger
from shared.errors import BadInput
from shared.events import AttemptEventBody, QuestionAsked, WorkerPaired, WorkerRevoked
from shared.fleet import FLEET_PLATFORM, Ticket
from shared.ids import JobId, PersonId, WorkerId, is_uuid
from shared.jobs import JobSpec, Priority
from shared.kinds import Kind

COUNTED_MAX = 10_000
"""Jobs that wait at the hub, looked at to count those that the fleet could take."""
MOVED_ON = "The job has moved on."


class Fleet:
    def __init__(
        self, ledger: Ledger, board: Board, kinds: Mapping[str, Kind], recorder: Recorder
    ) -> None:
        self._ledger = ledger
        self._board = board
        self._kinds = kinds
        self._recorder = recorder

    # Who it works for.

    async def settle(self, rules: FleetRules) -> tuple[Worker, ...]:
        """Bring the workers that stand for the fleet in line with the owner's setting.

        Returns all that there are now. What one had in hand that is shown out is lost.
        """
        due = await self._ledger.read(lambda c: _due(c, rules))
        if due:
            gone = await self._ledger.write(lambda entry: self._settle(entry, rules), is_vital=True)
            now = self._ledger.environment.monotonic()
            for worker_id in gone:
                self._board.depart(worker_id, now)
        return tuple(await self._ledger.read(workers.fleets))

    def _settle(self, entry: Entry, rules: FleetRules) -> list[WorkerId]:
        gone = []
        users = _users(entry.connection, rules)
        for person in people.everyone(entry.connection):
            others = workers.of_person(entry.connection, person.person_id)
            mine = next((worker for worker in others if worker.is_fleet), None)
            if person.person_id not in users:
                if mine is not None:
                    workers.update(entry, replace(mine, is_revoked=True))
                    body = WorkerRevoked(
                        worker_id=mine.worker_id,
                        name=mine.name,
                        by="the hub's settings",
                        is_fleet=True,
                    )
                    entry.tell(person.person_id, body, entity=mine.worker_id)
                    gone.append(mine.worker_id)
                continue
            if mine is None:
                taken = {other.name.casefold() for other in others}
                mine = Worker(
                    worker_id=WorkerId(self._ledger.environment.new_id()),
                    person_id=person.person_id,
                    name=arrivals.free_name(FLEET_NAME, taken),
                    platform=FLEET_PLATFORM,
                    app_version="",
                    capabilities=rules.capabilities,
                    paired_at=entry.now,
                    last_seen_at=entry.now,
                    pull_slots=FLEET_SLOTS,
                )
                workers.insert(entry, mine)
                paired = WorkerPaired(
                    worker_id=mine.worker_id, name=mine.name, pulls=True, is_fleet=True
                )
                entry.tell(person.person_id, paired, entity=mine.worker_id)
            mine = replace(mine, capabilities=rules.capabilities)
            workers.update(entry, mine)
            offering.tell(entry, mine)
        return gone

    # What nodes ask and tell.

    async def start(self, held: Grant, node: str, delivery: str) -> JobSpec:
        """Commit that a delivery has begun, and no other; asked again it hears the same.

        Raises:
            Conflict: `fence_stale`.
        """
        spec = await self._ledger.write(
            lambda entry: _start(entry, held, node, delivery), is_vital=True
        )
        if spec is None:
            raise fence_stale(held.job_id)
        return spec

    async def tell(self, delivery: str, number: int, body: AttemptEventBody) -> str:
        """Take in a report, once for each number; why the job is to stop, or nothing.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `fence_stale`; an outcome is kept as a late result.
            BadInput: `result_invalid`, `event_too_large`, `event_invalid`.
        """
        if isinstance(body, QuestionAsked) and not is_uuid(body.question_id):
            raise BadInput("event_invalid", "A question is named by a UUID.", "Make one for it.")
        reported, stop = await self._ledger.write(
            lambda entry: self._tell(entry, delivery, number, body), is_vital=True
        )
        if reported is Reported.LATE:
            raise fence_stale(body.job_id)
        return stop

    def _tell(
        self, entry: Entry, delivery: str, number: int, body: AttemptEventBody
    ) -> tuple[Reported, str]:
        attempt = fleet.load(entry.connection, body.job_id)
        if attempt is None or not _is_of(attempt, body.attempt, body.fence):
            return self._tell_late(entry, body), ""
        if attempt.delivery != delivery:
            raise fence_stale(body.job_id)
        if number <= attempt.told:
            return Reported.REPEATED, _stop(attempt)
        reported = self._recorder.take_told(
            entry, attempt.worker_id, attempt.person_id, body, may_readopt=False
        )
        fleet.note_told(entry, attempt, number)
        return reported, _stop(attempt)

    def _tell_late(self, entry: Entry, body: AttemptEventBody) -> Reported:
        job = queue.load_in(entry, body.job_id)
        if job is None:
            raise job_unknown()
        stands = workers.fleets_of(entry.connection, job.person_id)
        for worker in stands:
            grant = (worker.worker_id, body.attempt, body.fence)
            if queue.was_granted(entry.connection, job.job_id, *grant):
                return self._recorder.take_told(
                    entry, worker.worker_id, job.person_id, body, may_readopt=False
                )
        raise job_unknown()

    async def standing(self, held: Grant) -> tuple[FleetAttempt, str]:
        """Look up an attempt that a node has in hand, and why it is to stop, or nothing.

        Raises:
            Conflict: `fence_stale`.
        """
        attempt = await self._ledger.read(lambda c: fleet.load(c, held.job_id))
        if attempt is None or not attempt.has_begun:
            raise fence_stale(held.job_id)
        if not _is_of(attempt, held.attempt, held.fence):
            raise fence_stale(held.job_id)
        return attempt, _stop(attempt)

    async def compare(
        self, node: str, held: tuple[Grant, ...]
    ) -> tuple[tuple[Stop, ...], tuple[FleetAttempt, ...]]:
        """Judge what a node tells to have: what it is to stop, and what it began and left out."""
        begun = await self._ledger.read(lambda c: fleet.of_node(c, node))
        of_job = {one.job_id: one for one in begun}
        stops = []
        for grant in held:
            one = of_job.get(grant.job_id)
            is_its = one is not None and _is_of(one, grant.attempt, grant.fence)
            if one is None or not is_its:
                reason = MOVED_ON
            elif not (reason := _stop(one)):
                continue
            stops.append(Stop(job_id=grant.job_id, attempt=grant.attempt, reason=reason))
        told = {(grant.job_id, grant.fence) for grant in held}
        missing = tuple(one for one in begun if (one.job_id, one.fence) not in told)
        return tuple(stops), missing

    # What the engine does about it.

    async def attempts(self) -> list[FleetAttempt]:
        """All that the fleet has in hand, the oldest first."""
        return await self._ledger.read(fleet.held)

    async def unpublished(self, limit: int) -> list[Ticket]:
        """What the broker does not have yet, the oldest first."""
        found = await self._ledger.read(lambda c: fleet.unpublished(c, limit))
        return [one.ticket for one in found]

    async def note_published(self, tickets: Sequence[Ticket]) -> None:
        """The broker has said that it has them."""
        await self._ledger.write(lambda entry: fleet.note_published(entry, tickets), is_vital=True)

    async def cancel(self, job_id: JobId) -> None:
        """Confirm a cancel at once, if no node has begun; else its node hears of it."""

        def run(entry: Entry) -> None:
            attempt = fleet.load(entry.connection, job_id)
            if attempt is not None and attempt.cancel_by and not attempt.has_begun:
                job = fleet.job_in(entry, attempt)
                endings.cancel_unheld(entry, job, core.cancelled(job.life))

        await self._ledger.write(run, is_vital=True)

    async def give_back(self, attempts: Sequence[FleetAttempt]) -> None:
        """Queue again what no node has begun: the tickets that may lie somewhere are void."""

        def run(entry: Entry) -> None:
            for then in attempts:
                attempt = fleet.load(entry.connection, then.job_id)
                if attempt is None or attempt.fence != then.fence or attempt.has_begun:
                    continue
                endings.give_back(entry, fleet.job_in(entry, attempt))

        await self._ledger.write(run, is_vital=True)

    async def lose(self, attempts: Sequence[FleetAttempt], reason: str) -> None:
        """Lose what nodes have begun and have no more; what moved on meanwhile stays."""

        def run(entry: Entry) -> None:
            for then in attempts:
                attempt = fleet.load(entry.connection, then.job_id)
                if attempt is None or attempt.delivery != then.delivery:
                    continue
                job = fleet.job_in(entry, attempt)
                endings.lose(entry, job, self._kinds, self._ledger.environment, reason=reason)

        await self._ledger.write(run, is_vital=True)

    async def sweep(self) -> None:
        """Forget what the fleet has no more."""
        await self._ledger.write(fleet.sweep, is_vital=True)

    # Looking.

    async def queues(self, rules: FleetRules, worker_ids: Sequence[WorkerId]) -> list[FleetQueue]:
        """Count what waits for the fleet and what runs there, by kind and priority."""
        clock = self._ledger.environment
        counts = {
            (kind, priority): FleetQueue(kind=kind, priority=priority)
            for kind in rules.kinds
            for priority in Priority
        }

        def count(kind: str, priority: Priority, wait_seconds: float | None) -> None:
            one = counts.get((kind, priority)) or FleetQueue(kind=kind, priority=priority)
            if wait_seconds is None:
                one = replace(one, running=one.running + 1)
            else:
                longest = max(one.oldest_wait_seconds, wait_seconds)
                one = replace(one, waiting=one.waiting + 1, oldest_wait_seconds=longest)
            counts[kind, priority] = one

        # Scalers and Prometheus ask often: no commit is to wait for them.
        for attempt in await self._ledger.look(fleet.held):
            waited = max(0.0, (clock.now() - attempt.granted_at).total_seconds())
            ticket = attempt.ticket
            count(ticket.kind, ticket.priority, None if attempt.has_begun else waited)
        looked_at = 0
        for worker_id in worker_ids:
            presence = self._board.present.get(worker_id)
            if presence is None or presence.is_paused:
                continue
            for ready in self._board.waiting_of(presence.person_id):
                looked_at += 1
                if looked_at > COUNTED_MAX:
                    break
                job = ready.job
                is_free = job.pinned_to in (None, worker_id) and worker_id not in ready.barred
                is_due = ready.place is not Place.WAITING
                if is_due and is_free and job.kind in presence.kinds and may_leave(job):
                    count(job.kind, job.priority, clock.monotonic() - ready.since)
        return list(counts.values())


def _due(connection: sqlite3.Connection, rules: FleetRules) -> bool:
    """Say whether workers differ from the owner's setting."""
    stand = {worker.person_id: worker for worker in workers.fleets(connection)}
    if not stand and not rules.kinds:
        return False
    if _users(connection, rules) != stand.keys():
        return True
    return any(mine.capabilities != rules.capabilities for mine in stand.values())


def _users(connection: sqlite3.Connection, rules: FleetRules) -> frozenset[PersonId]:
    using = {worker.person_id for worker in workers.fleets(connection)}
    return rules.users(people.everyone(connection), using)


def _start(entry: Entry, held: Grant, node: str, delivery: str) -> JobSpec | None:
    attempt = fleet.load(entry.connection, held.job_id)
    if attempt is None or not _is_of(attempt, held.attempt, held.fence):
        return None
    if attempt.has_begun:
        is_it = (attempt.delivery, attempt.node) == (delivery, node)
        return _spec(entry, held.job_id) if is_it else None
    job = fleet.job_in(entry, attempt)
    if job.life.cancel_by:
        endings.cancel_unheld(entry, job, core.cancelled(job.life))
        return None
    fleet.note_begun(entry, attempt, node, delivery)
    pulled.start(entry, job)
    return _spec(entry, held.job_id)


def _spec(entry: Entry, job_id: JobId) -> JobSpec:
    return queue.specs(entry.connection, [job_id])[job_id]


def _is_of(attempt: FleetAttempt, number: int, fence: int) -> bool:
    return (attempt.ticket.attempt, attempt.fence) == (number, fence)


def _stop(attempt: FleetAttempt) -> str:
    return f"Cancelled by {attempt.cancel_by}." if attempt.cancel_by else ""
