"""The one SQLite mechanism of hub and desktop: one thread, one connection, group commit.

A transaction is a plain function of a connection. `write` runs it on the database thread, and
functions that wait at the same moment share one COMMIT, so that durability costs one fsync for
many of them. One that raises is undone alone (`turns`). `write` returns after the COMMIT, never
before.

It and its parts (`turns`, `store_file`, `store_reading`, `ballast`) do I/O, as little else of
`shared` does: two programs need exactly this, and two copies of it would drift apart.

The connection is the only one that writes and checkpoints, which also keeps clear of the
WAL-reset corruption of SQLite before 3.51.3 (sqlite.org/wal.html#walresetbug).

When the disk fails, the transaction under way is undone and told as failed, the connection is
opened anew and the store checked before anything else is written. On a full disk the ballast is
freed. `trouble` says what is the matter until it is over, which is looked at by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from shared import store_file
from shared.ballast import Ballast
from shared.errors import STORE_CORRUPT, AppError
from shared.histogram import COMMIT_SECONDS, Histogram
from shared.store_check import LateCheck
from shared.store_file import Care, Migration, is_corrupt, is_failing, is_full
from shared.store_reading import Reader, closed, peek
from shared.turns import Debts, Outcome, Torn, Turn, Work, run_all, tell

__all__ = ["Database", "Pace", "Reader", "closed", "peek"]

T = TypeVar("T")
Pace = Callable[[Callable[[], None]], object]
"""Runs what it is given later, on the loop's own thread: `loop.call_soon`, or a simulation that
decides how long a commit takes and whether there is a crash before or after it."""

CACHE_KIB = 32 * 1024
"""Pages of a store that are kept in memory, unless its program asks for less."""
GROUP_MAX = 4000
"""Functions that may share one commit."""


class Database:
    """A store, opened. Close it, or use it as a context manager."""

    def __init__(
        self,
        path: Path,
        migrations: Sequence[Migration],
        *,
        cache_kib: int = CACHE_KIB,
        pace: Pace | None = None,
        care: Care | None = None,
    ) -> None:
        """Open or create the store and bring its schema up to date.

        Args:
            path: of the store's file.
            migrations: every step of its schema so far.
            cache_kib: how much of it may stay in memory.
            pace: says when what waits is committed; None for a thread that does it at once.
            care: how it is looked after, and what is said when it fails.

        Raises:
            Unavailable: `store_unreadable`, `store_corrupt`, `store_newer`, `disk_full`.
        """
        self.path = path
        self._queue: queue.SimpleQueue[Work[Any] | None] = queue.SimpleQueue()
        self._care = care or Care()
        self._cache_kib = cache_kib
        is_late = pace is None and store_file.may_check_late(path, self._care)
        self._connection = store_file.open_store_file(
            path, migrations, cache_kib, self._care, is_checked_late=is_late
        )
        self._closed = False
        self._readers: list[Reader] = []
        self._ballast = Ballast(path, self._care.ballast_bytes)
        self._has_ballast = False
        self._look_at = math.inf
        """When the disk is looked at again (monotonic)."""
        self._is_sound = True
        """False after the disk failed, until the connection was opened anew."""
        self.trouble: AppError | None = None
        """What is the matter with the store: `disk_full` (it may still be written, as far as the
        ballast reaches), `store_failed`, `store_corrupt` (for good). None when all is well."""
        self.trouble_listeners: list[Callable[[], None]] = []
        """Told, on the database thread, that `trouble` came, changed or is over."""
        self.debts: Debts = _none
        """Writes what transactions have left to be written together, before each COMMIT and before
        whoever reads next."""
        self.rollback_listeners: list[Callable[[], None]] = []
        """Told, on the database thread, when a commit failed and all that shared it is undone."""
        self.commit_seconds = Histogram(COMMIT_SECONDS)
        """How long transactions took that wrote something, from the first statement to the disk."""
        self._pace = pace
        self._is_paced = False
        """Whether the pace was told of what waits."""
        self._is_scrub_due = False
        # A daemon: an exit without close must not hang, and a torn transaction rolls back.
        self._thread = threading.Thread(
            target=self._serve, name=f"database {path.name}", daemon=True
        )
        if pace is None:
            self._thread.start()
        self.late_check = LateCheck(path, self._care, self._damaged) if is_late else None
        """Of a large store that a killed program left."""

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a transaction; returns once it is durable.

        Cancelling the caller does not undo it: it may or may not have been committed.
        """
        return await self.post(run)

    def post(self, run: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue a transaction from a loop; the future is done once it is durable.

        Futures of one loop are done in the order of their commits.

        Raises:
            Unavailable: `store_closed`.
        """
        return self.post_turn(lambda turn: run(turn.connection))

    def post_turn(
        self, run: Callable[[Turn], T], committed: Callable[[], None] | None = None
    ) -> asyncio.Future[T]:
        """Queue a transaction that may leave rows to be written with those of others (`debts`).

        Args:
            run: the transaction. It is run again if what others left could not be written; all
                that it did was undone then.
            committed: called once it is durable, before whoever waits goes on; it then takes place
                also when its future was cancelled.

        Raises:
            Unavailable: `store_closed`.
        """
        if self._closed:
            raise closed()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(Work(run, done, committed))
        if self._pace is not None and not self._is_paced:
            self._is_paced = True
            self._pace(self._commit_waiting)
        return done

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads, in order with the writes around it."""
        return await self.write(run)

    def submit(self, run: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Queue a transaction from any thread; the future is done once it is durable."""
        done: Future[T] = Future()
        if self._closed:
            done.set_exception(closed())
        else:
            self._queue.put(Work(lambda turn: run(turn.connection), done))
            if self._pace is not None:
                self._commit_waiting()
        return done

    def scrub(self) -> None:
        """Empty the write-ahead log soon: it still holds what was deleted. From any thread."""
        self._is_scrub_due = True
        self.submit(lambda _: None)

    def reader(self) -> Reader:
        """Open a second way to read this store; it is closed before the store, if not earlier."""
        reader = Reader(self.path, is_inline=self._pace is not None)
        self._readers.append(reader)
        return reader

    def close(self) -> None:
        """Finish what is queued and the reads under way, then close. Idempotent."""
        if not self._closed:
            self._closed = True
            if self.late_check is not None:
                self.late_check.close()
            for reader in self._readers:
                reader.close()
            if self._pace is None:
                self._queue.put(None)
                self._thread.join()
            else:
                self._commit_waiting()
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()

    def crash(self) -> None:
        """Close as if the program had died: what is queued never happens, nobody is told.

        Only where a pace is given, for then no transaction is under way now.
        """
        assert self._pace is not None
        self._closed = True
        for reader in self._readers:
            reader.close()
        self._queue = queue.SimpleQueue()
        self._connection.close()

    def _commit_waiting(self) -> None:
        self._is_paced = False
        while not self._queue.empty():
            if group := self._next_group():
                self._commit(group)

    def _serve(self) -> None:
        self._plan_look()
        while (group := self._next_group()) is not None:
            if group:
                self._commit(group)
            # Also when there is always something to do.
            if time.monotonic() >= self._look_at:
                self._tend()
                self._plan_look()

    def _next_group(self) -> list[Work[Any]] | None:
        """Wait for work, then take all that waits with it; None when closing.

        Nothing at all means that it is time to look at the disk again.
        """
        try:
            wait = None if self._look_at == math.inf else self._look_at - time.monotonic()
            first = self._queue.get(timeout=None if wait is None else max(0.0, wait))
        except queue.Empty:
            return []
        if first is None:
            return None
        group = [first]
        while len(group) < GROUP_MAX:
            try:
                work = self._queue.get_nowait()
            except queue.Empty:
                break
            if work is None:
                # The end mark goes back, so that the group in hand is committed first.
                self._queue.put(None)
                break
            group.append(work)
        return [work for work in group if not work.is_given_up]

    def _commit(self, group: list[Work[Any]]) -> None:
        began = time.perf_counter()
        try:
            if not self._is_sound:
                self._mend()
            changes = self._connection.total_changes
            outcomes = self._run_group(group)
            self._connection.execute("COMMIT")
            if self._connection.total_changes != changes:
                self.commit_seconds.note(time.perf_counter() - began)
        except (sqlite3.Error, AppError) as error:
            told = self._undo(error)
            outcomes = [Outcome(work, None, told) for work in group]
        tell(outcomes)
        if self._is_scrub_due:
            self._is_scrub_due = False
            self._write_back()

    def _write_back(self) -> None:
        """Bring the log's pages into the store's file and empty the log, as far as it goes."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _run_group(self, group: list[Work[Any]]) -> list[Outcome]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            return run_all(connection, group, self.debts)
        except Torn:
            # One of them fails, and it must be the only one: none leaves anything to be written.
            connection.execute("ROLLBACK")
            self._tell_undone()
            connection.execute("BEGIN IMMEDIATE")
            return run_all(connection, group, self.debts, is_alone=True)

    def _tell_undone(self) -> None:
        for listener in self.rollback_listeners:
            listener()

    def _undo(self, error: sqlite3.Error | AppError) -> AppError:
        """Leave nothing of a group that failed; return what its callers are told."""
        told = error
        if isinstance(error, sqlite3.Error):
            told = store_file.storage_error(error, self.path, self._care)
            self._note(error, told)
        assert isinstance(told, AppError)
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        self._tell_undone()
        return told

    def _note(self, error: sqlite3.Error, told: AppError) -> None:
        """Remember what the disk did, and give it room when that is what it lacks."""
        if is_full(error):
            self._ballast.free()
            self._has_ballast = False
            if self._is_sound:
                self._be_in(told)
        elif is_failing(error) or is_corrupt(error):
            store_file.suspect(self.path)
            self._is_sound = False
            self._be_in(store_file.failed(str(error), self._care))

    @property
    def _tend_seconds(self) -> float | None:
        """How long nothing needs a look by itself; None for ever."""
        if self.trouble is not None and self.trouble.code != STORE_CORRUPT:
            return self._care.tend_seconds
        return None if self._has_ballast else self._care.ballast_seconds

    def _plan_look(self) -> None:
        wait = self._tend_seconds
        self._look_at = math.inf if wait is None else time.monotonic() + wait

    def _tend(self) -> None:
        """Look whether the disk works again, and whether it has room again."""
        try:
            if not self._is_sound:
                self._mend()
        except (sqlite3.Error, AppError) as error:
            self._undo(error)
        if self.trouble is not None and self._is_sound:
            # Our own log may be what fills the disk.
            self._write_back()
        self._has_ballast = self._ballast.make()
        if self._has_ballast and self._is_sound:
            self._be_in(None)

    def _mend(self) -> None:
        """Open the store anew after the disk failed, and check it.

        Raises:
            AppError: `store_corrupt`; it stays so.
            sqlite3.Error: the disk still fails.
        """
        if self.trouble is not None and self.trouble.code == STORE_CORRUPT:
            raise self.trouble
        try:
            self._connection = store_file.reopened(
                self._connection, self.path, self._cache_kib, self._care
            )
        except AppError as error:
            self._be_in(error)
            raise
        store_file.fence(self._connection, self.path)
        self._is_sound = True
        self._be_in(None)

    def _damaged(self, error: AppError) -> None:
        """Refuse everything from here on; from the thread that checked the store."""

        def refuse(_: sqlite3.Connection) -> None:
            self._is_sound = False
            self._be_in(error)

        self.submit(refuse)

    def _be_in(self, trouble: AppError | None) -> None:
        before, self.trouble = self.trouble, trouble
        if (before and before.code) != (trouble and trouble.code):
            self._plan_look()
            for listener in tuple(self.trouble_listeners):
                # A loop that is closed has nobody left who wants to know.
                with contextlib.suppress(RuntimeError):
                    listener()


def _none(_: sqlite3.Connection) -> None:
    """Owe nothing."""
