"""A stretch of the hub's log on its way into the copy, within one transaction.

Most of what a hub tells is new and follows all that is known of its job. That is taken in here,
with what it needs looked up once for all of the stretch and its rows written together; anything
else goes the long way, event by event (`copies.hear`). What comes of it is the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from pydantic import ValidationError

from desktop.core.news import News
from desktop.store import copies, copy_tables, known, peers, purging, settings
from desktop.store.copy_lines import Lines
from desktop.store.copy_words import Words
from desktop.store.known import Kept, Turn
from shared.events import Event, JobLogged, WorkerPaired, body_of, digest_of
from shared.ids import JobId
from shared.messages import Numbered
from shared.times import to_ms

APART = frozenset((*purging.PURGES, settings.CHANGED, WorkerPaired.model_fields["type"].default))
"""What changes or reads more than its own rows: all that waits is written before it is heard."""
NUMBERS_MAX = 10_000
"""Of a device's numbers in a stretch so many may be known already; more are looked up singly."""


class Hearing:
    """Hear the events of a stretch, then `write`."""

    def __init__(self, connection: sqlite3.Connection, told: Sequence[Numbered]) -> None:
        self._connection = connection
        self._numbers = _numbers(connection, (entry.event for entry in told))
        self._rows: list[known.Row] = []
        self._lines = Lines(connection)
        self._words = Words(connection)
        self._keys = peers.Keys(connection)
        self._last: int | None = None
        """The last place; None before it was looked up."""
        self._epochs: dict[str, int] = {}
        """The latest epoch that is known of a device."""
        self._tips: dict[str, int] = {}
        """Where the hub's order has the last step of a job; all others come before it."""

    def hear(self, told: Numbered) -> frozenset[News]:
        """Take in an event as `copies.hear` does."""
        event = told.event
        numbers = self._numbers[event.device, event.epoch]
        is_plain = (
            numbers is not None
            and event.seq not in numbers
            and event.type not in APART
            and self._epoch(event.device) <= event.epoch
        )
        if numbers is not None:
            numbers.add(event.seq)
        if is_plain:
            return self._keep(told)
        self.settle()
        return copies.hear(self._connection, told)

    def write(self) -> None:
        """Write what waits. Idempotent."""
        known.write(self._connection, self._rows)
        self._rows.clear()
        self._lines.write()
        self._words.write()

    def settle(self) -> None:
        """Write what waits, and look everything up anew after somebody else's changes."""
        self.write()
        self._lines.forget()
        self._keys.forget()
        self._last = None
        self._epochs.clear()
        self._tips.clear()

    def _keep(self, told: Numbered) -> frozenset[News]:
        """Keep what is new, of a device that has begun no later epoch."""
        event, connection = told.event, self._connection
        canonical = event.canonical()
        doubt = self._keys.doubt(event, canonical)
        try:
            body = None if doubt else body_of(event)
            is_newer = body is None and not doubt and not event.sealed_with
        except ValidationError:
            body, is_newer = None, False
        kept = Kept(is_new=not doubt, step_id=self._next(), job_id=str(getattr(body, "job_id", "")))
        self._epochs[event.device] = event.epoch
        self._rows.append(
            known.row_of(
                event, kept, hub_seq=told.hub_seq, hlc=min(told.hlc, event.hlc), doubt=doubt,
                digest=digest_of(canonical), is_newer=is_newer,
            )
        )  # fmt: skip
        if body is None:
            return frozenset()
        if isinstance(body, JobLogged):
            self._lines.add(body, to_ms(event.at))
            return frozenset({News.LOGS})
        if not kept.job_id:
            return copies.take(connection, event, body, words=self._words)
        has_row = kept.job_id in self._tips
        if self._is_last(told, kept):
            self._tips[kept.job_id] = told.hub_seq
            return copies.take(connection, event, body, words=self._words, has_row=has_row)
        self.settle()
        return copies.show(connection, event, kept)

    def _is_last(self, told: Numbered, kept: Kept) -> bool:
        """Say whether an event follows all steps of its job, and nothing of that was lost."""
        connection, job_id = self._connection, JobId(kept.job_id)
        tip = self._tips.get(job_id)
        if tip is not None:
            return tip < told.hub_seq
        if not known.has_steps(connection, job_id):
            return not copy_tables.has_job(connection, job_id)
        self.write()
        is_next = known.turn(connection, kept) is Turn.NEXT
        return is_next and not known.has_lost(connection, job_id)

    def _next(self) -> int:
        place = known.next_place(self._connection) if self._last is None else self._last + 1
        self._last = place
        return place

    def _epoch(self, device: str) -> int:
        if device not in self._epochs:
            self._epochs[device] = known.last_epoch(self._connection, device)
        return self._epochs[device]


def _numbers(
    connection: sqlite3.Connection, events: Iterable[Event]
) -> dict[tuple[str, int], set[int] | None]:
    """Find which numbers are known between the first and the last of each log; None for many."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for event in events:
        key = event.device, event.epoch
        low, high = spans.get(key, (event.seq, event.seq))
        spans[key] = min(low, event.seq), max(high, event.seq)
    return {
        (device, epoch): known.numbers(connection, device, epoch, low, high, NUMBERS_MAX)
        for (device, epoch), (low, high) in spans.items()
    }
