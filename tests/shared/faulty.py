"""A connection whose disk fails when it is told to, through `shared.store_file.Care`."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shared.store_file import Care


@dataclass
class Disk:
    """Says which statement meets which error; counts how often a store was opened."""

    faults: dict[str, list[int]] = field(default_factory=dict)
    """The start of a statement -> SQLite's result codes it meets, one a time."""
    opened: int = 0

    def fail(self, statement: str, code: int, times: int = 1) -> None:
        self.faults.setdefault(statement, []).extend([code] * times)

    def meet(self, statement: str) -> None:
        for start, codes in self.faults.items():
            if codes and statement.startswith(start):
                error = sqlite3.OperationalError(f"fault {codes[0]} at {start}")
                error.sqlite_errorcode = codes.pop(0)
                raise error

    def connect(self, path: Path) -> sqlite3.Connection:
        self.opened += 1
        self.meet("connect")
        disk = self

        class Faulty(sqlite3.Connection):
            def execute(self, statement: str, /, *values: object) -> sqlite3.Cursor:
                disk.meet(statement)
                run: Callable[..., sqlite3.Cursor] = super().execute
                return run(statement, *values)

        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Faulty)

    def care(self, *, check_late_bytes: float = math.inf) -> Care:
        return Care(
            connect=self.connect,
            ballast_bytes=4096,
            ballast_seconds=0.01,
            check_late_bytes=check_late_bytes,
            tend_seconds=0.01,
        )
