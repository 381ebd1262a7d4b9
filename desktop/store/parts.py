"""The parts of jobs in hand: which index is which job, which are open, how the others ended.

Rows are written in the transactions that make and end the parts' attempts, so that no part is
made twice while it is open, and each end is counted once. They live no longer than their maker's
attempt.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from enum import StrEnum

from shared.events import AttemptEventBody, JobCancelled, JobSucceeded
from shared.ids import JobId


class PartEnd(StrEnum):
    """How a part came out, as its maker counts it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


def create(connection: sqlite3.Connection) -> None:
    """Make the table: one step of the worker's migrations."""
    connection.execute(
        "create table part (maker text not null, number integer not null, job_id text not null,"
        " outcome text not null default '', primary key (maker, number)) strict, without rowid"
    )
    connection.execute("create unique index part_job on part (job_id)")
    connection.execute("alter table attempt add column part_of text not null default ''")


def end_of(body: AttemptEventBody) -> PartEnd:
    """Say what an attempt's end means for the job that it is a part of."""
    match body:
        case JobSucceeded():
            return PartEnd.SUCCEEDED
        case JobCancelled():
            return PartEnd.CANCELLED
        case _:
            return PartEnd.FAILED


def add(connection: sqlite3.Connection, maker: JobId, number: int, job_id: JobId) -> None:
    """Open a part; one that has ended is made anew under its number."""
    connection.execute(
        "insert into part (maker, number, job_id) values (?, ?, ?) on conflict (maker, number)"
        " do update set job_id = excluded.job_id, outcome = ''",
        (maker, number, job_id),
    )


def end(connection: sqlite3.Connection, job_id: JobId, outcome: PartEnd) -> None:
    """Count the end of a part; the first one counts."""
    connection.execute(
        "update part set outcome = ? where job_id = ? and outcome = ''", (outcome, job_id)
    )


def known_of(connection: sqlite3.Connection, maker: JobId) -> dict[int, JobId]:
    """Return the parts of a job that need not be made again, by their index."""
    rows = connection.execute(
        "select number, job_id from part where maker = ? and outcome in ('', 'succeeded')",
        (maker,),
    )
    return {number: JobId(job_id) for number, job_id in rows}


def ends_of(
    connection: sqlite3.Connection, maker: JobId, numbers: Iterable[int]
) -> Mapping[PartEnd, int]:
    """Count how parts of a job came out, of those with these indexes."""
    rows = connection.execute(
        "select outcome, count(*) from part where maker = ? and outcome != ''"
        " and number in (select value from json_each(?)) group by outcome",
        (maker, json.dumps(list(numbers))),
    )
    return {PartEnd(outcome): count for outcome, count in rows}


def forget_ended(connection: sqlite3.Connection, maker: JobId) -> None:
    """Its maker is over, so nobody asks any more how they came out; nor for what others run."""
    connection.execute(
        "delete from part where maker = ?"
        " and (outcome != '' or job_id not in (select job_id from attempt))",
        (maker,),
    )


def forget_orphans(connection: sqlite3.Connection) -> None:
    """Drop what no job in hand is the maker of; the attempts of open ones have been ended."""
    connection.execute(
        "delete from part where maker not in (select job_id from attempt where state != 'ended')"
    )
