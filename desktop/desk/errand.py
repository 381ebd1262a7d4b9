"""What blocks, in a thread that ends with the program and tells nothing to a loop that is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Errand:
    """The thread's side of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._stop = threading.Event()
        self._telling = threading.Lock()

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            Stopped: nobody waits for this errand any more.
        """
        if self._stop.wait(seconds):
            raise Stopped

    def tell(self, news: Callable[[], None]) -> None:
        """Have something called on the loop, unless nobody is there to hear it."""
        # Qt's loop must not be called after its end: that ends the process.
        with self._telling:
            if not self._stop.is_set():
                self._loop.call_soon_threadsafe(news)

    def stop(self) -> None:
        with self._telling:
            self._stop.set()


class Stopped(Exception):
    """Nobody waits any more; it never leaves its thread."""


async def in_thread(work: Callable[[Errand], T]) -> T:
    """Run what blocks in a thread that does not keep the program from ending.

    Args:
        work: sleeps and tells by the errand that it is given; a cancellation ends it at its
            next sleep.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    errand = Errand(loop)

    def run() -> None:
        try:
            result = work(errand)
        except Stopped:
            return
        except Exception as error:
            failure = error
            errand.tell(lambda: None if done.done() else done.set_exception(failure))
        else:
            errand.tell(lambda: None if done.done() else done.set_result(result))

    threading.Thread(target=run, name="errand", daemon=True).start()
    try:
        return await done
    finally:
        errand.stop()
