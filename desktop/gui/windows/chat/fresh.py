"""Reads again whenever something may have changed: one read at a time, none for nobody."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from desktop.gui.bridge import Bridge

T = TypeVar("T")


class Fresh(Generic[T]):
    """However often it is asked while a read is under way, one more read follows."""

    def __init__(
        self,
        bridge: Bridge,
        read: Callable[[], Coroutine[Any, Any, T]],
        show: Callable[[T], None],
    ) -> None:
        self._bridge = bridge
        self._read = read
        self._show = show
        self._is_reading = False
        self._is_asked = False

    def ask(self) -> None:
        """Read soon, and show what was read."""
        if self._is_reading:
            self._is_asked = True
            return
        self._is_reading, self._is_asked = True, False
        self._bridge.do(self._read(), then=self._took, failed=self._failed)

    def _took(self, result: T) -> None:
        self._is_reading = False
        if self._is_asked:
            # What was read may be of another thread already.
            self.ask()
            return
        self._show(result)

    def _failed(self, error: Exception) -> None:
        self._is_reading = False
        self._bridge.failed.emit(error)
