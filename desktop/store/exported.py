"""Everything that this store knows, as JSON objects one after another (`docs/export.md`).

They are read as they are written, so that a store of any size fits. Keys, tokens and what this
program remembers of itself are no part of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime

from pydantic import JsonValue

from desktop.store import facts
from shared.kinds import JsonObject
from shared.times import from_ms

FORMAT = "deskhand-export"
FORMAT_VERSION = 1
SETTINGS = ("scheme", "language", "notices")
"""What a person has chosen for this program; other facts of the store are its own affair."""


def records(connection: sqlite3.Connection, *, now: datetime, program: str) -> Iterator[JsonObject]:
    """Read the header, then everything in the order of `docs/export.md`."""
    yield _header(connection, now, program)
    yield from _machines(connection)
    yield from _tasks(connection)
    yield from _jobs(connection)
    yield from _questions(connection)
    yield from _settings(connection)
    yield from _events(connection)
    yield {"record": "end"}


def _header(connection: sqlite3.Connection, now: datetime, program: str) -> JsonObject:
    here = facts.pairing(connection)
    return {
        "record": "header",
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "made_at": now.isoformat(),
        "program": program,
        "machine": here.worker_id if here else "",
        "person": here.person_name if here else "",
        "hub": here.hub_name if here else "",
    }


def _machines(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    rows = connection.execute("select worker_id, name, state from copy_worker order by worker_id")
    for worker_id, name, state in rows:
        yield {"record": "machine", "machine_id": worker_id, "name": name, "state": state}


def _tasks(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    rows = connection.execute("select task_id, text, created_ms from copy_task order by task_id")
    for task_id, text, created in rows:
        yield {"record": "task", "task_id": task_id, "text": text, "created_at": _at(created)}


def _jobs(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    rows = connection.execute(
        "select job_id, task_id, kind, title, state, attempt, worker_id, created_ms, updated_ms,"
        " started_ms, ended_ms, running_seconds, inputs, result, error, part_of from copy_job"
        " order by job_id"
    )
    for row in rows:
        job_id, task_id, kind, title, state, attempt, worker_id, *moments = row[:11]
        running_seconds, inputs, result, error, part_of = row[11:]
        created, updated, started, ended = moments
        yield {
            "record": "job",
            "job_id": job_id,
            "task_id": task_id,
            "kind": kind,
            "title": title,
            "state": state,
            "attempt": attempt,
            "machine_id": worker_id,
            "created_at": _at(created),
            "updated_at": _at(updated),
            "started_at": _at(started),
            "ended_at": _at(ended),
            "running_seconds": running_seconds,
            "inputs": _object(inputs),
            "result": _object(result),
            "error": _object(error),
            **({"part_of": part_of} if part_of else {}),
        }


def _questions(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    rows = connection.execute(
        "select question_id, job_id, asking, state, asked_ms, value, answered_by, answered_ms,"
        " given from copy_question order by question_id"
    )
    for question_id, job_id, asking, state, asked, value, by, answered, given in rows:
        yield {
            "record": "question",
            "question_id": question_id,
            "job_id": job_id,
            "asking": _object(asking),
            "state": state,
            "asked_at": _at(asked),
        }
        if value or given:
            yield {
                "record": "answer",
                "question_id": question_id,
                "job_id": job_id,
                "value": value or given,
                "by": by,
                "answered_at": _at(answered),
                "is_counted": bool(value),
            }


def _settings(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    for name in SETTINGS:
        if value := facts.get(connection, name):
            yield {"record": "setting", "name": name, "value": value}


def _events(connection: sqlite3.Connection) -> Iterator[JsonObject]:
    rows = connection.execute(
        "select device, epoch, seq, hub_seq, stamp, hlc, at, type, version, entity, body,"
        " sealed_with, signature, digest from event order by hub_seq is null, hub_seq, step_id"
    )
    for row in rows:
        device, epoch, seq, hub_seq, stamp, hlc, at, type_, version, entity, body = row[:11]
        yield {
            "record": "event",
            "device": device,
            "epoch": epoch,
            "seq": seq,
            "hub_seq": hub_seq,
            "hlc": stamp,
            "hlc_counted": hlc,
            "at": at,
            "type": type_,
            "version": version,
            "entity": entity,
            "body": _object(body),
            "sealed_with": row[11],
            "signature": row[12],
            "digest": row[13],
        }


def _at(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else from_ms(milliseconds).isoformat()


def _object(text: str) -> JsonValue:
    told: JsonValue = json.loads(text) if text else None
    return told
