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

STEPS_BETWEEN_LOOKS = 100_000
"""Of SQLite's machine, a few milliseconds: how soon a check ends that is told to."""


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
        self._thread = threading.Thread(target=self._run, name=f"check {path.name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it. A store that was not looked through is marked: its next start does that first."""
        self._over.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until it is done."""
        self._thread.join()

    def _run(self) -> None:
        if self._over.wait(self._care.check_late_seconds):
            suspect(self._path)
            return
        try:
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
            )
            with contextlib.closing(connection):
                connection.set_progress_handler(self._over.is_set, STEPS_BETWEEN_LOOKS)
                check(connection, self._path, self._care)
        except AppError as error:
            self._damaged(error)
        except sqlite3.Error:
            suspect(self._path)
