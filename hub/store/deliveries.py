"""What still has to be shown to whom: the outbox of every conversation, and where we spoke.

A row is written in the same transaction that moves the outbox's cursor over the event it tells,
so each event is worded exactly once. A row is removed only after a frontend took it. Sending is
the business of `hub.frontends.outbox`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import TypeAdapter

from hub.core.delivery import NewDelivery, Waiting
from hub.core.view import View
from shared.ids import ConversationId, PersonId

WAITING_MAX = 500
"""Messages a conversation may have waiting; the oldest that are not final give way."""
SHOWN_KEPT_MS = 30 * 24 * 3600 * 1000
"""How long we know what a message shows: to edit it, and to understand replies to it."""
SEEN_KEPT_MAX = 10_000
"""Inbound updates remembered against a second arrival."""

_VIEWS: TypeAdapter[View] = TypeAdapter(View)


def create_deliveries(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the hub's migrations."""
    for statement in _SCHEMA:
        connection.execute(statement)


_SCHEMA = (
    """CREATE TABLE outbox_cursor (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        hub_seq INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE outbox (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        subject TEXT NOT NULL,
        final INTEGER NOT NULL,
        view TEXT NOT NULL,
        due_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX outbox_by_conversation ON outbox (conversation, due_ms, row)",
    """CREATE TABLE shown (
        conversation TEXT NOT NULL,
        subject TEXT NOT NULL,
        ref TEXT NOT NULL,
        PRIMARY KEY (conversation, subject)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE conversations (
        conversation TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        said_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE inbound_seen (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        frontend TEXT NOT NULL,
        dedupe TEXT NOT NULL,
        UNIQUE (frontend, dedupe)
    ) STRICT""",
)


def add_paces(connection: sqlite3.Connection) -> None:
    """Tell since when a message is shown, and until when a conversation must be left alone."""
    connection.execute("ALTER TABLE shown ADD COLUMN shown_ms INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE shown SET shown_ms = 1000 * CAST(strftime('%s', 'now') AS INTEGER)")
    connection.execute("CREATE INDEX shown_by_age ON shown (shown_ms)")
    connection.execute(
        "CREATE TABLE resting (conversation TEXT PRIMARY KEY, until_ms INTEGER NOT NULL)"
        " STRICT, WITHOUT ROWID"
    )


def cursor(connection: sqlite3.Connection) -> int:
    """The hub_seq up to which events have been worded."""
    row = connection.execute("SELECT hub_seq FROM outbox_cursor").fetchone()
    return int(row[0]) if row else 0


def put(connection: sqlite3.Connection, new: Sequence[NewDelivery], upto: int) -> None:
    """Write messages and move the cursor."""
    add(connection, new)
    connection.execute(
        "INSERT INTO outbox_cursor (one, hub_seq) VALUES (1, ?)"
        " ON CONFLICT (one) DO UPDATE SET hub_seq = max(hub_seq, excluded.hub_seq)",
        (upto,),
    )


def add(connection: sqlite3.Connection, new: Sequence[NewDelivery]) -> None:
    """Write messages that no event tells."""
    for delivery in new:
        _put_one(connection, delivery)


def _put_one(connection: sqlite3.Connection, delivery: NewDelivery) -> None:
    view = delivery.view
    # A newer word on a subject replaces one unsent; a question or a last word on a job replaces
    # its unsent status.
    replaced = {view.subject, f"job:{view.job_id}"} - {"", "job:None"}
    connection.executemany(
        "DELETE FROM outbox WHERE conversation = ? AND subject = ? AND NOT final",
        [(delivery.conversation, subject) for subject in replaced],
    )
    connection.execute(
        "INSERT INTO outbox (conversation, subject, final, view, due_ms) VALUES (?, ?, ?, ?, ?)",
        (
            delivery.conversation,
            view.subject,
            int(view.final),
            _VIEWS.dump_json(view).decode(),
            delivery.due_ms,
        ),
    )
    connection.execute(
        "DELETE FROM outbox WHERE row IN ("
        " SELECT row FROM outbox WHERE conversation = ? AND NOT final"
        " ORDER BY row DESC LIMIT -1 OFFSET ?)",
        (delivery.conversation, WAITING_MAX),
    )


class Rest(NamedTuple):
    """What a frontend still has to show."""

    waiting: int
    oldest_due_ms: int


def rests(connection: sqlite3.Connection) -> dict[str, Rest]:
    """What still has to be shown, by the name of the frontend: the first part of conversations."""
    rows = connection.execute(
        "SELECT substr(conversation, 1, instr(conversation || ':', ':') - 1), count(*),"
        " min(due_ms) FROM outbox GROUP BY 1"
    )
    return {name: Rest(count, due_ms) for name, count, due_ms in rows}


def waiting_conversations(connection: sqlite3.Connection) -> tuple[ConversationId, ...]:
    """Conversations that have something waiting."""
    rows = connection.execute("SELECT DISTINCT conversation FROM outbox")
    return tuple(ConversationId(row[0]) for row in rows)


def next_waiting(
    connection: sqlite3.Connection, conversation: ConversationId, now_ms: int
) -> Waiting | None:
    """The message to show next: of those due, what cannot wait comes before status messages.

    Each sort keeps its order. While none is due, it is the one that will be first.
    """
    row = connection.execute(
        "SELECT row, view, tries, due_ms FROM outbox WHERE row = ("
        " SELECT row FROM outbox WHERE conversation = ? AND due_ms <= ?"
        " ORDER BY subject LIKE 'job:%' AND NOT final, row LIMIT 1)",
        (conversation, now_ms),
    ).fetchone()
    if row is None:
        row = connection.execute(
            "SELECT row, view, tries, due_ms FROM outbox"
            " WHERE conversation = ? ORDER BY due_ms, row LIMIT 1",
            (conversation,),
        ).fetchone()
    if row is None:
        return None
    return Waiting(row[0], conversation, _VIEWS.validate_json(row[1]), row[2], row[3])


def sent(connection: sqlite3.Connection, message: Waiting, ref: str, now_ms: int) -> None:
    """Note that a message was taken, and which one to edit from now on."""
    remove(connection, message.row)
    view, conversation = message.view, message.conversation
    if view.final:
        # What showed it is edited no more; a reply to it, or to the last word, is understood still.
        connection.execute(
            "UPDATE OR REPLACE shown SET subject = 'past ' || subject"
            " WHERE conversation = ? AND subject = ?",
            (conversation, view.subject),
        )
        note_shown(connection, conversation, f"last {view.subject}", ref, now_ms)
    elif view.subject:
        note_shown(connection, conversation, view.subject, ref, now_ms)
    elif view.job_id:
        note_shown(connection, conversation, f"about job:{view.job_id}", ref, now_ms)


def postponed(connection: sqlite3.Connection, message: Waiting, until_ms: int) -> None:
    """Count a try; the message keeps its place, and all behind it waits with it."""
    connection.execute("UPDATE outbox SET tries = tries + 1 WHERE row = ?", (message.row,))
    rest(connection, message.conversation, until_ms)


def rest(connection: sqlite3.Connection, conversation: ConversationId, until_ms: int) -> None:
    """Note until when a conversation must be left alone."""
    connection.execute(
        "INSERT INTO resting (conversation, until_ms) VALUES (?, ?)"
        " ON CONFLICT (conversation) DO UPDATE SET until_ms = excluded.until_ms",
        (conversation, until_ms),
    )


def resting_until(connection: sqlite3.Connection, conversation: ConversationId) -> int:
    """Until when a conversation must be left alone; 0 when it need not be."""
    row = connection.execute(
        "SELECT until_ms FROM resting WHERE conversation = ?", (conversation,)
    ).fetchone()
    return int(row[0]) if row else 0


def hurried(connection: sqlite3.Connection, conversation: ConversationId) -> None:
    """Somebody is there again: the rest is over."""
    connection.execute("DELETE FROM resting WHERE conversation = ?", (conversation,))


def remove(connection: sqlite3.Connection, row: int) -> None:
    """Take a message off the outbox: it was sent, or never can be."""
    connection.execute("DELETE FROM outbox WHERE row = ?", (row,))


def shown_ref(
    connection: sqlite3.Connection, conversation: ConversationId, subject: str
) -> str | None:
    """The message that shows a subject now."""
    row = connection.execute(
        "SELECT ref FROM shown WHERE conversation = ? AND subject = ?", (conversation, subject)
    ).fetchone()
    return str(row[0]) if row else None


def subject_at(
    connection: sqlite3.Connection, conversation: ConversationId, ref: str
) -> str | None:
    """What a message shows."""
    row = connection.execute(
        "SELECT subject FROM shown WHERE conversation = ? AND ref = ?", (conversation, ref)
    ).fetchone()
    return str(row[0]) if row else None


def subjects_shown(
    connection: sqlite3.Connection, conversation: ConversationId, prefix: str
) -> frozenset[str]:
    """The subjects of a sort that a conversation shows."""
    rows = connection.execute(
        "SELECT subject FROM shown WHERE conversation = ? AND subject >= ? AND subject < ?",
        (conversation, prefix, prefix + "\U0010ffff"),
    )
    return frozenset(str(row[0]) for row in rows)


def note_shown(
    connection: sqlite3.Connection,
    conversation: ConversationId,
    subject: str,
    ref: str,
    now_ms: int,
) -> None:
    connection.execute(
        "INSERT INTO shown (conversation, subject, ref, shown_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (conversation, subject) DO UPDATE SET"
        " ref = excluded.ref, shown_ms = excluded.shown_ms",
        (conversation, subject, ref, now_ms),
    )
    connection.execute("DELETE FROM shown WHERE shown_ms < ?", (now_ms - SHOWN_KEPT_MS,))


def forget_shown(
    connection: sqlite3.Connection, conversation: ConversationId, subject: str
) -> None:
    connection.execute(
        "DELETE FROM shown WHERE conversation = ? AND subject = ?", (conversation, subject)
    )


def conversations_showing(
    connection: sqlite3.Connection, subject: str
) -> tuple[ConversationId, ...]:
    """Where a subject stands now, or is about to."""
    rows = connection.execute(
        "SELECT conversation FROM shown WHERE subject = ?"
        " UNION SELECT conversation FROM outbox WHERE subject = ?",
        (subject, subject),
    )
    return tuple(ConversationId(row[0]) for row in rows)


def said(
    connection: sqlite3.Connection, conversation: ConversationId, person_id: PersonId, now_ms: int
) -> None:
    """Remember who talks where."""
    connection.execute(
        "INSERT INTO conversations (conversation, person_id, said_ms) VALUES (?, ?, ?)"
        " ON CONFLICT (conversation) DO UPDATE SET"
        " person_id = excluded.person_id, said_ms = excluded.said_ms",
        (conversation, person_id, now_ms),
    )


def forget(
    connection: sqlite3.Connection, conversation: ConversationId, person_id: PersonId
) -> None:
    """Tell a conversation nothing more: whoever speaks there is not its person any longer."""
    gone = connection.execute(
        "DELETE FROM conversations WHERE conversation = ? AND person_id = ?",
        (conversation, person_id),
    )
    if gone.rowcount:
        connection.execute("DELETE FROM outbox WHERE conversation = ?", (conversation,))
        connection.execute("DELETE FROM shown WHERE conversation = ?", (conversation,))
    # What was asked for there goes on, and is told where its person speaks from now on.
    connection.execute(
        "UPDATE tasks SET conversation = '' WHERE conversation = ? AND person_id = ?",
        (conversation, person_id),
    )


def conversations_of(
    connection: sqlite3.Connection, person_id: PersonId
) -> tuple[ConversationId, ...]:
    """A person's conversations, the one spoken in last first."""
    rows = connection.execute(
        "SELECT conversation FROM conversations WHERE person_id = ? ORDER BY said_ms DESC",
        (person_id,),
    )
    return tuple(ConversationId(row[0]) for row in rows)


def was_heard(connection: sqlite3.Connection, frontend: str, dedupe: str) -> bool:
    """Whether an inbound update has been dealt with."""
    found = connection.execute(
        "SELECT 1 FROM inbound_seen WHERE frontend = ? AND dedupe = ?", (frontend, dedupe)
    )
    return found.fetchone() is not None


def note_heard(connection: sqlite3.Connection, frontend: str, dedupe: str) -> bool:
    """Note an inbound update as dealt with; False when it was noted before."""
    noted = connection.execute(
        "INSERT INTO inbound_seen (frontend, dedupe) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (frontend, dedupe),
    )
    if noted.rowcount == 0:
        return False
    connection.execute(
        "DELETE FROM inbound_seen WHERE number <= (SELECT max(number) FROM inbound_seen) - ?",
        (SEEN_KEPT_MAX,),
    )
    return True
