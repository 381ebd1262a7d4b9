"""A file on its way through the hub, from the worker that has it to the person who asked for it.

    announced ── uploaded ──▶ here ── shown, or a day old ──▶ gone
        └────────────── a day old ──────────────────────────────▲

A result announces its files; only what is announced is taken in, and nothing stays for long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.ids import JobId, PersonId
from shared.kinds import FILE_BYTES_MAX, FileRef

KEPT_SECONDS = 24 * 3600.0
"""How long an announced file is waited for, and one that is here is kept at most."""
PERSON_BYTES_MAX = 10 * FILE_BYTES_MAX
"""What the files of one person may take on the hub's disk at a time."""
TOTAL_BYTES_MAX = 100 * FILE_BYTES_MAX
"""The same for all people together."""


class FileState(StrEnum):
    ANNOUNCED = "announced"
    HERE = "here"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One file of one job."""

    job_id: JobId
    person_id: PersonId
    ref: FileRef
    state: FileState
