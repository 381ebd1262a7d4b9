"""The person's other machines by their keys, and what of the hub's log does not carry theirs.

A key is believed when it is first told, and never changed by the hub after that. What names a
machine and does not carry its signature is kept, counted, and not shown: a hub can withhold what
the machines say, not say it for them.

A worker that fetches its work over REST has no log and no key: the hub writes down what it reports
of its jobs. That is believed as the hub's word, for a worker that was told to be one when it was
first told of; it asks for nothing in a person's name, and no machine with a key becomes one.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from desktop.store import facts
from shared.errors import BadInput
from shared.events import AttemptEventBody, Event, WorkerPaired
from shared.pairing import PUBLIC_KEY_BYTES, from_b64
from shared.signatures import KEYS_KNOWN, Mark, Since, look

HUB = "hub"
NEVER_THE_HUBS = frozenset(
    (
        *("job_started", "job_logged", "job_resumed", "job_parked"),
        *("task_requested", "answer_given", "cancel_asked", "retry_asked"),
        *("setting_changed", "purge_asked"),
    )
)
"""Only machines write these; the hub's own log has none of them."""

ATTEMPT_TYPES = frozenset(body.model_fields["type"].default for body in get_args(AttemptEventBody))
"""All that the hub writes for a worker that fetches its work."""
_PULLS = "pulls"
"""In place of another key: the hub says later that a machine with a key has none."""


def create(connection: sqlite3.Connection) -> None:
    """Know the machines' keys: one step of the worker's migrations."""
    connection.execute(
        "create table peer (worker_id text primary key, name text not null,"
        " public_key text not null,"
        # Another key that the hub told later, which is not believed.
        " other_key text not null default '',"
        # The first event that carried its signature; 0 for none yet.
        " epoch integer not null default 0, seq integer not null default 0) strict"
    )
    connection.execute("create index event_doubt on event (device) where doubt != ''")
    connection.execute("create index event_sealed on event (device) where sealed_with != ''")


def add_pullers(connection: sqlite3.Connection) -> None:
    """Workers may fetch their work: one step of the worker's migrations."""
    connection.execute("alter table peer add column pulls integer not null default 0")


def pin(connection: sqlite3.Connection, told: WorkerPaired) -> None:
    """Believe the key that a machine is first told to have, or that it has none and fetches."""
    if told.pulls:
        _note_puller(connection, told)
        return
    if not _bytes(told.public_key):
        return
    connection.execute(
        "insert into peer (worker_id, name, public_key) values (?, ?, ?)"
        " on conflict (worker_id) do update set name = excluded.name,"
        " other_key = case when public_key = excluded.public_key then other_key"
        " else excluded.public_key end",
        (told.worker_id, told.name, told.public_key),
    )


def _note_puller(connection: sqlite3.Connection, told: WorkerPaired) -> None:
    if told.worker_id == facts.get(connection, "worker_id"):
        return  # this machine knows better
    connection.execute(
        "insert into peer (worker_id, name, public_key, pulls) values (?, ?, '', 1)"
        " on conflict (worker_id) do update set name = excluded.name,"
        " other_key = case when pulls then other_key else ? end",
        (told.worker_id, told.name, _PULLS),
    )


def doubt(connection: sqlite3.Connection, event: Event, canonical: bytes) -> str:
    """Say why an event that the hub tells, and that is new here, is not believed; empty when it is.

    `canonical`: its canonical bytes.
    """
    return Keys(connection).doubt(event, canonical)


class Keys:
    """The machines' keys as they are now, each looked up once; `forget` before they change."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, tuple[bytes, Since | None, bool]] = {}

    def doubt(self, event: Event, canonical: bytes) -> str:
        """Say why an event is not believed, as the function of this name does."""
        if event.device == HUB:
            return "hub" if event.type in NEVER_THE_HUBS else ""
        if not event.body:
            return ""  # it was purged, and says nothing
        if event.device not in self._known:
            self._known[event.device] = _key_of(self._connection, event.device)
        key, since, pulls = self._known[event.device]
        if pulls:
            return "" if event.type in ATTEMPT_TYPES else HUB
        mark = look(event, key, since, canonical)
        if mark is Mark.GOOD and since is None:
            note_first(self._connection, event)
            self.forget()
        return "" if mark.is_trusted else mark.value

    def forget(self) -> None:
        self._known.clear()


def note_first(connection: sqlite3.Connection, event: Event) -> None:
    """From this event on a machine signs; also this one, which knows its own key."""
    connection.execute(
        "insert into peer (worker_id, name, public_key, epoch, seq) values (?, '', ?, ?, ?)"
        " on conflict (worker_id) do update set epoch = excluded.epoch, seq = excluded.seq"
        " where seq = 0",
        (event.device, _own_key(connection), event.epoch, event.seq),
    )


@dataclass(frozen=True, slots=True)
class Doubts:
    """What a hub told that its machines did not say."""

    name: str
    """Of the machine; "the hub" for what the hub said itself."""
    count: int
    other_key: bool = False
    """The hub tells another key for it than it did at first."""


def doubts(connection: sqlite3.Connection) -> list[Doubts]:
    rows = connection.execute(
        "select coalesce(nullif(copy_worker.name, ''), nullif(peer.name, ''), device),"
        " coalesce(count, 0), coalesce(other_key, '') != '' from ("
        " select device, count(*) as count from event where doubt != '' group by device"
        " union all select worker_id, 0 from peer where other_key != ''"
        " and worker_id not in (select device from event where doubt != ''))"
        " left join peer on peer.worker_id = device"
        " left join copy_worker on copy_worker.worker_id = device order by device"
    )
    return [
        Doubts("the hub" if name == HUB else str(name), count, bool(other))
        for name, count, other in rows
    ]


def sealed_count(connection: sqlite3.Connection) -> int:
    """How many events only those can read who have a key that this program does not know."""
    row = connection.execute("select count(*) from event where sealed_with != ''").fetchone()
    return int(row[0])


def _key_of(connection: sqlite3.Connection, device: str) -> tuple[bytes, Since | None, bool]:
    """Return a machine's key, since when it signs, and whether it fetches its work instead."""
    rows = connection.execute(
        "select public_key, epoch, seq, pulls from peer where worker_id = ?", (device,)
    )
    key, epoch, seq, pulls = rows.fetchone() or ("", 0, 0, 0)
    if device == facts.get(connection, "worker_id"):
        key = _own_key(connection)
    return _bytes(key), Since(epoch, seq) if seq else None, bool(pulls)


def _own_key(connection: sqlite3.Connection) -> str:
    return facts.signs_as(connection)


@lru_cache(maxsize=KEYS_KNOWN)
def _bytes(key: str) -> bytes:
    try:
        return from_b64(key, PUBLIC_KEY_BYTES) if key else b""
    except BadInput:
        return b""
