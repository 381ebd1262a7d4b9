"""Knows people and their workers: who speaks, which machines they have, which are here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from hub.core.access import Account, Person, Role
from hub.core.board import Board
from hub.core.fleet_rules import fleet_stays
from hub.core.session import EndReason
from hub.core.view import Sender
from hub.core.worker import GONE_SECONDS, Presence, Worker
from hub.services import locked, offering, session_steps
from hub.store import joins, keys, people, said, workers
from hub.store.ledger import Entry, Ledger
from shared.capabilities import Lacking
from shared.errors import AppError, BadInput, Conflict, NotFound
from shared.events import PersonLocked, PersonUnlocked, RoleChanged, WorkerRevoked
from shared.ids import PersonId, WorkerId
from shared.messages import Beat, Hello
from shared.plain_text import plain_line

log = structlog.get_logger()

PERSON_NAME_CHARS_MAX = 100
SEEN_SECONDS = 60.0
"""How often the last sight of workers is written down; a beat itself writes nothing."""


class Registry:
    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board
        self._seen: dict[WorkerId, datetime] = {}
        self.revocation_listeners: list[Callable[[WorkerId], None]] = []
        """Told of a worker that was shown out, so that its connection ends; must not wait."""
        self.presence_listeners: list[Callable[[PersonId], None]] = []
        """Told whose worker came, went, or takes more or less than before; must not wait."""

    # People.

    async def person_of(self, sender: Sender) -> Person | None:
        """The person behind an account of a frontend; None when the hub does not know it."""
        return await self._ledger.read(
            lambda c: people.of_identity(c, sender.frontend, sender.external_id)
        )

    async def person(self, person_id: PersonId) -> Person:
        """Find a person.

        Raises:
            NotFound: `person_unknown`.
        """
        known = self._ledger.people
        person = known.get(person_id) or await self._ledger.read(
            lambda c: people.look(c, person_id, known)
        )
        if person is None:
            raise NotFound("person_unknown", "This hub does not know that person.")
        return person

    async def people(self) -> tuple[Person, ...]:
        return tuple(await self._ledger.read(people.everyone))

    async def add_person(self, name: str, role: Role = Role.MEMBER) -> Person:
        """Make a person; the first one is an owner whatever is said.

        Raises:
            BadInput: `person_name_invalid`.
        """
        environment = self._ledger.environment
        person = Person(
            person_id=PersonId(environment.new_id()),
            name=person_name(name),
            created_at=environment.now(),
            role=role,
        )

        def run(entry: Entry) -> Person:
            # Whoever is here first runs the hub.
            is_first = not people.has_any(entry.connection)
            made = replace(person, role=Role.OWNER) if is_first else person
            people.insert(entry, made)
            return made

        return await self._ledger.write(run)

    async def rename(self, person_id: PersonId, name: str) -> str:
        """Call a person otherwise from now on; what was written down keeps the old name.

        Returns:
            The name as it is kept.

        Raises:
            BadInput: `person_name_invalid`.
        """
        cleaned_name = person_name(name)

        def run(entry: Entry) -> None:
            people.rename(entry, person_id, cleaned_name)

        await self._ledger.write(run)
        return cleaned_name

    async def set_role(self, person_id: PersonId, role: Role, by: str) -> None:
        """Let a person run the hub, or do so no more. Idempotent.

        Raises:
            NotFound: `person_unknown`.
            Conflict: `last_owner`.
        """

        def run(entry: Entry) -> None:
            person = people.load(entry.connection, person_id)
            if person is None:
                raise NotFound("person_unknown", "This hub does not know that person.")
            if person.role is role:
                return
            if role is Role.MEMBER and people.owners(entry.connection) == [person_id]:
                raise Conflict(
                    "last_owner",
                    f"{person.name} is the only owner of this hub.",
                    "Make somebody else an owner first.",
                )
            people.set_role(entry, person_id, role)
            body = RoleChanged(person_id=person_id, role=role, by=by)
            entry.tell(person_id, body, entity=person_id)

        await self._ledger.write(run)

    async def accounts(self, person_id: PersonId) -> tuple[Account, ...]:
        """The chat accounts that speak for a person."""
        return tuple(await self._ledger.read(lambda c: people.accounts(c, person_id)))

    async def link(self, person_id: PersonId, sender: Sender) -> None:
        """Let an account speak for a person. Idempotent.

        Raises:
            Conflict: `identity_taken`, it speaks for somebody else.
        """

        def run(entry: Entry) -> None:
            known = people.of_identity(entry.connection, sender.frontend, sender.external_id)
            if known is not None and known.person_id != person_id:
                raise Conflict(
                    "identity_taken",
                    f"This {sender.frontend} account speaks for {known.name} already.",
                )
            people.link(entry, person_id, sender.frontend, sender.external_id, sender.name[:100])

        await self._ledger.write(run)

    async def lock(self, person_id: PersonId, by: str) -> None:
        """Let chats start nothing for a person any more, and no computer in. Idempotent."""

        def run(entry: Entry) -> None:
            person = people.load(entry.connection, person_id)
            if person is not None and person.locked_at is None:
                people.set_locked(entry, person_id, entry.now)
                entry.tell(person_id, PersonLocked(person_id=person_id, by=by), entity=person_id)
                locked.shut_door(entry, person_id, by)

        await self._ledger.write(run, is_vital=True)

    async def unlock(self, person_id: PersonId, by: str) -> Person:
        """Let chats start things for a person again. Idempotent.

        Raises:
            NotFound: `person_unknown`.
        """

        def run(entry: Entry) -> None:
            person = people.load(entry.connection, person_id)
            if person is not None and person.locked_at is not None:
                people.set_locked(entry, person_id, None)
                entry.tell(person_id, PersonUnlocked(person_id=person_id, by=by), entity=person_id)

        await self._ledger.write(run)
        return await self.person(person_id)

    # Workers, by people.

    async def pause(self, person_id: PersonId, worker_id: WorkerId, *, is_paused: bool) -> None:
        """Send a worker nothing new, or do so again. Idempotent.

        Raises:
            NotFound: `worker_unknown`.
        """

        def run(entry: Entry) -> None:
            worker = _of_person(entry, person_id, worker_id)
            workers.update(entry, replace(worker, is_paused=is_paused))

        await self._ledger.write(run)
        if (presence := self._board.present.get(worker_id)) is not None:
            presence.is_paused = is_paused
            self._board.stir(person_id)
        self._tell_presence(person_id)

    async def revoke(self, person_id: PersonId, worker_id: WorkerId, by: str) -> None:
        """Show a worker out: its token is dead, its connection ends, its jobs go elsewhere or ask.

        Args:
            person_id: whose it is.
            worker_id: which.
            by: who says so, in words that are kept: "anna on Telegram".

        Raises:
            NotFound: `worker_unknown`.
            Conflict: `fleet_stays`.
        """

        def run(entry: Entry) -> None:
            worker = _of_person(entry, person_id, worker_id)
            if worker.is_fleet:
                raise fleet_stays(worker.name)
            workers.update(entry, replace(worker, is_revoked=True))
            keys.remove_of_worker(entry, worker_id)
            body = WorkerRevoked(worker_id=worker_id, name=worker.name, by=by)
            entry.tell(person_id, body, entity=worker_id)
            session_steps.end_of_worker(entry, worker_id, EndReason.WORKER_REVOKED, by, is_all=True)

        await self._ledger.write(run, is_vital=True)
        for listener in self.revocation_listeners:
            listener(worker_id)
        self._board.depart(worker_id, self._ledger.environment.monotonic())

    # Workers, by themselves.

    async def introduce(self, worker_id: WorkerId, hello: Hello) -> Worker:
        """Note what a worker tells of itself.

        Raises:
            NotFound: `worker_unknown`, also when it was revoked.
        """

        def run(entry: Entry) -> Worker:
            worker = workers.load(entry.connection, worker_id)
            if worker is None or worker.is_revoked:
                raise worker_unknown()
            told = replace(
                worker,
                platform=plain_line(hello.platform).strip(),
                app_version=plain_line(hello.app_version).strip(),
                capabilities=hello.capabilities,
                last_seen_at=entry.now,
            )
            workers.update(entry, told)
            said.note(entry.connection, worker_id, cleaned(hello.lacking), hello.zone)
            joins.note_joined(entry, worker_id)
            offering.tell(entry, told)
            return told

        return await self._ledger.write(run, is_vital=True)

    def arrive(self, worker: Worker, hello: Hello) -> None:
        """A worker is here and reconciled: it may be offered work."""
        self._board.arrive(
            Presence(
                worker_id=worker.worker_id,
                person_id=worker.person_id,
                name=worker.name,
                capabilities=hello.capabilities,
                slots=hello.slots,
                is_paused=worker.is_paused,
                last_seen_at=self._ledger.environment.now(),
            )
        )
        self._tell_presence(worker.person_id)

    def arrive_pulling(self, worker: Worker) -> None:
        """A worker that fetches its work has called: it is here until it is silent for long."""
        self._come(worker, claims=[])

    def arrive_fleet(self, worker: Worker) -> None:
        """The fleet can be reached for a person: it is offered what their own have no room for."""
        self._come(worker, claims=None)

    def _come(self, worker: Worker, claims: list[frozenset[str]] | None) -> None:
        self._board.arrive(
            Presence(
                worker_id=worker.worker_id,
                person_id=worker.person_id,
                name=worker.name,
                capabilities=worker.capabilities,
                slots=worker.pull_slots,
                is_paused=worker.is_paused,
                last_seen_at=self._ledger.environment.now(),
                claims=claims,
                is_fleet=worker.is_fleet,
            )
        )
        self._tell_presence(worker.person_id)

    def depart_fleet(self, worker_id: WorkerId) -> None:
        """The broker is away: nothing new is handed over, and nothing is lost by this alone."""
        presence = self._board.present.get(worker_id)
        self._board.depart(worker_id, math.inf)
        if presence is not None:
            self._tell_presence(presence.person_id)

    def beat(self, worker_id: WorkerId, beat: Beat) -> None:
        """Note that a worker is here, and how it is. Nothing is written."""
        presence = self._board.present.get(worker_id)
        if presence is None:
            return
        presence.last_seen_at = self._seen[worker_id] = self._ledger.environment.now()
        if beat.metrics is not None:
            presence.metrics = beat.metrics
        if beat.slots is not None and beat.slots != presence.slots:
            presence.slots = beat.slots
            self._board.stir(presence.person_id)
            self._tell_presence(presence.person_id)

    def depart(self, worker_id: WorkerId, *, was_silent: bool, was_stopped: bool = False) -> None:
        """A worker's connection has ended.

        Args:
            worker_id: whose.
            was_silent: nothing came for so long that waiting longer is of no use.
            was_stopped: it said goodbye.
        """
        environment = self._ledger.environment
        presence = self._board.present.get(worker_id)
        wait_seconds = 0.0 if was_silent else GONE_SECONDS
        self._board.depart(worker_id, environment.monotonic() + wait_seconds)
        if was_stopped:
            self._board.stopped.add(worker_id)
        self._seen.setdefault(worker_id, environment.now())
        if presence is not None:
            self._tell_presence(presence.person_id)

    def _tell_presence(self, person_id: PersonId) -> None:
        for listener in self.presence_listeners:
            listener(person_id)

    async def run(self) -> None:
        """Write down now and then when workers were last seen."""
        while True:
            await asyncio.sleep(SEEN_SECONDS)
            try:
                await self.write_seen()
            except AppError as error:
                log.warning("seen_unwritten", code=error.code, error=str(error))

    async def write_seen(self) -> None:
        """Write down when workers were last seen."""
        if self._seen:
            seen, self._seen = self._seen, {}
            await self._ledger.write(lambda entry: workers.note_seen(entry, seen.items()))


def person_name(name: str) -> str:
    """Make a name one line.

    Raises:
        BadInput: `person_name_invalid`.
    """
    name = " ".join(plain_line(name).split())
    if not 0 < len(name) <= PERSON_NAME_CHARS_MAX:
        raise BadInput(
            "person_name_invalid",
            f"A name has 1 to {PERSON_NAME_CHARS_MAX} characters, this one {len(name)}.",
        )
    return name


def cleaned(lacking: tuple[Lacking, ...]) -> tuple[Lacking, ...]:
    """Make a worker's commands one harmless line each: people read them in a chat."""
    return tuple(
        lack.model_copy(update={"command": plain_line(lack.command).strip()}) for lack in lacking
    )


def worker_unknown() -> NotFound:
    return NotFound(
        "worker_unknown",
        "This hub does not know that computer.",
        "Pair it: /connect gives a code.",
    )


def _of_person(entry: Entry, person_id: PersonId, worker_id: WorkerId) -> Worker:
    worker = workers.load(entry.connection, worker_id)
    if worker is None or worker.is_revoked or worker.person_id != person_id:
        raise worker_unknown()
    return worker
