"""The only door between the windows and the desk: news come in as a signal, deeds go out as tasks.

Windows never wait. `do` runs a coroutine and calls back on Qt's thread; errors of ours that nobody
takes care of become a `failed` signal, which the application shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.news import News
from desktop.desk.desk import Desk
from shared.errors import AppError

T = TypeVar("T")
NEWS_MS = 50
"""News are gathered this long, so that a flood of them costs one repaint."""


class Bridge(QObject):
    """Made once per application."""

    news = Signal(frozenset)
    """What may have changed, as a frozenset of News; see `hears`."""
    failed = Signal(object)
    """An AppError that no window has shown."""
    opened = Signal(str, str)
    """Open a window, please: its name ("jobs", "chat", …) and what to show there (an id, or "").

    The application listens; windows ask each other for nothing else."""

    def __init__(self, desk: Desk, tasks: asyncio.TaskGroup, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._tasks = tasks
        self._gathered: set[News] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NEWS_MS)
        self._timer.timeout.connect(self._ring)
        desk.listeners.append(self._take)

    def hears(self, owner: QObject, *wanted: News, then: Callable[[], None]) -> None:
        """Call `then` whenever one of these may have changed, as long as `owner` lives."""
        interest = frozenset(wanted)

        def told(news: frozenset[News]) -> None:
            if news & interest:
                then()

        self.news.connect(told)
        owner.destroyed.connect(lambda: self._forget(told))

    def do(
        self,
        work: Coroutine[Any, Any, T],
        *,
        then: Callable[[T], object] | None = None,
        failed: Callable[[AppError], object] | None = None,
    ) -> Callable[[], object]:
        """Run something of the desk's; call what is returned to cancel it.

        Args:
            work: awaited in a task of the application's.
            then: called with its result, on Qt's thread.
            failed: called with an error of ours; without it the application shows the error.
        """
        run = self._do(work, then, failed)
        try:
            task = self._tasks.create_task(run)
        except RuntimeError:  # the application ends: a window that closes now asks for nothing
            run.close()
            work.close()
            return work.close
        # One that is cancelled before its first step would leave its work unawaited.
        task.add_done_callback(lambda _task: work.close())
        return task.cancel

    def _forget(self, told: Callable[[frozenset[News]], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the bridge itself may be gone by then
            self.news.disconnect(told)

    async def _do(
        self,
        work: Coroutine[Any, Any, T],
        then: Callable[[T], object] | None,
        failed: Callable[[AppError], object] | None,
    ) -> None:
        try:
            try:
                result = await work
            except AppError as error:
                (failed or self.failed.emit)(error)
            else:
                if then is not None:
                    then(result)
        except Exception as fault:
            # A fault of a window's must not take the worker along, as a failing task would.
            sys.excepthook(type(fault), fault, fault.__traceback__)

    def _take(self, news: frozenset[News]) -> None:
        self._gathered |= news
        if not self._timer.isActive():
            self._timer.start()

    def _ring(self) -> None:
        news, self._gathered = frozenset(self._gathered), set()
        self.news.emit(news)
