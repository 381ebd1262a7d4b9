"""Settings that a person's computers share: of the changes that all of them know, the last counts.

The log of events is the truth, and the fact of the same name what it comes to (`settle`). "Last" is
the highest stamp, then the machine, then the number, so that all computers choose the same one,
in whatever order they hear of the changes. Earlier values stay in the log and can be taken back.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from desktop.store import facts
from shared.ids import WorkerId
from shared.times import from_ms

CHANGED = "setting_changed"
SHARED = frozenset(("language", "notices_until"))
"""What belongs to the person: the language they read, and that they want quiet for a while. The
colours, whether this computer shows notices at all, and its policy belong to the machine."""
CHANGES_MAX = 50

_CHANGES = (
    "select json_extract(body, '$.value'), at_ms, device, coalesce(name, '') from event"
    " left join copy_worker on worker_id = device where type = 'setting_changed' and version = 1"
    " and doubt = '' and sealed_with = '' and device != 'hub'"
    " and json_extract(body, '$.name') = ? and json_type(body, '$.value') = 'text'"
    " order by hlc desc, device desc, epoch desc, seq desc limit ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    value: str
    at: datetime
    """By the clock of the computer that changed it."""
    worker_id: WorkerId
    machine: str
    """Its name, as far as it is known."""


def create(connection: sqlite3.Connection) -> None:
    """Find changes of settings at once: one step of the worker's migrations."""
    connection.execute(
        "create index event_setting on event (hlc desc, device desc, epoch desc, seq desc)"
        " where type = 'setting_changed'"
    )


def changes(
    connection: sqlite3.Connection, name: str, count_max: int = CHANGES_MAX
) -> list[Change]:
    """Return what a setting was changed to, the change that counts first."""
    rows = connection.execute(_CHANGES, (name, count_max))
    return [
        Change(value=value, at=from_ms(at), worker_id=WorkerId(device), machine=machine)
        for value, at, device, machine in rows
    ]


def settle(connection: sqlite3.Connection, name: str) -> None:
    """Go by the change of a setting that counts; others are none of the log's business."""
    if name not in SHARED:
        return
    if found := changes(connection, name, 1):
        facts.put(connection, name, found[0].value)


def before(connection: sqlite3.Connection, name: str) -> str | None:
    """Return what a setting was before it was changed last; None when the log does not know."""
    found = changes(connection, name)
    return next((one.value for one in found[1:] if one.value != found[0].value), None)
