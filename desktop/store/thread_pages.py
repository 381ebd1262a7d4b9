"""Which part of a thread is at hand: the end of it, followed, or pages further up."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from desktop.store import threads
from desktop.store.threads import MESSAGES_PAGE, Talk
from shared.ids import TaskId

AT_HAND_MAX = 4 * MESSAGES_PAGE
"""Messages shown at once; those far away are let go, and come back when they are looked at."""


@dataclass(frozen=True, slots=True)
class Window:
    """A run of messages of one thread, by their steps."""

    task_id: TaskId
    after: int | None = None
    """Messages that follow this step; None for the newest ones."""
    count: int = MESSAGES_PAGE

    def read(self, connection: sqlite3.Connection) -> Talk:
        return threads.talk(connection, self.task_id, after=self.after, limit=self.count)


Turn = Callable[[sqlite3.Connection, Talk], Window]


def settled(window: Window, talk: Talk, *, is_following: bool) -> Window:
    """Return what to read again, so that nobody loses the place where they read.

    Args:
        window: what was read.
        talk: what was found.
        is_following: whether the person is at the end; new messages then push old ones out.
    """
    if not talk.messages or talk.has_newer:
        return window
    count = max(MESSAGES_PAGE, min(AT_HAND_MAX, len(talk.messages)))
    if is_following:
        return Window(talk.task_id, count=count)
    return Window(talk.task_id, after=talk.messages[0].step.step_id - 1, count=AT_HAND_MAX)


def older(connection: sqlite3.Connection, talk: Talk) -> Window:
    """Take in the page before what was read, and let go of what is too far below."""
    first = talk.messages[0].step.step_id if talk.messages else 0
    page = threads.talk(connection, talk.task_id, before=first)
    start = page.messages[0].step.step_id if page.messages else first
    count = min(AT_HAND_MAX, len(talk.messages) + len(page.messages))
    return Window(talk.task_id, after=start - 1, count=count)


def newer(connection: sqlite3.Connection, talk: Talk) -> Window:
    """Take in the page that follows, and let go of what is too far above."""
    last = talk.messages[-1].step.step_id if talk.messages else 0
    page = threads.talk(connection, talk.task_id, after=last)
    both = (*talk.messages, *page.messages)[-AT_HAND_MAX:]
    if not page.has_newer:
        return Window(talk.task_id, count=len(both))
    return Window(talk.task_id, after=both[0].step.step_id - 1, count=len(both))
