"""Writes a run's transcripts into files; nothing is left of one that broke off."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from desktop.jobs.llm.export import inspect_log, lines, sheet
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.records import Run
from shared.errors import BadInput, Conflict, Unavailable
from shared.ids import short


class Form(StrEnum):
    """What other programs read."""

    INSPECT = "inspect"
    """Eval logs of inspect, one for each model."""
    JSONL = "jsonl"
    """Everything, a cell a line."""
    CSV = "csv"
    """A cell a row, for a spreadsheet."""


_NAMED = re.compile(r"[^A-Za-z0-9._-]+")
STEM_CHARS_MAX = 80


def write(
    data: Path,
    run_id: str,
    form: Form,
    target: Path | None = None,
    *,
    now: datetime,
    program: str,
) -> tuple[Path, ...]:
    """Write a run; blocks, and may be done while the run goes on.

    Args:
        data: the worker's folder of data, where the transcripts are.
        run_id: of the run.
        form: what is to read it.
        target: a file, or a folder for a file with the run's name; the current folder when None.
            inspect wants a file for each model: of several models the target is made a folder.
        now: told in the file, where it has a place for that.
        program: this program's version.

    Returns:
        The files that were written.

    Raises:
        NotFound: `no_runs`, `run_unknown`.
        BadInput: `folder_missing`.
        Conflict: `file_in_the_way`.
        Unavailable: `export_failed`, `store_unreadable`.
    """
    with opening.reading(data) as connection:
        # One view of the transcripts from the first cell to the last.
        connection.execute("begin")
        run = reading.run(connection, run_id)
        if form is Form.INSPECT and len(run.models) > 1:
            return _logs(connection, run, target or Path(f"{stem(run)}-inspect"), program)
        path = _file(run, form, target)
        told = _told(connection, run, form, now, program)
        _write(path, told)
        return (path,)


def stem(run: Run) -> str:
    """Name a run's files: "dilemmas-K7Q2"."""
    name = _NAMED.sub("-", run.name)[:STEM_CHARS_MAX].strip("-.") or "run"
    return f"{name}-{short(run.run_id)}"


def _told(
    connection: sqlite3.Connection, run: Run, form: Form, now: datetime, program: str
) -> Iterable[str]:
    match form:
        case Form.INSPECT:
            return inspect_log.log(connection, run, run.models[0], program=program)
        case Form.JSONL:
            return lines.lines(connection, run, now=now, program=program)
        case Form.CSV:
            return sheet.rows(connection, run)


def _file(run: Run, form: Form, target: Path | None) -> Path:
    is_log = form is Form.INSPECT
    name = _log_name(run, run.models[0]) if is_log else f"{stem(run)}.{form.value}"
    if target is None:
        return Path(name)
    return target / name if target.is_dir() else target


def _logs(connection: sqlite3.Connection, run: Run, folder: Path, program: str) -> tuple[Path, ...]:
    if not folder.parent.is_dir():
        raise _folder_missing(folder.parent)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _failed(folder, error) from None
    paths = []
    for model in run.models:
        path = folder / _log_name(run, model)
        _write(path, inspect_log.log(connection, run, model, program=program))
        paths.append(path)
    return tuple(paths)


def _log_name(run: Run, model: str) -> str:
    """Name a log as inspect does: it lists no other JSON file of a folder."""
    number = run.models.index(model)
    named = _NAMED.sub("-", model)[:STEM_CHARS_MAX]
    return f"{run.created_at:%Y-%m-%dT%H-%M-%S}+00-00_{stem(run)}_{number}-{named}.json"


def _write(path: Path, told: Iterable[str]) -> None:
    if not path.parent.is_dir():
        raise _folder_missing(path.parent)
    if path.exists():
        raise Conflict("file_in_the_way", f"There is a {path} already.", "Name another file.")
    part = path.with_name(f"{path.name}.part")
    try:
        # newline="": rows of CSV bring their own ends of lines.
        with part.open("w", encoding="utf-8", newline="") as file:
            part.chmod(0o600)
            for piece in told:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise _failed(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _folder_missing(folder: Path) -> BadInput:
    return BadInput("folder_missing", f"There is no folder {folder}.", "Make it first.")


def _failed(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        "export_failed",
        f"{path} cannot be written: {error.strerror}.",
        "See that there is room and that you may write there, or name another place: --out.",
    )
