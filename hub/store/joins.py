"""Requests to come in: computers and chat accounts that wait for a person's word."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from pydantic import TypeAdapter

from hub.core.joining import DENIED_LIFE, JoinRequest
from hub.store.ledger import Entry
from shared.capabilities import Capability
from shared.ids import ConversationId, PersonId, WorkerId
from shared.pairing import JoinKind, JoinState
from shared.times import from_ms, to_ms

_CAPABILITIES: TypeAdapter[tuple[Capability, ...]] = TypeAdapter(tuple[Capability, ...])
_COLUMNS = (
    "join_id, kind, person_id, state, name, platform, app_version, capabilities, public_key, salt,"
    " frontend, external_id, conversation, asked_ms, expires_ms, decided_by, worker_id"
)
_SELECT = f"SELECT {_COLUMNS} FROM joins"


def add_joining(connection: sqlite3.Connection) -> None:
    """Make the table of requests; codes get a purpose, workers a key, accounts a chat."""
    for statement in _SCHEMA:
        connection.execute(statement)


_SCHEMA = (
    """CREATE TABLE joins (
        join_id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        person_id TEXT,
        state TEXT NOT NULL,
        name TEXT NOT NULL,
        platform TEXT NOT NULL,
        app_version TEXT NOT NULL,
        capabilities TEXT NOT NULL,
        public_key BLOB NOT NULL,
        salt BLOB NOT NULL,
        frontend TEXT NOT NULL,
        external_id TEXT NOT NULL,
        conversation TEXT NOT NULL,
        asked_ms INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        decided_by TEXT NOT NULL,
        worker_id TEXT,
        user_code TEXT,
        address TEXT NOT NULL DEFAULT '',
        ended_ms INTEGER
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX joins_waiting ON joins (expires_ms) WHERE state = 'waiting'",
    "CREATE INDEX joins_by_worker ON joins (worker_id) WHERE state = 'approved'",
    "ALTER TABLE invitations ADD COLUMN purpose TEXT NOT NULL DEFAULT 'worker'",
    "ALTER TABLE invitations ADD COLUMN is_approved INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE workers ADD COLUMN public_key BLOB NOT NULL DEFAULT x''",
    "CREATE INDEX workers_by_key ON workers (public_key) WHERE public_key != x''",
    "ALTER TABLE identities ADD COLUMN conversation TEXT NOT NULL DEFAULT ''",
)


def insert(
    entry: Entry, request: JoinRequest, *, user_code: str | None = None, address: str = ""
) -> None:
    """Write a request down.

    Args:
        entry: the transaction.
        request: what came in.
        user_code: the digest of the code a computer shows.
        address: whom to count a computer for that belongs to nobody yet.
    """
    drop_old(entry)
    values = (
        request.join_id,
        request.kind,
        request.person_id,
        request.state,
        request.name,
        request.platform,
        request.app_version,
        _CAPABILITIES.dump_json(request.capabilities).decode(),
        request.public_key,
        request.salt,
        request.frontend,
        request.external_id,
        request.conversation or "",
        to_ms(request.asked_at),
        to_ms(request.expires_at),
        request.decided_by,
        request.worker_id,
    )
    marks = ", ".join("?" * (len(values) + 2))
    entry.connection.execute(
        f"INSERT INTO joins ({_COLUMNS}, user_code, address) VALUES ({marks})",
        (*values, user_code, address),
    )


def save(entry: Entry, request: JoinRequest) -> None:
    """Write down what became of a request."""
    ended_ms = None if request.state is JoinState.WAITING else entry.now_ms
    entry.connection.execute(
        "UPDATE joins SET person_id = ?, state = ?, expires_ms = ?, decided_by = ?, worker_id = ?,"
        " ended_ms = ? WHERE join_id = ?",
        (
            request.person_id,
            request.state,
            to_ms(request.expires_at),
            request.decided_by,
            request.worker_id,
            ended_ms,
            request.join_id,
        ),
    )


def load(connection: sqlite3.Connection, join_id: str) -> JoinRequest | None:
    row = connection.execute(f"{_SELECT} WHERE join_id = ?", (join_id,)).fetchone()
    return _to_request(row) if row else None


def of_person(connection: sqlite3.Connection, person_id: PersonId | None) -> list[JoinRequest]:
    """A person's requests of the last day, the newest last; everybody's when None."""
    rows = connection.execute(
        f"{_SELECT} WHERE person_id IS NOT NULL AND (? IS NULL OR person_id = ?) ORDER BY join_id",
        (person_id, person_id),
    )
    return [_to_request(row) for row in rows]


def computers_coming(entry: Entry, person_id: PersonId) -> list[JoinRequest]:
    """A person's computers that wait to be let in, or were and have no token yet."""
    rows = entry.connection.execute(
        f"{_SELECT} WHERE person_id = ? AND kind = ? AND worker_id IS NULL"
        " AND state IN ('waiting', 'approved')",
        (person_id, JoinKind.WORKER),
    )
    return [_to_request(row) for row in rows]


def of_user_code(connection: sqlite3.Connection, digest: str, now: datetime) -> JoinRequest | None:
    """The computer that shows a code and belongs to nobody yet."""
    row = connection.execute(
        f"{_SELECT} WHERE state = 'waiting' AND person_id IS NULL AND user_code = ?"
        " AND expires_ms > ?",
        (digest, to_ms(now)),
    ).fetchone()
    return _to_request(row) if row else None


def run_out(connection: sqlite3.Connection, now: datetime) -> list[JoinRequest]:
    """Those that waited too long."""
    rows = connection.execute(
        f"{_SELECT} WHERE state = 'waiting' AND expires_ms <= ?", (to_ms(now),)
    )
    return [_to_request(row) for row in rows]


def stray_count(entry: Entry, address: str) -> tuple[int, int]:
    """Computers that wait for their person: from an address, and in all."""
    mine, total = entry.connection.execute(
        "SELECT coalesce(sum(address = ?), 0), count(*) FROM joins"
        " WHERE state = 'waiting' AND person_id IS NULL AND expires_ms > ?",
        (address, entry.now_ms),
    ).fetchone()
    return int(mine), int(total)


def accounts_waiting(entry: Entry) -> int:
    """Chat accounts that wait for the owner's word."""
    row = entry.connection.execute(
        "SELECT count(*) FROM joins WHERE state = 'waiting' AND kind = ? AND expires_ms > ?",
        (JoinKind.ACCOUNT, entry.now_ms),
    ).fetchone()
    return int(row[0])


def last_of_account(entry: Entry, frontend: str, external_id: str) -> JoinRequest | None:
    """The newest request of a chat account."""
    row = entry.connection.execute(
        f"{_SELECT} WHERE kind = ? AND frontend = ? AND external_id = ?"
        " ORDER BY join_id DESC LIMIT 1",
        (JoinKind.ACCOUNT, frontend, external_id),
    ).fetchone()
    return _to_request(row) if row else None


def any_waiting(entry: Entry) -> bool:
    found = entry.connection.execute("SELECT 1 FROM joins WHERE state = 'waiting' LIMIT 1")
    return found.fetchone() is not None


def note_joined(entry: Entry, worker_id: WorkerId) -> None:
    """A worker came with its token: nobody can fetch another one for that pairing."""
    entry.connection.execute(
        "UPDATE joins SET state = 'joined' WHERE worker_id = ? AND state = 'approved'",
        (worker_id,),
    )


def drop_old(entry: Entry) -> None:
    """Forget requests that ended a day ago: a no is not final for longer.

    What belonged to nobody is forgotten at once: anybody may leave some, and a disk is finite.
    """
    entry.connection.execute(
        "DELETE FROM joins WHERE coalesce(ended_ms, expires_ms) < ?"
        " OR (person_id IS NULL AND expires_ms <= ?)",
        (to_ms(entry.now - DENIED_LIFE), entry.now_ms),
    )


def _to_request(row: tuple[object, ...]) -> JoinRequest:
    (
        join_id, kind, person_id, state, name, platform, version, able, public_key, salt,
        frontend, external_id, conversation, asked, expires, decided_by, worker_id,
    ) = row  # fmt: skip
    assert isinstance(public_key, bytes)
    assert isinstance(salt, bytes)
    assert isinstance(asked, int)
    assert isinstance(expires, int)
    return JoinRequest(
        join_id=str(join_id),
        kind=JoinKind(str(kind)),
        person_id=PersonId(str(person_id)) if person_id else None,
        state=JoinState(str(state)),
        name=str(name),
        platform=str(platform),
        app_version=str(version),
        capabilities=_CAPABILITIES.validate_json(str(able)),
        public_key=public_key,
        salt=salt,
        frontend=str(frontend),
        external_id=str(external_id),
        conversation=ConversationId(str(conversation)) if conversation else None,
        asked_at=from_ms(asked),
        expires_at=from_ms(expires),
        decided_by=str(decided_by),
        worker_id=WorkerId(str(worker_id)) if worker_id else None,
    )
