"""Looking a large store through while it is in use: its owner need not wait for that at its start.

A program that was killed leaves a store that SQLite brings back by itself; that the machine or its
disk did damage then is rare, and found seconds later as well as seconds before. Where the disk is
known to have failed, the store is still checked before anything is done with it
(`shared.store_file`).
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from shared.errors import AppError
from shared.store_file import Care, check, suspect

STOP_SECONDS = 0.05
"""Between two words to a check that is to end: it may be between two statements."""


class LateCheck:
    """One check, in a thread of its own, on a connection that only reads."""

    def __init__(self, path: Path, care: Care, damaged: Callable[[AppError], None]) -> None:
        """Begin it.

        Args:
            path: of the store's file.
            care: whose store it is.
            damaged: told, on the check's thread, what was found.
        """
        self._path = path
        self._care = care
        self._damaged = damaged
        self._over = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=f"check {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it. A store that was not looked through is marked: its next start does that first."""
        self._over.set()
        # Not by a progress handler: before SQLite 3.43 a check of a whole tree never calls it.
        while self._thread.is_alive():
            if self._connection is not None:
                with contextlib.suppress(sqlite3.ProgrammingError):
                    self._connection.interrupt()
            self._thread.join(STOP_SECONDS)

    def join(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _run(self) -> None:
        if self._over.wait(self._care.check_late_seconds):
            suspect(self._path)
            return
        try:
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            with contextlib.closing(self._connection):
                check(self._connection, self._path, self._care)
        except AppError as error:
            self._damaged(error)
        except sqlite3.Error:
            suspect(self._path)
