"""Every event this machine knows, its own and what the hub told, each of them once.

The copy (`desktop.store.copies`) is made of this table alone, and the outbox is the part of it
that this machine wrote. An event is known by (device, epoch, seq); `step_id` is its place in the
order in which events came here, which lists and marks go by. Below zero it waits: the hub has it
and is telling its log again, and it comes to its place when it is told.

The order that counts is the hub's (`hub_seq`); what the hub has not numbered comes after that, by
stamp, device and number (`ORDER`), so that all machines make the same of the same events.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from shared.events import Event, body_of, digest_of
from shared.times import to_ms

ORDER = "hub_seq is null, hub_seq, hlc, device, epoch, seq"
IS_STEP = "type != 'job_logged'"
"""Of the events of a job those that are no lines of its log."""
IS_SHOWN = f"{IS_STEP} and step_id > 0 and doubt = ''"
"""Of the events of a job those that its timeline shows."""
_COUNTS = (
    "(is_lost = 0 or job_id = '' or type in ('job_queued', 'job_granted') and not exists (select 1"
    " from event other where other.job_id = event.job_id and other.device = 'hub'"
    " and other.is_lost = 0))"
)
"""What a restored hub has forgotten counts only where it says nothing else; it is shown still."""
_COLUMNS = (
    "step_id, device, epoch, seq, hub_seq, hlc, stamp, at, at_ms, type, version, entity, body,"
    " sealed_with, signature, digest, job_id, is_newer, doubt, is_of_part"
)
_INSERT = f"insert into event ({_COLUMNS}) values ({', '.join('?' * 20)})"
Row = tuple[int | str | None, ...]
"""An event as it is written, by `_COLUMNS`."""
_DEVICE = "cast(? as text)"
"""A bare value would have a query planned anew each time: there are indexes of one device alone."""
_EVENT = "device, epoch, seq, at, stamp, type, version, entity, body, sealed_with, signature"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of an event that was to be kept."""

    is_new: bool
    """It was not in the copy before."""
    step_id: int
    job_id: str
    """The job it is about, as far as this program can read it."""
    is_told_anew: bool = False
    """Another machine's, known without a number: the hub had forgotten it, and has it again."""


class Turn(Enum):
    """Where an event stands among those of its job."""

    ONLY = auto()
    NEXT = auto()
    """It follows all others."""
    BEFORE = auto()
    """Others follow it, or it is not shown."""


class Found(NamedTuple):
    """What is kept already under an event's number."""

    step_id: int
    job_id: str
    doubt: str
    is_forgotten: int
    """Another machine's, known without a number."""


def create(connection: sqlite3.Connection) -> None:
    """Make the table of what the outbox held: one step of the worker's migrations.

    The hub tells the rest again, and the copy is made of both.
    """
    for statement in (
        "create table event (step_id integer primary key, device text not null,"
        " epoch integer not null, seq integer not null, hub_seq integer,"
        # The stamp that all machines go by, and the one its writer gave it.
        " hlc integer not null, stamp integer not null,"
        " at text not null, at_ms integer not null, type text not null, version integer not null,"
        " entity text not null, body text not null, sealed_with text not null,"
        " signature text not null, digest text not null,"
        # Empty, too, while this program cannot read what it says.
        " job_id text not null, is_newer integer not null,"
        # Why it is not believed; empty for what is.
        " doubt text not null default '', unique (device, epoch, seq)) strict",
        "create index event_hub on event (hub_seq)",
        f"create index event_job on event (job_id, step_id) where {IS_STEP}",
        "create index event_newer on event (type) where is_newer = 1",
    ):
        connection.execute(statement)
    connection.execute("alter table copy_task add column is_told integer not null default 0")
    connection.execute("create index copy_job_replaces on copy_job (replaces) where replaces != ''")
    connection.execute(
        "create index copy_job_replaced on copy_job (replaced_by) where replaced_by != ''"
    )
    _take_over_outbox(connection)
    connection.execute("drop table outbox")
    connection.execute("drop table copy_step")
    connection.execute("update fact set value = '0' where name = 'hub_seq'")


def index_sessions(connection: sqlite3.Connection) -> None:
    """Find the end of a session by its id: one step of the worker's migrations."""
    connection.execute("create index event_session on event (entity) where type = 'session_ended'")


def is_session_over(connection: sqlite3.Connection, session_id: str) -> bool:
    """Say whether the hub has told that a session is over."""
    row = connection.execute(
        "select 1 from event indexed by event_session where type = 'session_ended'"
        " and entity = ? and device = 'hub' limit 1",
        (session_id,),
    ).fetchone()
    return row is not None


def _take_over_outbox(connection: sqlite3.Connection) -> None:
    told = dict(connection.execute("select name, value from fact").fetchall())
    epoch, device = told.get("epoch", "0"), told.get("worker_id", "")
    acked = int(told.get(f"acked.{epoch}", "0"))
    rows = connection.execute("select event from outbox where epoch = ? order by seq", (epoch,))
    for (text,) in rows.fetchall():
        event = Event.model_validate_json(text)
        if event.device != device:
            continue
        kept = add(connection, event)
        if event.seq <= acked:
            _place(connection, kept.step_id, _lowest(connection) - 1)


def add(
    connection: sqlite3.Connection,
    event: Event,
    *,
    hub_seq: int | None = None,
    hlc: int | None = None,
    doubt: str = "",
) -> Kept:
    """Keep an event; one that is known already is given its number, and comes to its place.

    Args:
        connection: inside the transaction that the event came by.
        event: as it was written.
        hub_seq: its place in the hub's order; None before the hub has told it.
        hlc: the stamp that all machines go by; None for the writer's own.
        doubt: why it is kept and not shown; see `desktop.store.peers`.
    """
    found = find(connection, event)
    return keep(connection, event, found, hub_seq=hub_seq, hlc=hlc, doubt=doubt)


def find(connection: sqlite3.Connection, event: Event) -> Found | None:
    """Find the event that is kept under an event's number."""
    row = connection.execute(
        "select step_id, job_id, doubt, hub_seq is null and device != coalesce((select value"
        " from fact where name = 'worker_id'), '') from event"
        f" where device = {_DEVICE} and epoch = ? and seq = ?",
        (event.device, event.epoch, event.seq),
    ).fetchone()
    return None if row is None else Found(*row)


def keep(
    connection: sqlite3.Connection,
    event: Event,
    found: Found | None,
    *,
    hub_seq: int | None,
    hlc: int | None,
    doubt: str,
    canonical: bytes = b"",
) -> Kept:
    """Keep an event as `add` does, for whoever knows what is `found` under its number.

    `canonical`: its canonical bytes, where they are at hand.
    """
    stamp = event.hlc if hlc is None else hlc
    if found is not None and found.doubt and not doubt:
        # What the machine really said takes the place of what was put into its mouth.
        connection.execute("delete from event where step_id = ?", (found.step_id,))
        found = None
    if found is None:
        twin = None if doubt else _twin(connection, event)
        digest = digest_of(canonical or event.canonical())
        return _insert(connection, event, hub_seq, stamp, twin, doubt, digest)
    step_id, job_id, _, is_told_anew = found
    if doubt:
        return Kept(is_new=False, step_id=step_id, job_id=job_id)
    connection.execute(
        # A hub tells no event under two numbers; should one do so, the order stays as it was.
        "update event set hub_seq = coalesce(hub_seq, ?), hlc = ? where step_id = ?",
        (hub_seq, stamp, step_id),
    )
    if step_id > 0:
        return Kept(is_new=False, step_id=step_id, job_id=job_id, is_told_anew=bool(is_told_anew))
    place = next_place(connection)
    _place(connection, step_id, place)
    return Kept(is_new=True, step_id=place, job_id=job_id)


def _insert(
    connection: sqlite3.Connection,
    event: Event,
    hub_seq: int | None,
    hlc: int,
    twin: int | None,
    doubt: str,
    digest: str,
) -> Kept:
    step_id = next_place(connection) if twin is None else twin
    if twin is not None:
        _place(connection, twin, _lowest(connection) - 1)
    job_id, is_newer = ("", False) if doubt else read(event)
    # What stands in the copy already may be in another order now, but is not shown twice.
    is_new = not doubt and (twin is None or event.type != "job_logged")
    kept = Kept(is_new=is_new, step_id=step_id, job_id=job_id)
    row = row_of(
        event, kept, hub_seq=hub_seq, hlc=hlc, doubt=doubt, digest=digest, is_newer=is_newer
    )
    connection.execute(_INSERT, row)
    return kept


def row_of(
    event: Event,
    kept: Kept,
    *,
    hub_seq: int | None,
    hlc: int,
    doubt: str,
    digest: str,
    is_newer: bool,
) -> Row:
    """Spell an event as a row of the table; `kept` says its place and its job."""
    return (
        kept.step_id, event.device, event.epoch, event.seq, hub_seq, hlc, event.hlc,
        event.at.isoformat(), _milliseconds(event.at), event.type, event.version, event.entity,
        to_json(event.body).decode(), event.sealed_with, event.signature, digest,
        kept.job_id, int(is_newer), doubt, int(bool(event.body.get("part_of"))),
    )  # fmt: skip


def write(connection: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Write events that are new, each at a place of its own."""
    connection.executemany(_INSERT, rows)


def _twin(connection: sqlite3.Connection, event: Event) -> int | None:
    """Find what this machine has numbered anew and the hub knows by its first number.

    A store that was copied, or restored, cannot know which of its events got across
    (`hub.store.events.is_told_again`); only their numbers differ.
    """
    # Most devices have begun no later epoch, and the rest need not be looked for.
    if last_epoch(connection, event.device) <= event.epoch:
        return None
    row = connection.execute(
        "select step_id from event where hub_seq is null and device = ? and stamp = ? and at = ?"
        " and type = ? and epoch > ? and step_id > 0 and body = ? order by seq",
        (
            event.device, event.hlc, event.at.isoformat(), event.type, event.epoch,
            to_json(event.body).decode(),
        ),
    ).fetchone()  # fmt: skip
    return None if row is None else int(row[0])


def read(event: Event) -> tuple[str, bool]:
    """Say which job an event is about, and whether it was written by a newer program."""
    if event.sealed_with:
        return "", False
    try:
        body = body_of(event)
    except ValidationError:
        return "", False
    return str(getattr(body, "job_id", "")), body is None


def renumber(connection: sqlite3.Connection, event: Event, anew: Event) -> None:
    """Give an event of this machine's own another number; it stays where it is in the copy."""
    connection.execute(
        "update event set epoch = ?, seq = ?, hub_seq = null, hlc = ?, stamp = ?, signature = ?,"
        " digest = ? where device = ? and epoch = ? and seq = ?",
        (
            anew.epoch, anew.seq, anew.hlc, anew.hlc, anew.signature, anew.digest,
            event.device, event.epoch, event.seq,
        ),
    )  # fmt: skip


def lose_after(connection: sqlite3.Connection, hub_seq: int) -> list[str]:
    """Take the numbers from what the hub numbered after a number: it was restored to that.

    What machines wrote they tell again, and the hub numbers it anew. What the hub itself said is
    lost to it: it stays, marked so, after what the hub had until then.

    Args:
        connection: of the store.
        hub_seq: the last number that still holds.

    Returns:
        The jobs that it was about, each to be told anew.
    """
    jobs = connection.execute(
        "select distinct job_id from event where hub_seq > ? and job_id != ''", (hub_seq,)
    ).fetchall()
    connection.execute(
        "update event set hub_seq = ?1, is_lost = 1 where hub_seq > ?1 and device = 'hub'",
        (hub_seq,),
    )
    connection.execute("update event set hub_seq = null where hub_seq > ?", (hub_seq,))
    return [job_id for (job_id,) in jobs]


def begin_anew(connection: sqlite3.Connection, device: str, epoch: int, acked_seq: int) -> None:
    """Keep only what this machine wrote: the hub tells the whole log again.

    What the hub has acknowledged comes to its place when it is told; what it has not stands in
    the copy. The copy must be made anew after that (`desktop.store.rebuilt`).
    """
    connection.execute("delete from event where not (device = ? and epoch = ?)", (device, epoch))
    connection.execute("update event set hub_seq = null")
    connection.execute(
        "update event set step_id = ? - step_id where seq <= ? and step_id > 0",
        (_lowest(connection), acked_seq),
    )


def own(
    connection: sqlite3.Connection, device: str, epoch: int, start: int, count_max: int
) -> list[Event]:
    """Read events of one log from a number on, in order."""
    rows = connection.execute(
        f"select {_EVENT} from event where device = {_DEVICE} and epoch = ? and seq >= ?"
        " and doubt = '' order by seq limit ?",
        (device, epoch, start, count_max),
    )
    return [event_of(row) for row in rows]


def digest_kept(connection: sqlite3.Connection, device: str, epoch: int, seq: int) -> str:
    """Return an event's digest as it was written, also when it was emptied since; "" for none."""
    row = connection.execute(
        f"select digest from event where device = {_DEVICE} and epoch = ? and seq = ?",
        (device, epoch, seq),
    ).fetchone()
    return str(row[0]) if row else ""


def numbers(
    connection: sqlite3.Connection, device: str, epoch: int, low: int, high: int, count_max: int
) -> set[int] | None:
    """Return which numbers of a log are known, from one to another; None for more than that."""
    rows = connection.execute(
        f"select seq from event where device = {_DEVICE} and epoch = ? and seq between ? and ?"
        " limit ?",
        (device, epoch, low, high, count_max + 1),
    ).fetchall()
    return None if len(rows) > count_max else {seq for (seq,) in rows}


def last_epoch(connection: sqlite3.Connection, device: str) -> int:
    """Return the latest epoch that is known of a device; 0 for none."""
    row = connection.execute(
        f"select max(epoch) from event where device = {_DEVICE}", (device,)
    ).fetchone()
    return row[0] or 0


def last_seq(connection: sqlite3.Connection, device: str, epoch: int) -> int:
    """Return the highest number of a log that is known; 0 for none."""
    row = connection.execute(
        f"select max(seq) from event where device = {_DEVICE} and epoch = ? and doubt = ''",
        (device, epoch),
    ).fetchone()
    return row[0] or 0


def add_lost(connection: sqlite3.Connection) -> None:
    """Know what a hub that was restored has forgotten."""
    connection.execute("alter table event add column is_lost integer not null default 0")
    connection.execute("create index event_lost on event (job_id) where is_lost = 1")


def has_steps(connection: sqlite3.Connection, job_id: str) -> bool:
    """Say whether anything but lines of its log is known of a job."""
    row = connection.execute(
        f"select 1 from event where job_id = ? and {IS_STEP} limit 1", (job_id,)
    ).fetchone()
    return row is not None


def has_lost(connection: sqlite3.Connection, job_id: str) -> bool:
    """Say whether a restored hub has forgotten something that it told of a job."""
    row = connection.execute(
        "select 1 from event where job_id = ? and is_lost = 1 limit 1", (job_id,)
    ).fetchone()
    return row is not None


def is_all_lost(connection: sqlite3.Connection, job_id: str) -> bool:
    """Say whether nobody will tell a restored hub of a job that it has forgotten."""
    if not has_lost(connection, job_id):
        return False
    row = connection.execute(
        "select 1 from event where job_id = ? and is_lost = 0"
        " and (device = 'hub' or type = 'task_requested') limit 1",
        (job_id,),
    ).fetchone()
    return row is None


def steps_in_order(connection: sqlite3.Connection, job_id: str | None = None) -> Iterator[Event]:
    """Read the events of a job, or of everything, in the order that counts; no lines of logs."""
    which = "" if job_id is None else " and job_id = ?"
    rows = connection.execute(
        f"select {_EVENT} from event where {IS_SHOWN} and {_COUNTS}{which} order by {ORDER}",
        () if job_id is None else (job_id,),
    )
    return map(event_of, rows)


def lines_as_they_came(connection: sqlite3.Connection) -> Iterator[Event]:
    rows = connection.execute(
        f"select {_EVENT} from event where step_id > 0 and not ({IS_STEP}) and doubt = ''"
        " order by step_id"
    )
    return map(event_of, rows)


def know_by_lines(connection: sqlite3.Connection) -> None:
    """Make the rows of jobs that nothing but lines of their logs tells of."""
    connection.execute(
        "insert into copy_job (job_id, created_ms, updated_ms, replaced_by)"
        " select job_id, at_ms, at_ms, coalesce((select max(other.job_id) from copy_job as other"
        " where other.replaces = found.job_id and other.replaces != ''), '')"
        " from (select job_id, at_ms, min(step_id) from event"
        f" where step_id > 0 and job_id != '' and not ({IS_STEP}) group by job_id)"
        " as found where true on conflict do nothing"
    )


def first_line_ms(connection: sqlite3.Connection, job_id: str) -> int | None:
    """When the first line of a job's log was written; None without one."""
    row = connection.execute(
        f"select at_ms from event where job_id = ? and step_id > 0 and not ({IS_STEP})"
        " order by step_id limit 1",
        (job_id,),
    ).fetchone()
    return None if row is None else int(row[0])


def turn(connection: sqlite3.Connection, kept: Kept) -> Turn:
    """Say where an event stands among the others of its job, lines of its log left out."""
    last = connection.execute(
        f"select step_id from event where job_id = ? and {IS_SHOWN}"
        " order by hub_seq is not null, hub_seq desc, hlc desc, device desc, epoch desc, seq desc"
        " limit 2",
        (kept.job_id,),
    ).fetchall()
    if not last or last[0][0] != kept.step_id:
        return Turn.BEFORE
    return Turn.NEXT if len(last) > 1 else Turn.ONLY


@dataclass(frozen=True, slots=True)
class UpdateNeeded:
    """What this program is too old to show."""

    count: int = 0
    first_type: str = ""


def update_needed(connection: sqlite3.Connection) -> UpdateNeeded:
    """Count the events that a newer program wrote: kept and passed on, and not shown here."""
    count, first = connection.execute(
        "select count(*), coalesce(min(type), '') from event where is_newer = 1"
    ).fetchone()
    return UpdateNeeded(count, first)


def read_all_anew(connection: sqlite3.Connection) -> None:
    """Look again at what every event is about: this program may know more than the last one."""
    rows = connection.execute(
        f"select step_id, job_id, is_newer, {_EVENT} from event where doubt = ''"
    )
    changed = [
        (*found, step_id)
        for step_id, job_id, is_newer, *row in rows
        if (found := read(event_of(tuple(row)))) != (job_id, bool(is_newer))
    ]
    connection.executemany("update event set job_id = ?, is_newer = ? where step_id = ?", changed)


def event_of(row: tuple[object, ...]) -> Event:
    """Make an event of its columns, with the same canonical bytes that it came with."""
    device, epoch, seq, at, stamp, type_, version, entity, body, sealed_with, signature = row
    return Event(
        device=str(device), epoch=_whole(epoch), seq=_whole(seq),
        at=datetime.fromisoformat(str(at)), hlc=_whole(stamp), type=str(type_),
        version=_whole(version), entity=str(entity), body=from_json(str(body)),
        sealed_with=str(sealed_with), signature=str(signature),
    )  # fmt: skip


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _milliseconds(at: datetime) -> int:
    """A moment without a zone is a writer's fault, and no reason to stop."""
    return to_ms(at if at.tzinfo is not None else at.replace(tzinfo=UTC))


def next_place(connection: sqlite3.Connection) -> int:
    """Return the place of what comes next."""
    row = connection.execute("select max(step_id) from event").fetchone()
    return max(row[0] or 0, 0) + 1


def _lowest(connection: sqlite3.Connection) -> int:
    """Return a number that no place is below."""
    row = connection.execute("select min(step_id) from event").fetchone()
    return min(row[0] or 0, 0)


def _place(connection: sqlite3.Connection, step_id: int, place: int) -> None:
    connection.execute("update event set step_id = ? where step_id = ?", (place, step_id))
