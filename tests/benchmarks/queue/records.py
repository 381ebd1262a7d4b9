"""What became of jobs: one file that a worker appends to, whichever queue it belongs to.

A record is three times of the machine's monotonic clock, seconds: when the job was asked for, when
it started, and when it was done. It is written in one piece when the job is done, and nothing of
Deskhand is needed to write it: peers have it in environments of their own.
"""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

RECORD = struct.Struct("ddd")
LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Record:
    asked_at: float
    started_at: float
    done_at: float


class Writer:
    """Appends records; several processes may share the file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)

    def write(self, *times: tuple[float, float, float]) -> None:
        os.write(self._file, b"".join(RECORD.pack(*one) for one in times))


class Records:
    """Reads what workers have written so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch()

    def __len__(self) -> int:
        return self._path.stat().st_size // RECORD.size

    def read(self, start: int) -> list[Record]:
        """All from number `start` on, in the order they were done."""
        with self._path.open("rb") as file:
            file.seek(start * RECORD.size)
            raw = file.read()
        whole = len(raw) // RECORD.size * RECORD.size
        return [Record(*one) for one in RECORD.iter_unpack(raw[:whole])]

    def until(self, count: int, seconds: float) -> None:
        """Wait until so many are there.

        Raises:
            TimeoutError: they are not.
        """
        end = time.monotonic() + seconds
        while len(self) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self):,} of {count:,} jobs were done in {seconds:.0f} s")
            time.sleep(LOOK_SECONDS)
