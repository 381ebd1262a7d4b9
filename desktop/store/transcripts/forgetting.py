"""Deleting the transcripts of purged tasks, also while another process is writing.

Who wants runs forgotten leaves a note for each beside the file. Whoever holds the lock acts on
the notes: at once when nobody else has it, else the writer, which looks for them every moment.
A process that dies in between leaves the notes, and the next writer finds them.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from desktop.store.transcripts import writing
from desktop.store.transcripts.opening import FILE_NAME, lock, open_to_write, reading, results_of
from shared.database import Database
from shared.errors import AppError
from shared.ids import is_uuid

NOTES = "transcripts.forget"
NOTES_MAX = 10_000
"""Acted on in one go."""


def forget(folder: Path, job_ids: Iterable[str], now: datetime) -> int:
    """Delete the runs among these jobs; blocks. Safe from any process, at any time.

    Returns:
        How many of the jobs are runs.
    """
    wanted = _runs_among(folder, job_ids)
    if not wanted:
        return 0
    notes = folder / NOTES
    notes.mkdir(mode=0o700, exist_ok=True)
    for run_id in wanted:
        (notes / run_id).touch(mode=0o600)
    # Somebody is writing, or the disk fails: the notes wait for the next writer.
    with contextlib.suppress(AppError), lock(folder), open_to_write(folder, now) as database:
        obey(folder, database)
    return len(wanted)


def is_due(folder: Path) -> bool:
    """Say whether there are notes to act on. Cheap."""
    return (folder / NOTES).exists()


def obey(folder: Path, database: Database) -> None:
    """Delete what the notes say, and the notes when that is done; blocks."""
    notes = folder / NOTES
    try:
        names = [path.name for path, _ in zip(notes.iterdir(), range(NOTES_MAX), strict=False)]
    except OSError:
        return
    run_ids = [name for name in names if is_uuid(name)]
    if database.submit(lambda connection: writing.purge(connection, run_ids)).result():
        database.scrub()
    for run_id in run_ids:
        # Figures and pictures tell of what was asked, too.
        shutil.rmtree(results_of(folder, run_id), ignore_errors=True)
    for name in names:
        (notes / name).unlink(missing_ok=True)
    # One that was written meanwhile keeps the folder.
    with contextlib.suppress(OSError):
        notes.rmdir()


def _runs_among(folder: Path, job_ids: Iterable[str]) -> list[str]:
    if not (folder / FILE_NAME).exists():
        return []
    with contextlib.suppress(AppError), reading(folder) as connection:
        return [
            job_id
            for job_id in job_ids
            if connection.execute("select 1 from run where run_id = ?", (job_id,)).fetchone()
        ]
    return []
