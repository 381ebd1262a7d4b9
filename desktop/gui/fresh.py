"""Reads again whenever something may have changed: one read at a time, and only for who looks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from shared.errors import AppError

T = TypeVar("T")


class Fresh(QObject, Generic[T]):
    """However often it is asked while a read is under way, one more read follows."""

    def __init__(
        self,
        bridge: Bridge,
        widget: QWidget,
        read: Callable[[], Coroutine[Any, Any, T]],
        show: Callable[[T], None],
        *,
        is_always: bool = False,
    ) -> None:
        """Watch over a widget.

        Args:
            bridge: runs the reads.
            widget: owns this; while it is hidden nothing is read, and once when it shows up.
            read: reads.
            show: shows what was read.
            is_always: whether it is read for nobody's eyes, too.
        """
        super().__init__(widget)
        self._bridge = bridge
        self._widget = widget
        self._read = read
        self._show = show
        self._is_always = is_always
        self._is_asked = False
        self._running: list[Callable[[], object]] = []
        widget.installEventFilter(self)
        running = self._running
        self.destroyed.connect(lambda: [cancel() for cancel in running])

    def ask(self) -> None:
        """Read soon, and show what was read."""
        self._is_asked = True
        self._go()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._go()
        return False

    def _go(self) -> None:
        is_wanted = self._is_always or self._widget.isVisible()
        if self._is_asked and is_wanted and not self._running:
            self._is_asked = False
            self._running.append(
                self._bridge.do(self._read(), then=self._took, failed=self._failed)
            )

    def _took(self, result: T) -> None:
        self._running.clear()
        # What was read while something else was wanted may be of another thread already.
        if not self._is_asked:
            self._show(result)
        self._go()

    def _failed(self, error: AppError) -> None:
        self._running.clear()
        self._bridge.failed.emit(error)
