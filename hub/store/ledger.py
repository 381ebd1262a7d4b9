"""The hub's transactions: what changes, and the events that say so, committed as one.

A transaction is a plain function of an Entry. It may be run with others in one commit; what it
told and which jobs it changed is passed to the listeners after the commit, in the order of the
log, whether or not somebody still waits for its result.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import islice
from typing import NamedTuple, TypeVar

from hub.core.fact import HUB_DEVICE, Fact
from hub.core.job import Job
from hub.store import lineage
from hub.store.known_people import KnownPeople
from hub.store.moves import Move
from hub.store.owed import Cursor, Owed, Row
from shared import hlc
from shared.database import Database
from shared.environment import Environment
from shared.errors import DISK_FULL, AppError
from shared.events import Event, EventBody
from shared.ids import JobId, PersonId, WorkerId
from shared.jobs import JobSpec
from shared.messages import EpochBefore, Grant
from shared.times import from_ms, to_ms
from shared.turns import Turn

T = TypeVar("T")

STAMPS_READ = 1000
"""Events at the end of the log among which the highest stamp is looked for."""
RESTORED = "restored_from_ms"
KNOWN_MAX = 20_000
"""Jobs kept in memory, so that what moves on is not read back."""


class Place(NamedTuple):
    """Where the log ends: the last numbers given out."""

    hub_seq: int
    """Of the total order."""
    own_seq: int
    """Of the hub's own events."""
    stamp: int
    """The highest stamp written or received."""


class Entry:
    """One transaction, under way."""

    __slots__ = (
        "_before",
        "_gone",
        "_known",
        "_own_seq",
        "_stamp",
        "_turn",
        "epoch",
        "facts",
        "grants",
        "hub_seq",
        "jobs",
        "loaded",
        "now",
        "now_ms",
        "owed",
        "people",
        "specs",
    )

    def __init__(
        self,
        turn: Turn,
        now: datetime,
        epoch: int,
        place: Place,
        before: Owed,
        known: Mapping[JobId, Job],
        people: KnownPeople,
    ) -> None:
        self._turn = turn
        self._before = before
        """What transactions before this one have left to be written."""
        self._known = known
        """Jobs as those have left them."""
        self.people = people
        """People that were read before and have not changed since."""
        self._gone: set[JobId] = set()
        self.owed = Owed()
        """What is still to be written, but for the facts."""
        self.now = now
        self.now_ms = to_ms(now)
        self.epoch = epoch
        """Of the hub's own events."""
        self.hub_seq, self._own_seq, self._stamp = place
        self.facts: list[Fact] = []
        self.jobs: list[Job] = []
        """Jobs as they are after this transaction, for the board."""
        self.loaded: dict[JobId, Job] = {}
        """Jobs that it has loaded, made or moved on, as they stand."""
        self.specs: list[JobSpec] = []
        """What workers are told of jobs made here, so that nobody needs to read it back."""
        self.grants: list[tuple[WorkerId, Grant]] = []
        """Grants of jobs that nobody was offered; their workers are told after the commit."""

    @property
    def place(self) -> Place:
        return Place(self.hub_seq, self._own_seq, self._stamp)

    @property
    def connection(self) -> sqlite3.Connection:
        """The store, as this transaction has left it but for its facts."""
        self.settle()
        return self._turn.beside

    @property
    def beside(self) -> sqlite3.Connection:
        """The store without what is `Owed`: for reading something else, which is cheaper."""
        return self._turn.beside

    def known(self, job_id: JobId) -> Job | None:
        """Return a job as it stands, if it is known without a look into the store.

        Whatever is still to be written of jobs is known.
        """
        job = self.loaded.get(job_id)
        if job is None and job_id not in self._gone:
            job = self._known.get(job_id)
        return job

    def cursors_of(self, device: str) -> dict[int, Cursor]:
        """How far a device's log has been taken in, by epoch, as far as that is `Owed`."""
        before, own = self._before.cursors.get(device, {}), self.owed.cursors.get(device, {})
        return before | own

    def made_for(self, person_id: PersonId, dedupe: str) -> tuple[JobId, str] | None:
        """The job of a request and the digest of what it asked, as far as that is `Owed`."""
        whose = (person_id, dedupe)
        return self.owed.requests.get(whose) or self._before.requests.get(whose)

    def make(self, job: Job, row: Row) -> None:
        """Take in a new job; it is written before anything is read."""
        self.owed.jobs.append(row)
        self.loaded[job.job_id] = job
        self.jobs.append(job)

    def settle(self) -> None:
        """Write down all but the facts, for those who look beside."""
        self.owed.write(self._turn.connection)

    def move(self, move: Move) -> None:
        """Move a job on; it is written before anything is read."""
        self.owed.move(move)
        self.loaded[move.job.job_id] = move.job
        self.jobs.append(move.job)

    def forget(self, job_id: JobId) -> None:
        """Know nothing of a job: it was deleted."""
        self.loaded.pop(job_id, None)
        self._gone.add(job_id)

    def tell(self, person_id: PersonId, body: EventBody, *, entity: str = "") -> None:
        """Write an event of the hub's own. `entity` defaults to the job it is about."""
        self._own_seq += 1
        self._stamp = hlc.tick(self._stamp, self.now_ms)
        payload = body.model_dump(mode="json", exclude={"type"})
        fact = Fact(
            hub_seq=self._next(),
            person_id=person_id,
            device=HUB_DEVICE,
            epoch=self.epoch,
            seq=self._own_seq,
            at=self.now,
            type=body.type,
            version=1,
            entity=entity or str(payload.get("job_id", "")),
            payload=payload,
            hlc=self._stamp,
            hlc_clamped=self._stamp,
            of_part=self._is_part(str(payload.get("job_id", ""))),
        )
        fact.__dict__["body"] = body
        self.facts.append(fact)

    def keep(self, person_id: PersonId, event: Event, body_json: str = "") -> None:
        """Write a worker's event down as it came; a stamp from the future is clamped beside it.

        Args:
            person_id: whose worker it is.
            event: as it came.
            body_json: its body, where that has been written as JSON already.
        """
        clamped = hlc.clamp(event.hlc, self.now_ms)
        self._stamp = max(self._stamp, clamped)
        fact = Fact(
            hub_seq=self._next(),
            person_id=person_id,
            device=event.device,
            epoch=event.epoch,
            seq=event.seq,
            at=event.at,
            type=event.type,
            version=event.version,
            entity=event.entity,
            payload=event.body,
            signature=event.signature,
            hlc=event.hlc,
            hlc_clamped=clamped,
            sealed_with=event.sealed_with,
            of_part=self._is_part(str(event.body.get("job_id", ""))),
        )
        fact.__dict__["event"] = event
        if body_json:
            fact.__dict__["payload_json"] = body_json
        self.facts.append(fact)

    def end(self, owed: Owed, known: dict[JobId, Job]) -> None:
        """Leave to others what is still to be written, and what is known of jobs."""
        self.owed.facts = self.facts.copy()
        if self._turn.is_alone:
            self.owed.write(self._turn.connection)
        else:
            owed.take(self.owed)
        for job_id in self._gone:
            known.pop(job_id, None)
        known.update(self.loaded)

    def _is_part(self, job_id: str) -> bool:
        """Whether a job is known to be a part; whoever changes one has loaded it."""
        job = self.known(JobId(job_id))
        return job is not None and job.part_of is not None

    def _next(self) -> int:
        self.hub_seq += 1
        return self.hub_seq


Listener = Callable[[Entry], None]
"""Told of a committed transaction, on the loop; must not wait."""


class Ledger:
    def __init__(self, database: Database, environment: Environment) -> None:
        self.database = database
        self.environment = environment
        self._reader = database.reader()
        self.listeners: list[Listener] = []
        self.hub_epoch, self._epoch = database.submit(
            lambda connection: _epochs(connection, environment)
        ).result()
        self._place: Place | None = None
        """None: read it. Only the database thread touches it, and the next two."""
        self._owed = Owed()
        self._known: dict[JobId, Job] = {}
        """Jobs as they stand, those that are still to be written among them; one that has ended
        is let go once that is written."""
        self.people = KnownPeople(database)
        database.debts = self._write_owed
        database.rollback_listeners.append(self._forget)
        self.lineage: tuple[EpochBefore, ...] = database.submit(lineage.read).result()
        """The lives of this store before the present one, the last one first."""
        self.position = database.submit(self._read_place).result()[0]
        """The hub_seq of the last committed fact."""

    @property
    def trouble(self) -> AppError | None:
        """What is the matter with the store; None when all is well."""
        return self.database.trouble

    async def write(self, run: Callable[[Entry], T], *, is_vital: bool = False) -> T:
        """Run a transaction; returns once it is durable and the listeners know.

        A caller that is cancelled changes nothing: the transaction takes place.

        Raises:
            Unavailable: `disk_full`, `store_failed`, `store_corrupt`; nothing was written.
        """
        return await self.post(run, is_vital=is_vital)

    def post(self, run: Callable[[Entry], T], *, is_vital: bool = False) -> asyncio.Future[T]:
        """Queue a transaction; it takes place also when its future is cancelled.

        Args:
            run: the transaction.
            is_vital: even on a full disk, as far as the ballast reaches: what ends work, and what
                keeps the workers' lines up. Everything else is refused until there is room.
        """
        trouble = self.database.trouble
        if trouble is not None and trouble.code == DISK_FULL and not is_vital:
            refused: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            refused.set_exception(trouble)
            return refused
        entries: list[Entry] = []
        return self.database.post_turn(
            lambda turn: self._run(turn, run, entries), lambda: self._committed(entries)
        )

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads, in order with the writes around it."""
        return await self.database.read(run)

    async def look(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads and may take long: no write waits for it.

        It sees what was committed before it began.

        Raises:
            Unavailable: `store_unreadable`, `store_closed`.
        """
        return await self._reader.read(run)

    def _run(self, turn: Turn, run: Callable[[Entry], T], entries: list[Entry]) -> T:
        place = self._place or self._read_place(turn.connection)
        # In whole milliseconds, as the store keeps it: what is in memory equals what is read back.
        now = from_ms(to_ms(self.environment.now()))
        entry = Entry(turn, now, self._epoch, place, self._owed, self._known, self.people)
        result = run(entry)
        entry.end(self._owed, self._known)
        self._place = entry.place
        entries[:] = [entry]
        return result

    def _write_owed(self, connection: sqlite3.Connection) -> None:
        moved = self._owed.moves
        ended = [job_id for job_id, move in moved.items() if move.job.life.state.is_terminal]
        self._owed.write(connection)
        for job_id in ended:
            self._known.pop(job_id, None)
        if len(self._known) > KNOWN_MAX:
            for job_id in list(islice(self._known, len(self._known) - KNOWN_MAX)):
                del self._known[job_id]

    def _read_place(self, connection: sqlite3.Connection) -> Place:
        """Find where the log ends."""
        if self._place is None:
            last = connection.execute("SELECT max(hub_seq) FROM events").fetchone()[0]
            # Clamped stamps grow with the log, but for what a clock that jumped left behind.
            stamp = connection.execute(
                "SELECT max(hlc_clamped) FROM events WHERE hub_seq > ?",
                ((last or 0) - STAMPS_READ,),
            ).fetchone()[0]
            own = connection.execute(
                "SELECT seq FROM events WHERE device = ? AND epoch = ?"
                " ORDER BY hub_seq DESC LIMIT 1",
                (HUB_DEVICE, self._epoch),
            ).fetchone()
            self._place = Place(last or 0, own[0] if own else 0, stamp or 0)
        return self._place

    def _forget(self) -> None:
        # A commit that failed has freed its numbers again, and nothing of it has happened.
        self._place = None
        self._owed.forget()
        self._known.clear()

    def _committed(self, entries: list[Entry]) -> None:
        [entry] = entries
        self.position = max(self.position, entry.hub_seq)
        for listener in self.listeners:
            listener(entry)


def _epochs(connection: sqlite3.Connection, environment: Environment) -> tuple[str, int]:
    """Read which life of this store it is; a restored backup starts another."""
    rows = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if "hub_epoch" not in rows:
        rows = {"hub_epoch": environment.new_id(), "epoch": "1"}
        connection.executemany("INSERT INTO meta VALUES (?, ?)", list(rows.items()))
    return rows["hub_epoch"], int(rows["epoch"])


def begin_epoch(
    connection: sqlite3.Connection,
    environment: Environment,
    *,
    backup_at: datetime | None = None,
    others: tuple[EpochBefore, ...] = (),
) -> None:
    """Mark a store that was restored from a backup: its numbers may have been used already.

    Args:
        connection: of the restored store.
        environment: of the program that restores it.
        backup_at: when the backup was made; the hub asks at its next start about what may have
            run since (`hub.services.restored`). None: there is nothing to ask.
        others: lives after the backup that are given up with the store it replaces, and up to
            where they agree with it.
    """
    hub_epoch, epoch = _epochs(connection, environment)
    now = environment.now()
    last = connection.execute("SELECT coalesce(max(hub_seq), 0) FROM events").fetchone()[0]
    lineage.add(connection, (EpochBefore(hub_epoch=hub_epoch, upto=last), *others), now)
    values = [
        ("hub_epoch", environment.new_id()),
        # By the clock, for the number after this one may have been used after the same backup.
        ("epoch", str(max(epoch + 1, to_ms(now)))),
    ]
    if backup_at is not None:
        values.append((RESTORED, str(to_ms(backup_at))))
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)


def restored_from(connection: sqlite3.Connection) -> datetime | None:
    """When the backup was made that this store was restored from, until that is dealt with."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (RESTORED,)).fetchone()
    return from_ms(int(row[0])) if row else None


def forget_restored(entry: Entry) -> None:
    """What may have run since the backup was asked about."""
    entry.connection.execute("DELETE FROM meta WHERE name = ?", (RESTORED,))
