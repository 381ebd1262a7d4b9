"""The list of tasks, in pages: how far is looked for each, and what is read of a row.

No page looks through more than LOOKED_MAX entries: what is rare and has no index is found page by
page, and every page costs the same, however many jobs there are.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from itertools import islice
from uuid import UUID

from hub.core.task_row import RowCursor, RowFilter, RowPage, RowSort, StateCount, TaskRow
from hub.store.queue import JOB, to_job
from hub.store.row_walks import AT_JOB, Key, horizon_of, order_of, paths_of, people_of, walk
from shared.errors import ErrorBody
from shared.ids import ConversationId, PersonId
from shared.jobs import JobState, Origin
from shared.times import from_ms

LOOKED_MAX = 10_000
"""Entries of an index that one page may look through."""
SEARCHED_MAX = 5_000
"""The same when words are looked for in each."""
COUNTED_MAX = 99
COUNT_LOOKED_MAX = 300
"""Entries that are looked through to count one state."""
UUID_MAX = 2**128 - 1
EVENTS_LOOKED_MAX = 40
"""Of a job, to find when it began."""


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
    order = order_of(sort, is_back=cursor is not None and cursor.is_back)
    paths = paths_of(connection, wanted, sort)
    start = _key(cursor) if cursor else None
    looked_max = looked_max or (SEARCHED_MAX if wanted.words else LOOKED_MAX)
    horizon = horizon_of(connection, paths, wanted, order, start, looked_max)
    found = walk(connection, paths, wanted, order, start, horizon, limit + 1)
    keys = list(islice(found, limit + 1))
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
    order = order_of(RowSort.NEWEST, is_back=False)
    told = {}
    for state in JobState:
        wanted = RowFilter(person_id=person_id, states=frozenset({state}))
        paths = paths_of(connection, wanted, RowSort.NEWEST)
        # Fewer entries than of a page: there is one such walk for each state.
        horizon = horizon_of(connection, paths, wanted, order, None, COUNT_LOOKED_MAX)
        found = walk(connection, paths, wanted, order, None, horizon, COUNTED_MAX + 1)
        count = sum(1 for _ in islice(found, COUNTED_MAX + 1))
        is_more = count > COUNTED_MAX or (horizon is not None and count > 0)
        told[state] = StateCount(count=min(count, COUNTED_MAX), is_more=is_more)
    return told


def kinds(connection: sqlite3.Connection, person_id: PersonId | None) -> list[str]:
    """Every kind that was asked for, by name: one step of the index for each."""
    found: set[str] = set()
    for person in people_of(connection, person_id):
        row = ("",)
        while row is not None:
            row = connection.execute(
                "SELECT kind FROM jobs INDEXED BY jobs_kind WHERE person_id = ? AND kind > ?"
                " AND part_of IS NULL ORDER BY kind LIMIT 1",
                (person, row[0]),
            ).fetchone()
            found.update(row or ())
    return sorted(found)


def _key(cursor: RowCursor) -> Key:
    if cursor.sort is RowSort.UPDATED:
        return (cursor.updated_ms, cursor.job_id)
    return (cursor.job_id,)


def _beside(key: Key, *, is_down: bool) -> Key:
    """A place from which a walk that way comes upon this key first."""
    number = UUID(str(key[-1])).int + (1 if is_down else -1)
    return (*key[:-1], str(UUID(int=min(max(number, 0), UUID_MAX))))


def _cursor(sort: RowSort, key: Key | None, *, is_back: bool) -> RowCursor | None:
    if key is None:
        return None
    updated_ms = int(key[0]) if sort is RowSort.UPDATED else 0
    return RowCursor(sort=sort, job_id=str(key[-1]), updated_ms=updated_ms, is_back=is_back)


_ROW = (
    f"SELECT {', '.join(f'j.{column.strip()}' for column in JOB.split(','))},"
    " j.title, j.origin, j.error, j.updated_ms, t.text, t.conversation, t.created_ms,"
    " (SELECT count(*) FROM jobs AS n WHERE n.task_id = j.task_id AND n.part_of IS NULL),"
    " w.name, p.name, (SELECT at FROM (SELECT hub_seq, at, type FROM events"
    f" WHERE entity = j.job_id ORDER BY hub_seq LIMIT {EVENTS_LOOKED_MAX})"
    " WHERE type = 'job_granted' ORDER BY hub_seq DESC LIMIT 1)"
    " FROM jobs AS j JOIN tasks AS t ON t.task_id = j.task_id"
    f" LEFT JOIN workers AS w ON w.worker_id = {AT_JOB}"
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
