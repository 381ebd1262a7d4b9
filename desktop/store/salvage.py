"""A damaged store: set aside, and a new one made of what can still be read.

    open ── store_corrupt ──▶ read what can be read ──▶ note it beside ──▶ set the store aside
                                                                                 │
    the hub tells its log again ◀── next epoch ◀── who this is, what waits ◀── a new store

A program that dies in between goes on at its next start, from the note. Lost are the attempts in
hand (the hub asks their person) and what of this machine's own log the hub has not got and nobody
can read any more.
"""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from desktop.store import copies, copy_tables, facts, identity, known, outbox
from desktop.store.database import CARE, open_store
from desktop.store.identity import Facts
from shared.database import Database
from shared.errors import STORE_CORRUPT, AppError, ErrorBody
from shared.events import Event
from shared.store_file import Care

log = structlog.get_logger(__name__)

MENDED = "store_mended"
"""The fact that tells of a store that was set aside; also the code of what people are told."""
EVENTS_MAX = 100_000
_SUFFIXES = ("", "-wal")


class Salvage(BaseModel):
    """What was still to be had of a damaged store."""

    model_config = ConfigDict(frozen=True)

    aside: str
    """The name of the store that was set aside."""
    facts: Facts
    waiting: tuple[Event, ...] = ()
    """What this machine wrote and the hub has not acknowledged."""
    asked_here: tuple[tuple[str, str, str], ...] = ()
    is_whole: bool = True
    """Whether all that waited could be read."""


class _Mended(BaseModel):
    """What stays known of it, for the person."""

    model_config = ConfigDict(frozen=True)

    aside: str
    saved: int
    is_whole: bool


def open_own_store(path: Path, now: datetime | None = None, care: Care = CARE) -> Database:
    """Open the store of a program that has this profile to itself; mend it when it is damaged.

    Raises:
        Unavailable: `store_unreadable`, `store_newer`, `disk_full`.
    """
    note = _note_beside(path)
    if not note.exists():
        try:
            database = open_store(path, care=care)
        except AppError as error:
            if error.code != STORE_CORRUPT:
                raise
            log.error("the store is damaged and is set aside", error=str(error))  # noqa: TRY400
            at = (now or datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
            found = read_damaged(path, f"{path.name}.corrupt-{at}")
            identity.write_whole(note, found.model_dump_json().encode())
        else:
            identity.note(path, database.submit(identity.told).result())
            return database
    return _anew(path, note, care)


def mended(connection: sqlite3.Connection, folder: Path) -> ErrorBody | None:
    """Say what is missing since a store was set aside; nothing once its file was removed."""
    try:
        found = _Mended.model_validate_json(facts.get(connection, MENDED))
    except ValidationError:
        return None
    if not (folder / found.aside).exists():
        return None
    kept = f"{found.saved} changes that the hub had not got were saved. "
    gone = "" if found.is_whole else "Some changes that the hub had not got are lost. "
    return ErrorBody(
        code=MENDED,
        message="The store of this computer was damaged and was made anew. "
        f"{kept}{gone}What ran then is told as interrupted; everything else comes from the hub.",
        hint=f"The damaged store is kept as {folder / found.aside}; remove it once nothing is "
        "missed.",
    )


def read_damaged(path: Path, aside: str) -> Salvage:
    """Read what can be read; who this is comes from beside the store where it cannot."""
    told = identity.load(path)
    waiting: list[Event] = []
    asked: list[tuple[str, str, str]] = []
    is_whole = False
    try:
        opened = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return Salvage(aside=aside, facts=told, is_whole=False)
    with contextlib.closing(opened) as connection:
        with contextlib.suppress(sqlite3.Error):
            for name, value in connection.execute("select name, value from fact"):
                if name not in identity.LEFT_OUT and isinstance(value, str):
                    told[name] = value
        with contextlib.suppress(sqlite3.Error):
            # One by one: what comes before the damage is worth having.
            asked.extend(connection.execute("select job_id, kind, inputs from asked_here"))
        is_whole = _read_waiting(connection, told, waiting)
    return Salvage(
        aside=aside,
        facts=told,
        waiting=tuple(waiting),
        asked_here=tuple(asked),
        is_whole=is_whole,
    )


def _read_waiting(connection: sqlite3.Connection, told: Facts, waiting: list[Event]) -> bool:
    """Read this machine's own events, one by one, until one cannot be read."""
    try:
        epoch = int(told.get("epoch", "0"))
        after = int(told.get(f"acked.{epoch}", "0"))
        while len(waiting) < EVENTS_MAX:
            found = known.own(connection, told.get("worker_id", ""), epoch, after + 1, 1)
            if not found:
                return True
            waiting += found
            after = found[0].seq
    except (sqlite3.Error, ValueError, AssertionError):
        return False
    return False


def _anew(path: Path, note: Path, care: Care) -> Database:
    """Set the damaged store aside and fill a new one; may be done again after a crash."""
    found = Salvage.model_validate_json(note.read_bytes())
    if not path.with_name(found.aside).exists():
        _set_aside(path, found.aside)
    else:
        _remove(path)  # a new one that was not filled to its end
    database = open_store(path, care=care)
    database.submit(lambda connection: _fill(connection, found)).result()
    identity.note(path, database.submit(identity.told).result())
    note.unlink()
    log.warning("the store was made anew", kept=found.aside, waiting=len(found.waiting))
    return database


def _set_aside(path: Path, aside: str) -> None:
    # The log first: the store's own name is what says that it was done.
    for suffix in reversed(_SUFFIXES):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(aside + suffix))
    for suffix in ("-shm", ".suspect"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    for suffix in (*_SUFFIXES, "-shm", ".suspect"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, found: Salvage) -> None:
    for name, value in found.facts.items():
        facts.put(connection, name, value)
    told = _Mended(aside=found.aside, saved=len(found.waiting), is_whole=found.is_whole)
    facts.put(connection, MENDED, told.model_dump_json())
    if here := facts.pairing(connection):
        copy_tables.note_name(connection, here.worker_id, here.worker_name)
    connection.executemany(
        "insert or ignore into asked_here (job_id, kind, inputs) values (?, ?, ?)",
        found.asked_here,
    )
    for event in found.waiting:
        known.add(connection, event)
        copies.apply(connection, event)
    # Numbers of this epoch may have been used that nobody can read any more.
    outbox.start_epoch(connection)


def _note_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvage")
