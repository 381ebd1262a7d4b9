"""What shares a commit: functions that wait for their turn in it, and how each hears what became.

    waits ──▶ its turn: run, in a savepoint once it touches the store ──▶ commit ──▶ told

A turn may leave rows to be written later, together with those of others (`Debts`): thousands of
small transactions cost a few statements then. Whoever reads the store finds them written.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.store_file import is_of_the_disk

T = TypeVar("T")
Debts = Callable[[sqlite3.Connection], None]
"""Writes what the turns of a commit so far have left to be written."""


class Torn(Exception):
    """What earlier turns of a group left cannot be written as it is: one of them must fail."""


class Turn:
    """A transaction's turn. What it did can be undone alone."""

    __slots__ = ("_debts", "beside", "is_alone", "is_marked", "is_torn")

    def __init__(self, connection: sqlite3.Connection, debts: Debts, *, is_alone: bool) -> None:
        self.beside = connection
        """The store without what is still to be written: for reading something else."""
        self._debts = debts
        self.is_alone = is_alone
        """It must leave nothing to be written later."""
        self.is_marked = False
        """A savepoint was made for it."""
        self.is_torn = False

    @property
    def connection(self) -> sqlite3.Connection:
        """The store as earlier turns have left it."""
        if not self.is_marked:
            self.mark()
        return self.beside

    def mark(self) -> None:
        """Make its savepoint, after what earlier turns have left was written."""
        try:
            self._debts(self.beside)  # theirs, so that they are not undone with this one
        except Exception as error:
            self.is_torn = not is_of_the_disk(error)
            raise
        self.beside.execute("SAVEPOINT turn")
        self.is_marked = True

    def undo(self) -> None:
        """Leave nothing of it."""
        if self.is_marked:
            self.beside.execute("ROLLBACK TO turn")
            self.beside.execute("RELEASE turn")

    def end(self) -> None:
        if self.is_marked:
            self.beside.execute("RELEASE turn")


@dataclass(slots=True)
class Work(Generic[T]):
    """A function that waits for its turn."""

    run: Callable[[Turn], T]
    done: Future[T] | asyncio.Future[T]
    """A concurrent future of a thread, or a future of the event loop that waits."""
    committed: Callable[[], None] | None = None
    """Called on the loop once it is durable, in the order of commits and before anybody who waits
    goes on. With it, it takes place also when nobody waits any more."""

    @property
    def is_given_up(self) -> bool:
        return self.committed is None and self.done.cancelled()


@dataclass(slots=True)
class Outcome:
    """What became of it, to be told once it is durable."""

    work: Work[Any]
    result: Any
    failure: BaseException | None


def run_one(
    connection: sqlite3.Connection, work: Work[Any], debts: Debts, *, is_alone: bool
) -> Outcome:
    """Give a function its turn.

    Raises:
        sqlite3.Error: the disk, or SQLite has undone the whole transaction: all must fail.
        Torn: what earlier turns left cannot be written.
    """
    turn = Turn(connection, debts, is_alone=is_alone)
    try:
        if is_alone:
            turn.mark()
        result = work.run(turn)
    except BaseException as error:
        if is_of_the_disk(error):
            # What shares the commit cannot be had either.
            raise
        if not connection.in_transaction:
            # SQLite itself rolled the whole transaction back.
            raise sqlite3.OperationalError(str(error)) from error
        if turn.is_torn:
            raise Torn from error
        turn.undo()
        return Outcome(work, None, error)
    if turn.is_torn:
        raise Torn
    turn.end()
    return Outcome(work, result, None)


def run_all(
    connection: sqlite3.Connection, group: list[Work[Any]], debts: Debts, *, is_alone: bool = False
) -> list[Outcome]:
    """Give each its turn, and write what they have left; raises as `run_one` does."""
    outcomes = [run_one(connection, work, debts, is_alone=is_alone) for work in group]
    try:
        debts(connection)
    except Exception as error:
        if is_of_the_disk(error) or not connection.in_transaction:
            raise
        raise Torn from error
    return outcomes


def tell(outcomes: list[Outcome]) -> None:
    """Hand out what was committed; a loop is woken once for all its futures, not once each."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        if isinstance(outcome.work.done, asyncio.Future):
            by_loop.setdefault(outcome.work.done.get_loop(), []).append(outcome)
        else:
            _settle(outcome)
    for loop, waiting in by_loop.items():
        # A loop that is closed has nobody left who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_all, waiting)


def _settle_all(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        committed = outcome.work.committed
        if committed is not None and outcome.failure is None:
            try:
                committed()
            except Exception as error:
                # The others are to hear of theirs.
                loop = asyncio.get_running_loop()
                loop.call_exception_handler({"message": "after a commit", "exception": error})
        _settle(outcome)


def _settle(outcome: Outcome) -> None:
    done = outcome.work.done
    if done.cancelled():
        return
    if outcome.failure is None:
        done.set_result(outcome.result)
    else:
        done.set_exception(outcome.failure)
