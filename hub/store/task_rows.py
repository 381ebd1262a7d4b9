"""The list of tasks, in pages: which index is walked, how far, and what is read of each row.

A page walks one index in the order of the list, or several side by side, and looks at each entry
whether it is wanted. It never walks further than LOOKED_MAX entries: what is rare and has no
index is found page by page, and every page costs the same, however many jobs there are.

Words are looked for in the rows themselves. An index of words would be a second copy of them,
which a purge had to find and scrub, and which every new job would pay for.
"""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from hub.core.task_row import (
    SEARCH_CHARS_MAX,
    SEARCH_WORDS_MAX,
    RowCursor,
    RowFilter,
    RowPage,
    RowSort,
    StateCount,
    TaskRow,
)
from hub.store.queue import JOB, to_job
from shared.errors import ErrorBody
from shared.ids import SHORT_LENGTH, ConversationId, PersonId
from shared.jobs import JobState, Origin, Priority
from shared.times import from_ms, to_ms

LOOKED_MAX = 10_000
"""Entries of an index that one page may look through."""
SEARCHED_MAX = 5_000
"""The same when words are looked for in each."""
SORTED_MAX = 2_000
"""So few entries are sorted at each look when there is no index for it."""
COUNTED_MAX = 99
COUNT_LOOKED_MAX = 300
"""Entries that are looked through to count one state."""
PEOPLE_MAX = 50
"""With more people, everybody's list is walked as one."""
EVENTS_LOOKED_MAX = 40
"""Of a job, to find when it began."""

_PLACE = (
    "CASE WHEN {0}state = 'queued' THEN {0}pinned_to ELSE coalesce({0}worker_id, {0}pinned_to) END"
)
"""The worker that has a job, had it last, or must run it; NULL while any may."""
_AT, _AT_J = _PLACE.format(""), _PLACE.format("j.")
OTHERWISE = "('asking','failed','cancelled','interrupted','dead')"


def create_row_indexes(connection: sqlite3.Connection) -> None:
    """Make what the list is walked along: one step of the hub's migrations."""
    connection.execute("CREATE INDEX jobs_kind ON jobs (person_id, kind, job_id)")
    connection.execute(f"CREATE INDEX jobs_worker ON jobs ({_AT}, job_id) WHERE {_AT} IS NOT NULL")
    # What is ordinary (ended well, of no special urgency) is in neither of these.
    connection.execute(
        "CREATE INDEX jobs_urgency ON jobs (person_id, priority, job_id)"
        " WHERE priority <> 'default'"
    )
    connection.execute(
        f"CREATE INDEX jobs_otherwise ON jobs (person_id, state, job_id) WHERE state IN {OTHERWISE}"
    )
    connection.execute("CREATE INDEX jobs_updated ON jobs (person_id, updated_ms, job_id)")


class _Path(NamedTuple):
    """An index to walk, and which stretch of it."""

    name: str
    where: str
    values: tuple[str, ...] = ()


class _Order(NamedTuple):
    """How an index is walked."""

    columns: tuple[str, ...]
    is_down: bool

    @property
    def key(self) -> str:
        return ", ".join(self.columns)

    @property
    def marks(self) -> str:
        return f"({', '.join('?' * len(self.columns))})"

    @property
    def by(self) -> str:
        way = "DESC" if self.is_down else "ASC"
        return ", ".join(f"{column} {way}" for column in self.columns)


Key = tuple[int | str, ...]
_BY_ID = ("j.job_id",)
_BY_CHANGE = ("j.updated_ms", "j.job_id")


def page(
    connection: sqlite3.Connection,
    wanted: RowFilter,
    sort: RowSort,
    cursor: RowCursor | None,
    limit: int,
    looked_max: int | None = None,
) -> RowPage:
    """Read a page; why a row waits is left to the service.

    Args:
        connection: to read by.
        wanted: which rows.
        sort: in which order.
        cursor: where the page begins, or ends; None for the first page.
        limit: how many rows at most.
        looked_max: how many entries may be looked through for them.
    """
    order = _order(sort, is_back=cursor is not None and cursor.is_back)
    paths = _paths(connection, wanted, sort)
    start = _key(cursor) if cursor else None
    looked_max = looked_max or (SEARCHED_MAX if wanted.words else LOOKED_MAX)
    horizon = _horizon(connection, paths, wanted, order, start, looked_max)
    walk = _walk(connection, paths, wanted, order, start, horizon, limit + 1)
    keys = list(islice(walk, limit + 1))
    has_more = len(keys) > limit
    keys = keys[:limit]
    end = keys[-1] if has_more else horizon
    # The way back begins before the first row here, or, with none, with the last one looked at.
    begin = (
        None if start is None else keys[0] if keys else _beside(start, is_down=not order.is_down)
    )
    older, newer = end, begin
    if cursor is not None and cursor.is_back:
        keys.reverse()
        older, newer = begin, end
    return RowPage(
        rows=tuple(row(connection, str(key[-1])) for key in keys),
        older=_cursor(sort, older, is_back=False),
        newer=_cursor(sort, newer, is_back=True),
        is_partial=not has_more and horizon is not None,
    )


def counts(
    connection: sqlite3.Connection, person_id: PersonId | None
) -> dict[JobState, StateCount]:
    """How many tasks are in each state, by their newest job; no state is counted to its end."""
    order = _order(RowSort.NEWEST, is_back=False)
    told = {}
    for state in JobState:
        wanted = RowFilter(person_id=person_id, states=frozenset({state}))
        paths = _paths(connection, wanted, RowSort.NEWEST)
        # Fewer entries than of a page: there is one such walk for each state.
        horizon = _horizon(connection, paths, wanted, order, None, COUNT_LOOKED_MAX)
        walk = _walk(connection, paths, wanted, order, None, horizon, COUNTED_MAX + 1)
        count = sum(1 for _ in islice(walk, COUNTED_MAX + 1))
        is_more = count > COUNTED_MAX or (horizon is not None and count > 0)
        told[state] = StateCount(count=min(count, COUNTED_MAX), is_more=is_more)
    return told


def kinds(connection: sqlite3.Connection, person_id: PersonId | None) -> list[str]:
    """Every kind that was asked for, by name: one step of the index for each."""
    found: set[str] = set()
    for person in _people(connection, person_id):
        row = ("",)
        while row is not None:
            row = connection.execute(
                "SELECT kind FROM jobs INDEXED BY jobs_kind WHERE person_id = ? AND kind > ?"
                " ORDER BY kind LIMIT 1",
                (person, row[0]),
            ).fetchone()
            found.update(row or ())
    return sorted(found)


def _order(sort: RowSort, *, is_back: bool) -> _Order:
    is_down = (sort is not RowSort.OLDEST) != is_back
    if sort is RowSort.UPDATED:
        return _Order(_BY_CHANGE, is_down)
    return _Order(_BY_ID, is_down)


def _key(cursor: RowCursor) -> Key:
    if cursor.sort is RowSort.UPDATED:
        return (cursor.updated_ms, cursor.job_id)
    return (cursor.job_id,)


def _beside(key: Key, *, is_down: bool) -> Key:
    """A place from which a walk that way comes upon this key first."""
    number = UUID(str(key[-1])).int + (1 if is_down else -1)
    return (*key[:-1], str(UUID(int=number)))


def _cursor(sort: RowSort, key: Key | None, *, is_back: bool) -> RowCursor | None:
    if key is None:
        return None
    updated_ms = int(key[0]) if sort is RowSort.UPDATED else 0
    return RowCursor(sort=sort, job_id=str(key[-1]), updated_ms=updated_ms, is_back=is_back)


# Which way.


def _people(connection: sqlite3.Connection, person_id: PersonId | None) -> list[str]:
    if person_id is not None:
        return [person_id]
    return [row[0] for row in connection.execute("SELECT person_id FROM people ORDER BY 1")]


def _paths(connection: sqlite3.Connection, wanted: RowFilter, sort: RowSort) -> list[_Path]:
    """Choose what to walk: the fewest entries that hold all that is wanted, as far as is known."""
    people = _people(connection, wanted.person_id)
    if len(people) > PEOPLE_MAX and wanted.worker_id is None:
        return [_Path("sqlite_autoindex_jobs_1", "1")]
    narrow = _narrow(wanted, people)
    if sort is RowSort.UPDATED and not (narrow and _is_short(connection, narrow)):
        return [_Path("jobs_updated", "j.person_id = ?", (person,)) for person in people]
    if narrow:
        return narrow
    return [_Path("idx_jobs_person_id_job_id", "j.person_id = ?", (person,)) for person in people]


def _narrow(wanted: RowFilter, people: list[str]) -> list[_Path]:
    """What to walk for what is wanted in particular; nothing when that is not indexed."""
    if wanted.states and JobState.SUCCEEDED not in wanted.states:
        return [path for state in sorted(wanted.states) for path in _state_paths(state, people)]
    if wanted.worker_id is not None:
        return [_Path("jobs_worker", f"{_AT_J} = ? AND {_AT_J} IS NOT NULL", (wanted.worker_id,))]
    if wanted.priority not in (None, Priority.DEFAULT):
        where = "j.person_id = ? AND j.priority = ? AND j.priority <> 'default'"
        return [_Path("jobs_urgency", where, (person, str(wanted.priority))) for person in people]
    if wanted.kind:
        where = "j.person_id = ? AND j.kind = ?"
        return [_Path("jobs_kind", where, (person, wanted.kind)) for person in people]
    return []


def _state_paths(state: JobState, people: list[str]) -> list[_Path]:
    match state:
        case JobState.QUEUED | JobState.OFFERED:
            # An offer is not stored: the job is queued until it is granted.
            return [_Path("jobs_queued", f"j.state = '{state.value}' AND j.state = 'queued'")]
        case JobState.GRANTED | JobState.RUNNING:
            return [_Path("jobs_held", f"j.is_held = 1 AND j.state = '{state.value}'")]
        case _:
            where = f"j.person_id = ? AND j.state = '{state.value}' AND j.state IN {OTHERWISE}"
            return [_Path("jobs_otherwise", where, (person,)) for person in people]


def _is_short(connection: sqlite3.Connection, paths: list[_Path]) -> bool:
    """Whether all the entries are so few that they can be sorted at each look."""
    left = SORTED_MAX
    for path in paths:
        [(count,)] = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM jobs AS j INDEXED BY {path.name}"
            f" WHERE {path.where} LIMIT ?)",
            (*path.values, left + 1),
        )
        left -= count
    return left >= 0


# Walking.


def _horizon(
    connection: sqlite3.Connection,
    paths: list[_Path],
    wanted: RowFilter,
    order: _Order,
    start: Key | None,
    looked_max: int,
) -> Key | None:
    """Find the last entry that may be looked at; None when all of them may."""
    ends: list[Key] = []
    for path in paths:
        where, values = _stretch(path, wanted, order, start, None)
        end = connection.execute(
            f"SELECT {order.key} FROM jobs AS j INDEXED BY {path.name} WHERE {where}"
            f" ORDER BY {order.by} LIMIT 1 OFFSET ?",
            (*values, max(1, looked_max // len(paths)) - 1),
        ).fetchone()
        if end is not None:
            ends.append(end)
    if not ends:
        return None
    return max(ends) if order.is_down else min(ends)


def _walk(
    connection: sqlite3.Connection,
    paths: list[_Path],
    wanted: RowFilter,
    order: _Order,
    start: Key | None,
    horizon: Key | None,
    limit: int,
) -> Iterator[Key]:
    """Yield the places of wanted rows in order, up to and with the horizon."""
    tests, told = _tests(wanted)
    walks: list[Iterable[Key]] = []
    for path in paths:
        where, values = _stretch(path, wanted, order, start, horizon)
        walks.append(
            connection.execute(
                f"SELECT {order.key} FROM jobs AS j INDEXED BY {path.name}"
                f" WHERE {' AND '.join((where, *tests))} ORDER BY {order.by} LIMIT ?",
                (*values, *told, limit),
            )
        )
    return heapq.merge(*walks, reverse=order.is_down)


def _stretch(
    path: _Path, wanted: RowFilter, order: _Order, start: Key | None, horizon: Key | None
) -> tuple[str, Key]:
    """Write which entries of an index are walked: beyond the start, up to and with the horizon."""
    first = (_first_id(wanted.since),) if wanted.since else None
    end = (_first_id(wanted.until),) if wanted.until else None
    if order.columns != _BY_ID:
        first = end = None
    elif not order.is_down:
        first, end = end, first
    # One bound a side, for SQLite seeks by one alone. No id equals the beginning of an id.
    tight, wide = (min, max) if order.is_down else (max, min)
    start = tight(filter(None, (start, end)), default=None)
    horizon = wide(filter(None, (horizon, first)), default=None)
    where = path.where
    beyond, back = ("<", ">=") if order.is_down else (">", "<=")
    if start is not None:
        where += f" AND ({order.key}) {beyond} {order.marks}"
    if horizon is not None:
        where += f" AND ({order.key}) {back} {order.marks}"
    return where, (*path.values, *(start or ()), *(horizon or ()))


def _tests(wanted: RowFilter) -> tuple[list[str], tuple[str | int, ...]]:
    """Write what a row must be, beside standing where it is looked for."""
    # The newest job speaks for its task.
    tests = [
        "NOT EXISTS (SELECT 1 FROM jobs AS n WHERE n.task_id = j.task_id AND n.job_id > j.job_id)"
    ]
    values: list[str | int] = []
    for test, value in (
        ("j.person_id = ?", wanted.person_id),
        ("j.kind = ?", wanted.kind or None),
        (f"{_AT_J} = ?", wanted.worker_id),
        ("j.priority = ?", wanted.priority),
        ("j.origin = ?", wanted.origin),
        ("j.job_id >= ?", _first_id(wanted.since) if wanted.since else None),
        ("j.job_id < ?", _first_id(wanted.until) if wanted.until else None),
    ):
        if value is not None:
            tests.append(test)
            values.append(value)
    if wanted.states:
        # From an enumeration, never from outside.
        tests.append("j.state IN (" + ",".join(f"'{s.value}'" for s in wanted.states) + ")")
    for word in wanted.words[:SEARCH_CHARS_MAX].split()[:SEARCH_WORDS_MAX]:
        test, told = _word_test(word)
        tests.append(test)
        values += told
    return tests, tuple(values)


def _word_test(word: str) -> tuple[str, list[str]]:
    literal = re.sub(r"([%_!])", r"!\1", word)
    test = (
        "j.title LIKE ? ESCAPE '!' OR EXISTS (SELECT 1 FROM tasks AS t"
        " WHERE t.task_id = j.task_id AND t.text LIKE ? ESCAPE '!')"
    )
    values = [f"%{literal}%"] * 2
    short = word.removeprefix("#").upper()
    if len(short) == SHORT_LENGTH:
        return f"({test} OR j.short = ?)", [*values, short]
    return f"({test})", values


def _first_id(then: datetime) -> str:
    """Return what every id made at a moment or later is not below (RFC 9562, section 5.7)."""
    digits = f"{max(0, to_ms(then)):012x}"
    return f"{digits[:8]}-{digits[8:]}"


# Reading what was found.

_ROW = (
    f"SELECT {', '.join(f'j.{column.strip()}' for column in JOB.split(','))},"
    " j.title, j.origin, j.error, j.updated_ms, t.text, t.conversation, t.created_ms,"
    " (SELECT count(*) FROM jobs AS n WHERE n.task_id = j.task_id),"
    " w.name, p.name, (SELECT at FROM (SELECT hub_seq, at, type FROM events"
    f" WHERE entity = j.job_id ORDER BY hub_seq LIMIT {EVENTS_LOOKED_MAX})"
    " WHERE type = 'job_granted' ORDER BY hub_seq DESC LIMIT 1)"
    " FROM jobs AS j JOIN tasks AS t ON t.task_id = j.task_id"
    f" LEFT JOIN workers AS w ON w.worker_id = {_AT_J}"
    " LEFT JOIN people AS p ON p.person_id = j.person_id WHERE j.job_id = ?"
)


def row(connection: sqlite3.Connection, job_id: str) -> TaskRow:
    """Read the row of a task by its newest job."""
    found = connection.execute(_ROW, (job_id,)).fetchone()
    title, origin, error, updated_ms, text, conversation, asked_ms, jobs, worker, owner, began = (
        found[-11:]
    )
    return TaskRow(
        job=to_job(found[:-11]),
        title=title,
        text=text,
        conversation=ConversationId(conversation),
        origin=Origin(origin),
        error=ErrorBody.model_validate_json(error) if error else None,
        asked_at=from_ms(asked_ms),
        updated_at=from_ms(updated_ms),
        started_at=datetime.fromisoformat(began) if began else None,
        jobs=jobs,
        worker=worker or "",
        owner=owner or "",
    )
