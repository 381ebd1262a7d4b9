"""Walking the jobs for the list of tasks: which indexes, which stretch of them, and what fits.

A walk goes along one index in the order of the list, or along several side by side, and looks at
each entry whether it is wanted. It never goes beyond its horizon.

Words are looked for in the rows themselves. An index of words would be a second copy of them,
which a purge had to find and scrub, and which every new job would pay for.
"""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from hub.core.task_row import SEARCH_CHARS_MAX, SEARCH_WORDS_MAX, RowFilter, RowSort
from shared.ids import SHORT_LENGTH, PersonId
from shared.jobs import JobState, Priority
from shared.times import to_ms

SORTED_MAX = 2_000
"""So few entries are sorted at each look when there is no index for it."""
PEOPLE_MAX = 50
"""With more people, everybody's list is walked as one."""

_PLACE = (
    "CASE WHEN {0}state = 'queued' THEN {0}pinned_to ELSE coalesce({0}worker_id, {0}pinned_to) END"
)
"""The worker that has a job, had it last, or must run it; NULL while any may."""
_AT, AT_JOB = _PLACE.format(""), _PLACE.format("j.")
IS_WHOLE = "j.part_of IS NULL"
"""Parts of jobs are in none of the indexes."""
_OTHERWISE = ("asking", "failed", "cancelled", "interrupted", "dead")
"""States that few jobs are in."""


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
        "CREATE INDEX jobs_otherwise ON jobs (person_id, state, job_id)"
        f" WHERE state IN {_OTHERWISE}"
    )
    connection.execute("CREATE INDEX jobs_updated ON jobs (person_id, updated_ms, job_id)")


def leave_out_parts(connection: sqlite3.Connection) -> None:
    """Keep the parts of jobs out of what lists are walked along: one step of the migrations."""
    connection.execute("ALTER TABLE jobs ADD COLUMN part_of TEXT")
    for name, rest in (
        ("idx_jobs_person_id_job_id", "(person_id, job_id) WHERE"),
        ("jobs_kind", "(person_id, kind, job_id) WHERE"),
        ("jobs_worker", f"({_AT}, job_id) WHERE {_AT} IS NOT NULL AND"),
        ("jobs_urgency", "(person_id, priority, job_id) WHERE priority <> 'default' AND"),
        ("jobs_otherwise", f"(person_id, state, job_id) WHERE state IN {_OTHERWISE} AND"),
        ("jobs_updated", "(person_id, updated_ms, job_id) WHERE"),
        ("jobs_dead", "(person_id, job_id) WHERE state = 'dead' AND"),
    ):
        connection.execute(f"DROP INDEX {name}")
        connection.execute(f"CREATE INDEX {name} ON jobs {rest} part_of IS NULL")
    connection.execute("CREATE INDEX jobs_whole ON jobs (job_id) WHERE part_of IS NULL")
    connection.execute("CREATE INDEX jobs_of_task ON jobs (task_id, job_id) WHERE part_of IS NULL")
    connection.execute(
        "CREATE INDEX jobs_parts ON jobs (part_of, job_id, state) WHERE part_of IS NOT NULL"
    )


def add_lent(connection: sqlite3.Connection) -> None:
    """Know parts that other workers are to run: one step of the migrations."""
    connection.execute("ALTER TABLE jobs ADD COLUMN is_lent INTEGER NOT NULL DEFAULT 0")
    connection.execute("CREATE INDEX jobs_lent ON jobs (part_of) WHERE is_lent = 1")


def compare_states(connection: sqlite3.Connection) -> None:
    """Say which jobs are listed otherwise without a list: one step of the migrations.

    SQLite makes a table of a list of values at each row that is written.
    """
    either = " OR ".join(f"state = '{state}'" for state in _OTHERWISE)
    connection.execute("DROP INDEX jobs_otherwise")
    connection.execute(
        "CREATE INDEX jobs_otherwise ON jobs (person_id, state, job_id)"
        f" WHERE ({either}) AND part_of IS NULL"
    )


class Path(NamedTuple):
    """An index to walk, and which stretch of it."""

    name: str
    where: str
    values: tuple[str, ...] = ()


class Order(NamedTuple):
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


def order_of(sort: RowSort, *, is_back: bool) -> Order:
    is_down = (sort is not RowSort.OLDEST) != is_back
    if sort is RowSort.UPDATED:
        return Order(_BY_CHANGE, is_down)
    return Order(_BY_ID, is_down)


# Which way.


def people_of(connection: sqlite3.Connection, person_id: PersonId | None) -> list[str]:
    if person_id is not None:
        return [person_id]
    return [row[0] for row in connection.execute("SELECT person_id FROM people ORDER BY 1")]


def paths_of(connection: sqlite3.Connection, wanted: RowFilter, sort: RowSort) -> list[Path]:
    """Choose what to walk: the fewest entries that hold all that is wanted, as far as is known."""
    people = people_of(connection, wanted.person_id)
    if len(people) > PEOPLE_MAX and wanted.worker_id is None:
        return [Path("jobs_whole", "1")]
    narrow = _narrow(wanted, people)
    if sort is RowSort.UPDATED and not (narrow and _is_short(connection, narrow)):
        return [Path("jobs_updated", "j.person_id = ?", (person,)) for person in people]
    if narrow:
        return narrow
    return [Path("idx_jobs_person_id_job_id", "j.person_id = ?", (person,)) for person in people]


def _narrow(wanted: RowFilter, people: list[str]) -> list[Path]:
    """What to walk for what is wanted in particular; nothing when that is not indexed."""
    if wanted.states and JobState.SUCCEEDED not in wanted.states:
        return [path for state in sorted(wanted.states) for path in _state_paths(state, people)]
    if wanted.worker_id is not None:
        return [Path("jobs_worker", f"{AT_JOB} = ? AND {AT_JOB} IS NOT NULL", (wanted.worker_id,))]
    if wanted.priority not in (None, Priority.DEFAULT):
        where = "j.person_id = ? AND j.priority = ? AND j.priority <> 'default'"
        return [Path("jobs_urgency", where, (person, str(wanted.priority))) for person in people]
    if wanted.kind:
        where = "j.person_id = ? AND j.kind = ?"
        return [Path("jobs_kind", where, (person, wanted.kind)) for person in people]
    return []


def _state_paths(state: JobState, people: list[str]) -> list[Path]:
    match state:
        case JobState.QUEUED | JobState.OFFERED:
            # An offer is not stored: the job is queued until it is granted.
            return [Path("jobs_queued", f"j.state = '{state.value}' AND j.state = 'queued'")]
        case JobState.GRANTED | JobState.RUNNING:
            return [Path("jobs_held", f"j.is_held = 1 AND j.state = '{state.value}'")]
        case _:
            where = f"j.person_id = ? AND j.state = '{state.value}'"
            return [Path("jobs_otherwise", where, (person,)) for person in people]


def _is_short(connection: sqlite3.Connection, paths: list[Path]) -> bool:
    """Whether all the entries are so few that they can be sorted at each look."""
    left = SORTED_MAX
    for path in paths:
        [(count,)] = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM jobs AS j INDEXED BY {path.name}"
            f" WHERE {path.where} AND {IS_WHOLE} LIMIT ?)",
            (*path.values, left + 1),
        )
        left -= count
    return left >= 0


# Walking.


def horizon_of(
    connection: sqlite3.Connection,
    paths: list[Path],
    wanted: RowFilter,
    order: Order,
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


def walk(
    connection: sqlite3.Connection,
    paths: list[Path],
    wanted: RowFilter,
    order: Order,
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
    path: Path, wanted: RowFilter, order: Order, start: Key | None, horizon: Key | None
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
    where = f"{path.where} AND {IS_WHOLE}"
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
        "NOT EXISTS (SELECT 1 FROM jobs AS n WHERE n.task_id = j.task_id AND n.job_id > j.job_id"
        " AND n.part_of IS NULL)"
    ]
    values: list[str | int] = []
    for test, value in (
        ("j.person_id = ?", wanted.person_id),
        ("j.kind = ?", wanted.kind or None),
        (f"{AT_JOB} = ?", wanted.worker_id),
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
