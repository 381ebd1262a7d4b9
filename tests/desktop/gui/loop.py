"""Run a coroutine test on Qt's loop: `@on_qt_loop` over `async def test_…(qtbot, …)`."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import qasync
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

TEST_SECONDS = 55.0


def on_qt_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a plain test of a coroutine. It needs `qapp` or `qtbot` among its fixtures.

    Inside, await a future that a signal resolves; `qtbot.waitSignal` would nest a second loop.
    """

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication), "take the fixture qtbot or qapp"
        # As in the program: a window that closes does not end the loop.
        app.setQuitOnLastWindowClosed(False)
        # What earlier tests have left ends here, not in whichever thread collects garbage next.
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        loop = qasync.QEventLoop(app)
        asyncio.set_event_loop(loop)
        before = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(loop._asyncgen_firstiter_hook, loop._asyncgen_finalizer_hook)
        try:
            loop.run_until_complete(asyncio.wait_for(test(*args, **kwargs), TEST_SECONDS))
            rest = asyncio.all_tasks(loop)
            for task in rest:
                task.cancel()
            if rest:
                loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            sys.set_asyncgen_hooks(*before)
            loop.close()
            # Windows are freed here, in their own thread, not wherever Python next collects.
            gc.collect()
            asyncio.set_event_loop(None)

    return run


async def until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so, letting Qt and the tasks run meanwhile."""
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)
