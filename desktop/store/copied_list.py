"""Reads of the list of jobs: by state, machine, kind and words, in any order, page by page.

Parts of jobs are not in it (`copied.parts_of`).

A page begins after a row (keyset), so page one thousand costs what page one costs. Words are
looked for in titles, in what the person said, and in the newest lines of logs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from desktop.store.copied import IS_WHOLE, JOBS, JobRow, job_row
from desktop.store.known import IS_STEP
from desktop.store.words import match_of
from shared.jobs import JobState

PAGE_ROWS = 100
FOUND_LINES_MAX = 10_000
"""Of the lines that have the words so many count, the newest."""
CHANGES_MAX = 500
"""After more changes a list is read anew instead of mended."""


class Shelf(IntEnum):
    """Where a list puts a job; as `copy_job.shelf`."""

    ASKING = 0
    RUNNING = 1
    WAITING = 2
    FAILED = 3
    DONE = 4


SHELVES: Mapping[JobState, Shelf] = {
    JobState.ASKING: Shelf.ASKING,
    JobState.RUNNING: Shelf.RUNNING,
    JobState.GRANTED: Shelf.RUNNING,
    JobState.QUEUED: Shelf.WAITING,
    JobState.OFFERED: Shelf.WAITING,
    JobState.SUCCEEDED: Shelf.DONE,
    JobState.CANCELLED: Shelf.DONE,
    JobState.FAILED: Shelf.FAILED,
    JobState.INTERRUPTED: Shelf.FAILED,
    JobState.DEAD: Shelf.FAILED,
}


class Order(StrEnum):
    """What a list is sorted by; within the same value the newest job comes first."""

    AGE = "created_ms"
    STATE = "shelf"
    TITLE = "title collate nocase"
    MACHINE = "machine collate nocase"
    KIND = "kind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs a list shows, and in which order."""

    shelf: Shelf | None = None
    machine: str = ""
    kind: str = ""
    words: str = ""
    """As the person typed them."""
    order: Order = Order.AGE
    is_reversed: bool = False
    """By age the oldest first, otherwise from Z to A."""

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.shelf is None and not (self.machine or self.kind or match_of(self.words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far a list has seen the copy."""

    step: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a list must mend."""

    mark: Mark
    is_everything: bool
    """Too much has changed, or the copy was begun anew: read from the start."""
    numbers: frozenset[int]
    """Jobs that changed."""
    rows: tuple[JobRow, ...]
    """Those of them that the list wants."""


def page(
    connection: sqlite3.Connection,
    wanted: Wanted,
    after: JobRow | None = None,
    limit: int = PAGE_ROWS,
) -> tuple[JobRow, ...]:
    """Read the jobs that follow a row in the wanted order."""
    conditions, values = _conditions(wanted)
    if after is not None:
        following, given = _following(wanted, after)
        conditions, values = [*conditions, following], [*values, *given]
    rows = connection.execute(
        f"{JOBS} where {' and '.join(conditions)} order by {_order(wanted)} limit ?",
        (*values, limit),
    )
    return tuple(job_row(row) for row in rows)


def mark(connection: sqlite3.Connection) -> Mark:
    """Say where the copy ends now; read it before the pages that it is for."""
    step, line = connection.execute(
        "select (select max(step_id) from event), (select max(line_id) from copy_line)"
    ).fetchone()
    return Mark(step=step or 0, line=line or 0)


def changes(connection: sqlite3.Connection, wanted: Wanted, since: Mark) -> Changes:
    """Read what has changed since a mark, as far as a list shows it."""
    now = mark(connection)
    told = [
        job_id
        for (job_id,) in connection.execute(
            f"select job_id from event where step_id > ? and job_id != '' and {IS_STEP} limit ?",
            (since.step, CHANGES_MAX + 1),
        )
    ]
    marks = ", ".join("?" * len(told))
    found = [
        number
        for (number,) in connection.execute(
            f"select number from copy_job where job_id in ({marks}) and {IS_WHOLE}", told
        )
    ]
    if match_of(wanted.words):
        # A new line may have the words that a list is about.
        found += [
            number
            for (number,) in connection.execute(
                "select distinct job from copy_line where line_id > ? limit ?",
                (since.line, CHANGES_MAX + 1),
            )
        ]
    numbers = frozenset(found)
    is_everything = (
        now.step < since.step or now.line < since.line or max(len(numbers), len(told)) > CHANGES_MAX
    )
    rows = () if is_everything or not numbers else _rows(connection, wanted, sorted(numbers))
    return Changes(mark=now, is_everything=is_everything, numbers=numbers, rows=rows)


def precedes(one: JobRow, other: JobRow, wanted: Wanted) -> bool:
    """Say whether a row stands before another in the wanted order."""
    mine, its = _value(one, wanted.order), _value(other, wanted.order)
    if mine != its:
        comes_first = mine < its
    else:
        comes_first = (one.created_at, one.number) > (other.created_at, other.number)
    return comes_first != wanted.is_reversed


def has_too_many_lines(connection: sqlite3.Connection, words: str) -> bool:
    """Say whether more lines have the words than count, so that old jobs may be left out."""
    match = match_of(words)
    if not match:
        return False
    (count,) = connection.execute(
        "select count(*) from (select rowid from copy_line_words where copy_line_words match ?"
        " limit ?)",
        (match, FOUND_LINES_MAX + 1),
    ).fetchone()
    return bool(count > FOUND_LINES_MAX)


def shelf_counts(connection: sqlite3.Connection) -> Mapping[Shelf, int]:
    """Count what asks, runs, waits and failed, of all jobs."""
    rows = connection.execute(
        f"select shelf, count(*) from copy_job where shelf < ? and {IS_WHOLE} group by shelf",
        (Shelf.DONE,),
    )
    return {Shelf(shelf): count for shelf, count in rows}


def machines(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Read the names of machines that jobs belong to, each once."""
    return _distinct(connection, "machine", "machine collate nocase")


def kinds(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Read the kinds that jobs are of, each once."""
    return _distinct(connection, "kind", "kind")


def _rows(
    connection: sqlite3.Connection, wanted: Wanted, numbers: Sequence[int]
) -> tuple[JobRow, ...]:
    conditions, values = _conditions(wanted)
    marks = ", ".join("?" * len(numbers))
    rows = connection.execute(
        f"{JOBS} where {' and '.join([f'number in ({marks})', *conditions])}",
        (*numbers, *values),
    )
    return tuple(job_row(row) for row in rows)


def _conditions(wanted: Wanted) -> tuple[list[str], list[object]]:
    conditions = [IS_WHOLE]
    values: list[object] = []
    if wanted.shelf is not None:
        conditions.append("shelf = ?")
        values.append(int(wanted.shelf))
    if wanted.machine:
        conditions.append("machine = ? collate nocase")
        values.append(wanted.machine)
    if wanted.kind:
        conditions.append("kind = ?")
        values.append(wanted.kind)
    if match := match_of(wanted.words):
        conditions.append(
            # The plus keeps SQLite from reading and sorting every job that is found: it walks
            # the list in its order, and stops at the end of the page.
            "+number in (select rowid from copy_job_words where copy_job_words match ?"
            " union all select job from (select rowid as line from copy_line_words"
            " where copy_line_words match ? order by rowid desc limit ?)"
            " cross join copy_line on line_id = line)"
        )
        values += [match, match, FOUND_LINES_MAX]
    return conditions, values


def _following(wanted: Wanted, after: JobRow) -> tuple[str, list[object]]:
    """Say in SQL what stands after a row; the first comparison is the seek in the index."""
    created = after.created_ms
    older = ">" if wanted.is_reversed else "<"
    newest = f"(created_ms, number) {older} (?, ?)"
    if wanted.order is Order.AGE:
        return newest, [created, after.number]
    onward = "<" if wanted.is_reversed else ">"
    value = _sql_value(after, wanted.order)
    column = wanted.order.value
    return (
        f"{column} {onward}= ? and ({column} {onward} ? or {newest})",
        [value, value, created, after.number],
    )


def _order(wanted: Wanted) -> str:
    up, down = ("desc", "asc") if wanted.is_reversed else ("asc", "desc")
    newest = f"created_ms {down}, number {down}"
    return newest if wanted.order is Order.AGE else f"{wanted.order.value} {up}, {newest}"


def _value(row: JobRow, order: Order) -> tuple[int, str]:
    match order:
        case Order.AGE:
            return (0, "")
        case Order.STATE:
            return (SHELVES[row.state], "")
        case Order.TITLE:
            return (0, _folded(row.title))
        case Order.MACHINE:
            return (0, _folded(row.machine))
        case Order.KIND:
            return (0, row.kind)


def _sql_value(row: JobRow, order: Order) -> int | str:
    match order:
        case Order.STATE:
            return int(SHELVES[row.state])
        case Order.MACHINE:
            return row.machine
        case Order.KIND:
            return row.kind
        case _:
            return row.title


def _folded(text: str) -> str:
    """Fold letters as SQLite's `nocase` does: those of ASCII alone."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _distinct(connection: sqlite3.Connection, name: str, column: str) -> tuple[str, ...]:
    """Read each value once, by one seek per value."""
    rows = connection.execute(
        f"with recursive one(value) as (select min({column}) from copy_job where {IS_WHOLE}"
        f" union all select (select min({column}) from copy_job where {column} > value"
        f" and {IS_WHOLE}) from one"
        f" where value is not null) select value from one where value > '' limit 200"
    )
    return tuple(value for (value,) in rows)
