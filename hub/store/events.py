"""The log of events in the hub's total order, and how far each worker's own log was taken in."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from typing import NamedTuple

from hub.core.fact import Fact
from hub.store.ledger import Entry
from hub.store.owed import Cursor
from shared import hlc
from shared.errors import ErrorBody
from shared.events import Event
from shared.ids import JobId, PersonId
from shared.times import to_ms

COLUMNS = (
    "hub_seq, person_id, device, epoch, seq, at, type, version, entity, body, signature,"
    " hlc, hlc_clamped, sealed_with, is_of_part"
)
"""As `to_fact` takes them."""
_SELECT = f"SELECT {COLUMNS} FROM events"


def after(connection: sqlite3.Connection, hub_seq: int, limit: int) -> list[Fact]:
    """Read on, everybody's."""
    rows = connection.execute(
        f"{_SELECT} WHERE hub_seq > ? ORDER BY hub_seq LIMIT ?", (hub_seq, limit)
    )
    return [to_fact(row) for row in rows]


def of_person_after(
    connection: sqlite3.Connection, person_id: PersonId, hub_seq: int, limit: int
) -> list[Fact]:
    rows = connection.execute(
        f"{_SELECT} WHERE person_id = ? AND hub_seq > ? ORDER BY hub_seq LIMIT ?",
        (person_id, hub_seq, limit),
    )
    return [to_fact(row) for row in rows]


def of_entity(
    connection: sqlite3.Connection, person_id: PersonId, entity: str, limit: int
) -> list[Fact]:
    """What happened to one thing of a person, in hub order."""
    rows = connection.execute(
        f"{_SELECT} INDEXED BY idx_events_entity WHERE entity = ? AND person_id = ?"
        " ORDER BY hub_seq LIMIT ?",
        (entity, person_id, limit),
    )
    return [to_fact(row) for row in rows]


def of_entities(
    connection: sqlite3.Connection, condition: str, values: tuple[str | int | None, ...]
) -> list[Fact]:
    """Events of a few things, by a condition of the caller's own with its order and its limit."""
    # Left to itself, SQLite reads all events of the person to save the sorting of a few.
    rows = connection.execute(f"{_SELECT} INDEXED BY idx_events_entity WHERE {condition}", values)
    return [to_fact(row) for row in rows]


def newest_of(
    connection: sqlite3.Connection, person_id: PersonId, entity: str, type_: str
) -> Fact | None:
    """The last thing of a sort that happened to one thing of a person."""
    row = connection.execute(
        f"{_SELECT} INDEXED BY idx_events_entity WHERE entity = ? AND person_id = ? AND type = ?"
        " ORDER BY hub_seq DESC LIMIT 1",
        (entity, person_id, type_),
    ).fetchone()
    return to_fact(row) if row else None


def count_of(connection: sqlite3.Connection, entity: str, type_: str) -> int:
    """How often something of a sort happened to one thing."""
    (count,) = connection.execute(
        "SELECT count(*) FROM events WHERE entity = ? AND type = ?", (entity, type_)
    ).fetchone()
    return int(count)


def steps_of(
    connection: sqlite3.Connection, person_id: PersonId, job_id: JobId, limit: int
) -> list[Fact]:
    """What happened to a job but for the lines it logged, in hub order; the last ones of many."""
    rows = connection.execute(
        f"{_SELECT} INDEXED BY idx_events_entity WHERE entity = ? AND person_id = ?"
        " AND type <> 'job_logged' ORDER BY hub_seq DESC LIMIT ?",
        (job_id, person_id, limit),
    )
    return [to_fact(row) for row in rows][::-1]


class Acked(NamedTuple):
    """How far a device's log of an epoch has been taken in."""

    seq: int = 0
    """0 when not at all."""
    digest: str = ""
    """Of the event with that number; empty when none was kept."""


def acked(connection: sqlite3.Connection, device: str, epoch: int) -> Acked:
    row = connection.execute(
        "SELECT seq, digest FROM cursors WHERE device = ? AND epoch = ?", (device, epoch)
    ).fetchone()
    return Acked(*row) if row else Acked()


def cursor(connection: sqlite3.Connection, device: str, epoch: int) -> int:
    """How far a device's log of an epoch has been taken in; 0 when not at all."""
    return acked(connection, device, epoch).seq


def move_cursor(entry: Entry, last: Event) -> None:
    """A device's log is taken in up to this event, also when that was refused."""
    entry.owed.note(Cursor(last.device, last.epoch, last.seq, last.digest, _stamp(last)))


def taken_in(entry: Entry, device: str, epoch: int) -> tuple[int, int]:
    """Return how far a device's log of an epoch has been taken in, and the stamp before it.

    The stamp is the highest of the device's earlier epochs; -1 when it had none.
    """
    rows = entry.beside.execute(
        "SELECT epoch, seq, stamp FROM cursors WHERE device = ? AND epoch <= ?", (device, epoch)
    )
    known = {row_epoch: (seq, stamp) for row_epoch, seq, stamp in rows}
    for cursor in entry.cursors_of(device).values():
        stamp = max(cursor.stamp, known.get(cursor.epoch, (0, 0))[1])
        known[cursor.epoch] = (cursor.seq, stamp)
    earlier = [stamp for one, (_, stamp) in known.items() if one < epoch]
    return known.get(epoch, (0, 0))[0], max(earlier, default=-1)


def is_told_again(connection: sqlite3.Connection, event: Event, last_stamp: int) -> bool:
    """Say whether a device tells under a new number what it told in an earlier epoch.

    A store that was copied, or restored from an older copy, cannot know which of its events got
    across: it tells them all again in its next epoch. Only their numbers differ.

    Args:
        connection: of the store.
        event: as it came.
        last_stamp: of the earlier epochs; what is stamped later cannot have been told in them.
    """
    if _stamp(event) > last_stamp:
        return False
    rows = connection.execute(
        "SELECT body FROM events WHERE entity = ? AND device = ? AND epoch < ? AND type = ?"
        " AND at = ? AND hlc = ?",
        (
            event.entity,
            event.device,
            event.epoch,
            event.type,
            event.at.isoformat(),
            event.hlc,
        ),
    )
    return any(json.loads(body) == event.body for (body,) in rows)


def _stamp(event: Event) -> int:
    """Place an event in time, also one of a writer that makes no stamps; 0 when it has no zone."""
    if event.hlc or event.at.tzinfo is None:
        return event.hlc
    return hlc.first_of(to_ms(event.at))


def add_digests(connection: sqlite3.Connection) -> None:
    """What was taken in last of a device's log is known by its digest and its stamp."""
    connection.execute("ALTER TABLE cursors ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE cursors ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0")


def add_stamps(connection: sqlite3.Connection) -> None:
    """Events have stamps, and may be sealed."""
    for column in ("hlc INTEGER", "hlc_clamped INTEGER", "sealed_with TEXT"):
        name, kind = column.split()
        default = "0" if kind == "INTEGER" else "''"
        connection.execute(
            f"ALTER TABLE events ADD COLUMN {name} {kind} NOT NULL DEFAULT {default}"
        )


def to_fact(row: tuple[object, ...]) -> Fact:
    hub_seq, person_id, device, epoch, seq, at, type_, version, entity, body, signature = row[:11]
    stamp, hlc_clamped, sealed_with, is_of_part = row[11:]
    assert isinstance(hub_seq, int)
    assert isinstance(epoch, int)
    assert isinstance(seq, int)
    assert isinstance(version, int)
    assert isinstance(stamp, int)
    assert isinstance(hlc_clamped, int)
    return Fact(
        hub_seq=hub_seq,
        person_id=PersonId(str(person_id)),
        device=str(device),
        epoch=epoch,
        seq=seq,
        at=datetime.fromisoformat(str(at)),
        type=str(type_),
        version=version,
        entity=str(entity),
        payload=json.loads(str(body)),
        signature=str(signature or ""),
        hlc=stamp,
        hlc_clamped=hlc_clamped,
        sealed_with=str(sealed_with),
        of_part=bool(is_of_part),
    )


def died_before_requeue(connection: sqlite3.Connection, job_id: JobId) -> ErrorBody | None:
    """Why a job died that was then queued again by a person, if nothing has happened since."""
    rows = connection.execute(
        "SELECT type, body FROM events WHERE entity = ? AND type IN ('job_died', 'job_queued',"
        " 'job_granted', 'job_cancelled') ORDER BY hub_seq DESC LIMIT 2",
        (job_id,),
    ).fetchall()
    if [type_ for type_, _ in rows] != ["job_queued", "job_died"]:
        return None
    queued, died = (json.loads(body) for _, body in rows)
    if queued.get("reason") != "requeued":
        return None
    return ErrorBody.model_validate(died["error"])


def has_outcome(connection: sqlite3.Connection, job_id: JobId, fence: int) -> bool:
    """Say whether the end of a job's attempt has been taken in, as told by its worker."""
    row = connection.execute(
        "SELECT 1 FROM events WHERE entity = ? AND type IN ('job_succeeded', 'job_failed',"
        " 'job_cancelled', 'job_interrupted', 'job_parked') AND json_extract(body, '$.fence') = ?"
        " LIMIT 1",
        (job_id, fence),
    ).fetchone()
    return row is not None
