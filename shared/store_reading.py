"""Reading a store beside the Database that owns it: in a thread, or from another program.

A connection that only reads neither writes nor checkpoints, not even when it is the last to
close, so the owner's stays the only one that does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from shared.errors import Unavailable
from shared.store_file import unreadable

T = TypeVar("T")


def closed() -> Unavailable:
    return Unavailable("store_closed", "The store is closed.")


@contextlib.contextmanager
def peek(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a store that another program may be using, to read it and nothing else.

    It can neither write nor checkpoint, so the owner's connection stays the only one that does.

    Raises:
        Unavailable: `store_unreadable`, also for what SQLite meets inside the block.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            yield connection
    except sqlite3.Error as error:
        raise unreadable(path, error) from error


class Reader:
    """Reads a store in a thread of its own, beside the Database that owns it.

    Long reads (a search, a page far down) then keep neither the owner's transactions nor a
    window waiting. It sees what was committed before a read began.
    """

    def __init__(self, path: Path, *, is_inline: bool = False) -> None:
        """Open a store that a Database has made.

        Args:
            path: of the store's file.
            is_inline: read on the caller's thread instead.
        """
        self._path = path
        self._is_inline = is_inline
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"reader {path.name}")
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads.

        Raises:
            Unavailable: `store_unreadable`, `store_closed`.
        """
        if self._is_closed:
            raise closed()
        if self._is_inline:
            return self._run(run)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, run)

    def close(self) -> None:
        """Wait for the read under way, then close. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            if self._is_inline:
                self._close()
            else:
                self._thread.submit(self._close)
            self._thread.shutdown()

    def _run(self, run: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
                )
            return run(self._connection)
        except sqlite3.Error as error:
            # The next read takes another connection: what this one keeps in memory may be wrong.
            self._close()
            raise unreadable(self._path, error) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
