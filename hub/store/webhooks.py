"""Webhooks, their sealed secrets, and what was told to each of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.core.webhook import Delivery, DeliveryState, Stopped, Webhook
from hub.store.ledger import Entry
from shared.ids import PersonId, WebhookId
from shared.times import from_ms, to_ms

ENDED_KEPT_MAX = 1000
"""Deliveries of one webhook that are over; older ones are forgotten."""

_COLUMNS = (
    "webhook_id, person_id, url, types, description, stopped, created_ms, cursor,"
    " failing_since_ms, succeeded_ms, failures"
)
_DELIVERY = (
    "delivery_id, webhook_id, message_id, type, hub_seq, happened_ms, state, tries, due_ms,"
    " tried_ms, status, error"
)
_SCHEMA = (
    """CREATE TABLE webhooks (
        webhook_id TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        url TEXT NOT NULL,
        types TEXT NOT NULL,
        description TEXT NOT NULL,
        stopped TEXT,
        created_ms INTEGER NOT NULL,
        cursor INTEGER NOT NULL,
        failing_since_ms INTEGER,
        succeeded_ms INTEGER,
        failures INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX webhooks_by_person ON webhooks (person_id, webhook_id)",
    """CREATE TABLE webhook_secrets (
        webhook_id TEXT NOT NULL,
        place INTEGER NOT NULL,
        sealed BLOB NOT NULL,
        ends_ms INTEGER,
        PRIMARY KEY (webhook_id, place)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE webhook_deliveries (
        delivery_id TEXT PRIMARY KEY,
        webhook_id TEXT NOT NULL,
        message_id TEXT NOT NULL,
        type TEXT NOT NULL,
        hub_seq INTEGER NOT NULL,
        happened_ms INTEGER NOT NULL,
        state TEXT NOT NULL,
        tries INTEGER NOT NULL,
        due_ms INTEGER,
        tried_ms INTEGER,
        status INTEGER,
        error TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX webhook_deliveries_of ON webhook_deliveries (webhook_id, delivery_id)",
    "CREATE INDEX webhook_deliveries_open ON webhook_deliveries (webhook_id, due_ms)"
    " WHERE due_ms IS NOT NULL",
)


@dataclass(frozen=True, slots=True)
class SealedSecret:
    sealed: bytes = field(repr=False)
    ends_at: datetime | None


def create_webhooks(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the hub's migrations."""
    for statement in _SCHEMA:
        connection.execute(statement)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How people wanted their webhooks, and what signs; not how far they were told."""

    webhooks: tuple[tuple[object, ...], ...] = ()
    """Id, url, types, stopped."""
    secrets: tuple[tuple[object, ...], ...] = field(default=(), repr=False)


def wishes(connection: sqlite3.Connection) -> Wishes | None:
    """Read what people wanted; None in a store of a hub that had no webhooks yet."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'webhooks'").fetchone():
        return None
    return Wishes(
        tuple(connection.execute("SELECT webhook_id, url, types, stopped FROM webhooks")),
        tuple(connection.execute("SELECT webhook_id, place, sealed, ends_ms FROM webhook_secrets")),
    )


def obey(connection: sqlite3.Connection, wanted: Wishes) -> None:
    """Of the webhooks that stand here, leave and call those alone that people still wanted.

    An older store is brought back: what was deleted since must not be told again, and a secret that
    was exchanged because it leaked must not sign again.
    """
    known = [webhook[0] for webhook in wanted.webhooks]
    for table in ("webhooks", "webhook_secrets", "webhook_deliveries"):
        connection.execute(
            f"DELETE FROM {table} WHERE webhook_id NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(known),),
        )
    connection.executemany(
        "UPDATE webhooks SET url = ?2, types = ?3, stopped = ?4 WHERE webhook_id = ?1",
        wanted.webhooks,
    )
    connection.execute("DELETE FROM webhook_secrets")
    connection.executemany(
        "INSERT INTO webhook_secrets SELECT ?1, ?2, ?3, ?4"
        " WHERE EXISTS (SELECT 1 FROM webhooks WHERE webhook_id = ?1)",
        wanted.secrets,
    )


def save(entry: Entry, webhook: Webhook) -> None:
    """Write a webhook, new or changed; its cursor never goes back."""
    entry.connection.execute(
        f"INSERT INTO webhooks ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT (webhook_id) DO UPDATE SET url = excluded.url, types = excluded.types,"
        " description = excluded.description, stopped = excluded.stopped,"
        " cursor = max(cursor, excluded.cursor), failing_since_ms = excluded.failing_since_ms,"
        " succeeded_ms = excluded.succeeded_ms, failures = excluded.failures",
        (
            webhook.webhook_id,
            webhook.person_id,
            webhook.url,
            json.dumps(webhook.types),
            webhook.description,
            webhook.stopped,
            to_ms(webhook.created_at),
            webhook.cursor,
            _ms(webhook.failing_since),
            _ms(webhook.succeeded_at),
            webhook.failures,
        ),
    )


def load(connection: sqlite3.Connection, webhook_id: WebhookId) -> Webhook | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM webhooks WHERE webhook_id = ?", (webhook_id,)
    ).fetchone()
    return _to_webhook(row) if row else None


def of_person(
    connection: sqlite3.Connection, person_id: PersonId | None, after: str, limit: int
) -> list[Webhook]:
    """Webhooks of a person (everybody's when None), the oldest first, after one of them."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM webhooks WHERE webhook_id > ? AND (?2 IS NULL OR person_id = ?2)"
        " ORDER BY webhook_id LIMIT ?",
        (after, person_id, limit),
    )
    return [_to_webhook(row) for row in rows]


def count(connection: sqlite3.Connection, person_id: PersonId) -> int:
    row = connection.execute("SELECT count(*) FROM webhooks WHERE person_id = ?", (person_id,))
    return int(row.fetchone()[0])


def told(connection: sqlite3.Connection) -> list[WebhookId]:
    """All that are not stopped."""
    rows = connection.execute("SELECT webhook_id FROM webhooks WHERE stopped IS NULL")
    return [WebhookId(row[0]) for row in rows]


def delete(entry: Entry, webhook_id: WebhookId) -> None:
    for table in ("webhooks", "webhook_secrets", "webhook_deliveries"):
        entry.connection.execute(f"DELETE FROM {table} WHERE webhook_id = ?", (webhook_id,))


def set_secrets(entry: Entry, webhook_id: WebhookId, secrets: Sequence[SealedSecret]) -> None:
    """Keep these and no others, the newest first."""
    entry.connection.execute("DELETE FROM webhook_secrets WHERE webhook_id = ?", (webhook_id,))
    entry.connection.executemany(
        "INSERT INTO webhook_secrets VALUES (?, ?, ?, ?)",
        [
            (webhook_id, place, secret.sealed, _ms(secret.ends_at))
            for place, secret in enumerate(secrets)
        ],
    )


def secrets_of(connection: sqlite3.Connection, webhook_id: WebhookId) -> list[SealedSecret]:
    rows = connection.execute(
        "SELECT sealed, ends_ms FROM webhook_secrets WHERE webhook_id = ? ORDER BY place",
        (webhook_id,),
    )
    return [SealedSecret(bytes(row[0]), _moment(row[1])) for row in rows]


def save_delivery(entry: Entry, delivery: Delivery) -> None:
    entry.connection.execute(
        f"INSERT OR REPLACE INTO webhook_deliveries ({_DELIVERY}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            delivery.delivery_id,
            delivery.webhook_id,
            delivery.message_id,
            delivery.type,
            delivery.hub_seq,
            to_ms(delivery.happened_at),
            delivery.state,
            delivery.tries,
            _ms(delivery.due_at),
            _ms(delivery.tried_at),
            delivery.status,
            delivery.error,
        ),
    )


def delivery(
    connection: sqlite3.Connection, webhook_id: WebhookId, delivery_id: str
) -> Delivery | None:
    row = connection.execute(
        f"SELECT {_DELIVERY} FROM webhook_deliveries WHERE delivery_id = ? AND webhook_id = ?",
        (delivery_id, webhook_id),
    ).fetchone()
    return _to_delivery(row) if row else None


def deliveries(
    connection: sqlite3.Connection,
    webhook_id: WebhookId,
    states: frozenset[DeliveryState],
    before: str | None,
    limit: int,
) -> list[Delivery]:
    """What was told to a webhook, the newest first; of some states, or of all when empty."""
    rows = connection.execute(
        f"SELECT {_DELIVERY} FROM webhook_deliveries WHERE webhook_id = ?"
        " AND (?2 IS NULL OR delivery_id < ?2)"
        " AND (?3 = '[]' OR state IN (SELECT value FROM json_each(?3)))"
        " ORDER BY delivery_id DESC LIMIT ?",
        (webhook_id, before, json.dumps(sorted(states)), limit),
    )
    return [_to_delivery(row) for row in rows]


def next_open(connection: sqlite3.Connection, webhook_id: WebhookId) -> Delivery | None:
    """What is to be tried next of all that was tried before, or asked for by a person."""
    row = connection.execute(
        f"SELECT {_DELIVERY} FROM webhook_deliveries WHERE webhook_id = ? AND due_ms IS NOT NULL"
        " ORDER BY due_ms, delivery_id LIMIT 1",
        (webhook_id,),
    ).fetchone()
    return _to_delivery(row) if row else None


def head(connection: sqlite3.Connection, webhook_id: WebhookId) -> Delivery | None:
    """What a webhook's lane stands at; None when it may go on."""
    row = connection.execute(
        f"SELECT {_DELIVERY} FROM webhook_deliveries WHERE webhook_id = ? AND state = 'waiting'"
        " AND hub_seq > 0 AND due_ms IS NOT NULL LIMIT 1",
        (webhook_id,),
    ).fetchone()
    return _to_delivery(row) if row else None


def hurry(entry: Entry, webhook_id: WebhookId) -> None:
    """What its lane stands at is tried at once: somebody says that it is there again."""
    entry.connection.execute(
        "UPDATE webhook_deliveries SET due_ms = ? WHERE webhook_id = ? AND due_ms IS NOT NULL",
        (entry.now_ms, webhook_id),
    )


def drop_open(entry: Entry, webhook_id: WebhookId) -> None:
    """What was not told by now is not told at all."""
    entry.connection.execute(
        "UPDATE webhook_deliveries SET due_ms = NULL, state = 'dropped'"
        " WHERE webhook_id = ? AND due_ms IS NOT NULL",
        (webhook_id,),
    )


def drop(entry: Entry, delivery: Delivery) -> None:
    """Give one message up: what it would tell is gone; its lane goes on behind it."""
    entry.connection.execute(
        "UPDATE webhook_deliveries SET due_ms = NULL, state = 'dropped' WHERE delivery_id = ?",
        (delivery.delivery_id,),
    )
    move_cursor(entry, delivery.webhook_id, delivery.hub_seq)


def move_cursor(entry: Entry, webhook_id: WebhookId, hub_seq: int) -> None:
    """A webhook was told all up to a place that it wants to know; never back."""
    entry.connection.execute(
        "UPDATE webhooks SET cursor = max(cursor, ?) WHERE webhook_id = ?", (hub_seq, webhook_id)
    )


def prune(entry: Entry, webhook_id: WebhookId) -> None:
    """Forget what has been over for longest."""
    entry.connection.execute(
        "DELETE FROM webhook_deliveries WHERE webhook_id = ?1 AND due_ms IS NULL AND delivery_id <"
        " (SELECT delivery_id FROM webhook_deliveries WHERE webhook_id = ?1"
        " ORDER BY delivery_id DESC LIMIT 1 OFFSET ?2)",
        (webhook_id, ENDED_KEPT_MAX),
    )


def _to_webhook(row: tuple[object, ...]) -> Webhook:
    webhook_id, person_id, url, types, description, stopped, created_ms, cursor = row[:8]
    assert isinstance(created_ms, int)
    assert isinstance(cursor, int)
    failures = row[10]
    assert isinstance(failures, int)
    return Webhook(
        webhook_id=WebhookId(str(webhook_id)),
        person_id=PersonId(str(person_id)),
        url=str(url),
        types=tuple(json.loads(str(types))),
        description=str(description),
        stopped=Stopped(str(stopped)) if stopped is not None else None,
        created_at=from_ms(created_ms),
        cursor=cursor,
        failing_since=_moment(row[8]),
        succeeded_at=_moment(row[9]),
        failures=failures,
    )


def _to_delivery(row: tuple[object, ...]) -> Delivery:
    delivery_id, webhook_id, message_id, type_, hub_seq, happened_ms, state, tries = row[:8]
    status = row[10]
    assert isinstance(hub_seq, int)
    assert isinstance(happened_ms, int)
    assert isinstance(tries, int)
    assert status is None or isinstance(status, int)
    return Delivery(
        delivery_id=str(delivery_id),
        webhook_id=WebhookId(str(webhook_id)),
        message_id=str(message_id),
        type=str(type_),
        hub_seq=hub_seq,
        happened_at=from_ms(happened_ms),
        state=DeliveryState(str(state)),
        tries=tries,
        due_at=_moment(row[8]),
        tried_at=_moment(row[9]),
        status=status,
        error=str(row[11]),
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def _moment(milliseconds: object) -> datetime | None:
    assert milliseconds is None or isinstance(milliseconds, int)
    return None if milliseconds is None else from_ms(milliseconds)
