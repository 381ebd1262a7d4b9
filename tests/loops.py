"""asyncio's debug mode without the notes that cost a third of a test with a hub.

What it checks stays checked: calls from other threads, callbacks that are none, coroutines that
nobody awaits. Each future, though, notes the whole stack that made it, thirty frames and more, for
a line in a log; futures are made by each wait, and the stack of one says little.
"""

from __future__ import annotations

import asyncio
import asyncio.constants
import sys
from typing import Any

if sys.platform == "win32":
    from asyncio import ProactorEventLoop as EventLoop
else:
    from asyncio import SelectorEventLoop as EventLoop


class Loop(EventLoop):
    """Notes no stack for a future; for callbacks, tasks and coroutines it does as ever."""

    def create_future(self) -> asyncio.Future[Any]:
        was = self.get_debug()
        self._debug = False  # `set_debug` would do more than what a future looks at
        try:
            return super().create_future()
        finally:
            self._debug = was


def note_less() -> None:
    """Of a callback and of a coroutine the line that made it is noted, not the ten frames above."""
    asyncio.constants.DEBUG_STACK_DEPTH = 1  # type: ignore[misc] # final to readers, not to us
