"""The tables of the copy (`desktop.store.copies`): made once, and emptied for another hub."""

from __future__ import annotations

import sqlite3

from pydantic_core import from_json, to_json

from desktop.core.admission import AskedHere
from shared.events import TaskRequested
from shared.ids import JobId, WorkerId

INDEX = (
    "insert or replace into copy_job_words (rowid, words) select number,"
    " title || ' ' || kind || ' ' || coalesce(text, '')"
    " from copy_job left join copy_task using (task_id) where part_of = ''"
)
"""Writes what a job is found by; a further condition says which. Parts are found by their maker."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables: one step of the worker's migrations."""
    for statement in (
        "create table copy_worker (worker_id text primary key, name text not null,"
        " state text not null default 'known', since_ms integer not null default 0) strict",
        "create table copy_task (task_id text primary key, text text not null,"
        " created_ms integer not null, is_ours integer not null default 0) strict",
        # Only what lists show and sort by; `result` and `error` are JSON as the events told them.
        "create table copy_job (number integer primary key, job_id text not null unique,"
        " task_id text not null default '',"
        " kind text not null default '', title text not null default '',"
        " state text not null default 'queued', attempt integer not null default 1,"
        " fence integer not null default 0, worker_id text not null default '',"
        # The worker's name, and where lists put the job: both to sort by, page by page.
        " machine text not null default '', shelf integer generated always as ("
        "case state when 'asking' then 0 when 'running' then 1 when 'granted' then 1"
        " when 'queued' then 2 when 'offered' then 2 when 'succeeded' then 4"
        " when 'cancelled' then 4 else 3 end) virtual,"
        " created_ms integer not null, updated_ms integer not null,"
        " started_ms integer, ended_ms integer, not_before_ms integer,"
        " running_seconds real, inputs text not null default '', result text not null default '',"
        " error text not null default '', cancel_by text not null default '',"
        " line_count integer not null default 0, is_ours integer not null default 0) strict",
        "create table asked_here (job_id text primary key, kind text not null,"
        " inputs text not null) strict",
        "create index copy_job_updated on copy_job (updated_ms desc)",
        "create index copy_job_created on copy_job (created_ms, number)",
        *(
            f"create index copy_job_{name} on copy_job ({order}, created_ms desc, number desc)"
            for name, order in (
                ("shelf", "shelf"),
                ("title", "title collate nocase"),
                ("machine", "machine collate nocase"),
                ("kind", "kind"),
            )
        ),
        "create index copy_job_task on copy_job (task_id)",
        "create table copy_question (question_id text primary key, job_id text not null,"
        " asking text not null, state text not null default 'open', asked_ms integer not null,"
        " expires_ms integer not null, value text not null default '',"
        " answered_by text not null default '', answered_ms integer,"
        # Given here, and not yet counted by the hub.
        " given text not null default '') strict",
        "create index copy_question_job on copy_question (job_id)",
        "create index copy_question_open on copy_question (asked_ms) where state != 'answered'"
        " and state != 'closed'",
        "create table copy_step (step_id integer primary key, job_id text not null,"
        " at_ms integer not null, device text not null, type text not null,"
        " body text not null) strict",
        "create index copy_step_job on copy_step (job_id, step_id)",
        # `job` is the job's number here, `number` the line's within the job: both without gaps,
        # so that any page of any log is one seek.
        "create table copy_line (line_id integer primary key, job integer not null,"
        " number integer not null, attempt integer not null, at_ms integer not null,"
        " text text not null) strict",
        "create unique index copy_line_job on copy_line (job, number)",
        "create virtual table copy_line_words using fts5(text, content='copy_line',"
        " content_rowid='line_id', columnsize=0,"
        " tokenize='unicode61 remove_diacritics 2')",
        # A job's words stand under its number.
        "create virtual table copy_job_words using fts5(words, columnsize=0,"
        " tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
    ):
        connection.execute(statement)
    # A store of before: the hub tells its whole log again, and the copy is made of it.
    connection.execute("update fact set value = '0' where name = 'hub_seq'")


def add_offline(connection: sqlite3.Connection) -> None:
    """Know what was done without a hub, and which answers came second."""
    for column in (
        # Runs on the machine it was asked for at, because no hub was there.
        "is_kept integer not null default 0",
        # The hub has told of it, so it knows it.
        "is_told integer not null default 0",
        "replaces text not null default ''",
        "replaced_by text not null default ''",
    ):
        connection.execute(f"alter table copy_job add column {column}")
    for column in (
        # What was given here was used here, too, whatever the hub counts later.
        "is_used integer not null default 0",
        "second text not null default ''",
        "second_by text not null default ''",
    ):
        connection.execute(f"alter table copy_question add column {column}")
    connection.execute(
        "update copy_job set is_told = 1 where exists (select 1 from copy_step"
        " where copy_step.job_id = copy_job.job_id and device = 'hub')"
    )


def add_parts(connection: sqlite3.Connection) -> None:
    """Know the parts of jobs, and keep them out of the lists: a run may have 100,000 of them."""
    connection.execute("alter table copy_job add column part_of text not null default ''")
    for name, columns in (
        ("updated", "updated_ms desc"),
        ("created", "created_ms, number"),
        ("shelf", "shelf, created_ms desc, number desc"),
        ("title", "title collate nocase, created_ms desc, number desc"),
        ("machine", "machine collate nocase, created_ms desc, number desc"),
        ("kind", "kind, created_ms desc, number desc"),
    ):
        connection.execute(f"drop index copy_job_{name}")
        connection.execute(
            f"create index copy_job_{name} on copy_job ({columns}) where part_of = ''"
        )
    for statement in (
        "create index copy_job_whole on copy_job (task_id) where part_of = ''",
        "create index copy_job_part on copy_job (part_of, number, state) where part_of != ''",
    ):
        connection.execute(statement)


def begin(connection: sqlite3.Connection) -> None:
    """Forget everything: this machine belongs to another hub, or to none."""
    connection.execute("delete from event")
    # The keys that its machines were known by mean nothing at another hub.
    connection.execute("delete from peer")
    clear(connection)


def clear(connection: sqlite3.Connection) -> None:
    """Empty the copy; the events that it is made of stay."""
    for table in ("worker", "task", "job", "question", "line", "job_words"):
        connection.execute(f"delete from copy_{table}")
    connection.execute("insert into copy_line_words(copy_line_words) values ('rebuild')")


def clear_job(connection: sqlite3.Connection, job_id: JobId, created_ms: int) -> None:
    """Make a job's row as if nothing were known of it; its number and its log stay."""
    fields = ", ".join(
        f"{name} = {default or 'null'}"
        for _, name, _, _, default, _ in connection.execute("pragma table_info(copy_job)")
        if name not in ("number", "job_id", "line_count", "created_ms", "updated_ms", "replaced_by")
    )
    connection.execute(
        f"update copy_job set {fields}, created_ms = ?, updated_ms = ? where job_id = ?",
        (created_ms, created_ms, job_id),
    )


def has_job(connection: sqlite3.Connection, job_id: str) -> bool:
    """Say whether a job has its row."""
    row = connection.execute("select 1 from copy_job where job_id = ?", (job_id,)).fetchone()
    return row is not None


def know_job(connection: sqlite3.Connection, job_id: str, at_ms: int) -> None:
    """Make the row of a job that is told of for the first time."""
    connection.execute(
        "insert into copy_job (job_id, created_ms, updated_ms, replaced_by) values (?, ?, ?,"
        # Its index holds no empty ones, and is used when that is said.
        " coalesce((select max(job_id) from copy_job where replaces = ? and replaces != ''), ''))",
        (job_id, at_ms, at_ms, job_id),
    )


def drop_job(connection: sqlite3.Connection, job_id: JobId) -> None:
    """Forget a job of which nothing is left to tell."""
    drop_words(connection, job_id)
    connection.execute("delete from copy_job where job_id = ?", (job_id,))


def note_part(connection: sqlite3.Connection, job_id: JobId, part_of: JobId) -> None:
    """Know a job as a part. Idempotent."""
    learned = connection.execute(
        "update copy_job set part_of = ? where job_id = ? and part_of = ''", (part_of, job_id)
    )
    if learned.rowcount:
        # Whoever runs a part that was lent may have begun it before it was told that.
        drop_words(connection, job_id)


def drop_words(connection: sqlite3.Connection, job_id: JobId) -> None:
    """Let a job be found by no words of its own any more."""
    connection.execute(
        "delete from copy_job_words where rowid = (select number from copy_job where job_id = ?)",
        (job_id,),
    )


def note_asked(connection: sqlite3.Connection, body: TaskRequested) -> None:
    """Keep what the person at this machine asks for where no hub's word can change it."""
    connection.execute(
        "insert into asked_here (job_id, kind, inputs) values (?, ?, ?)",
        (body.job_id, body.kind, _json(body.inputs)),
    )


def asked_here(connection: sqlite3.Connection, job_id: JobId) -> AskedHere | None:
    """Return what the person at this machine asked for under a job's id."""
    row = connection.execute(
        "select kind, inputs from asked_here where job_id = ?", (job_id,)
    ).fetchone()
    return None if row is None else AskedHere(kind=row[0], inputs=from_json(row[1]))


def add_offers(connection: sqlite3.Connection) -> None:
    """Know what machines can run: one step of the worker's migrations."""
    connection.execute("alter table copy_worker add column kinds text not null default '[]'")


def note_name(connection: sqlite3.Connection, worker_id: WorkerId, name: str) -> None:
    """Know a machine by its name; this one knows its own before the hub tells of it."""
    known = connection.execute(
        "select 1 from copy_worker where worker_id = ? and name = ?", (worker_id, name)
    ).fetchone()
    if known:
        return
    connection.execute(
        "insert into copy_worker (worker_id, name) values (?, ?)"
        " on conflict (worker_id) do update set name = excluded.name",
        (worker_id, name),
    )
    connection.execute("update copy_job set machine = ? where worker_id = ?", (name, worker_id))


def _json(value: object) -> str:
    return to_json(value).decode()
