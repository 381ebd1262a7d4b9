"""Reads again whenever it is rung: one read at a time, and only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from desktop.gui.bridge import Bridge
from shared.errors import AppError


class Fresh(QObject):
    """Keeps what a widget shows as new as the store.

    Rings that come during a read are one further read. While the widget is hidden nothing is
    read; when it shows up again, once.
    """

    def __init__(
        self, bridge: Bridge, widget: QWidget, read: Callable[[], Coroutine[object, object, None]]
    ) -> None:
        """Watch over a widget.

        Args:
            bridge: runs the reads.
            widget: is looked at, and owns this.
            read: reads and shows; cancelled when it is overtaken by `start_over`.
        """
        super().__init__(widget)
        self._bridge = bridge
        self._widget = widget
        self._read = read
        self._is_rung = True
        self._running: list[Callable[[], object]] = []
        widget.installEventFilter(self)
        running = self._running
        self.destroyed.connect(lambda: [cancel() for cancel in running])

    def ring(self) -> None:
        """Something may have changed."""
        self._is_rung = True
        self._go()

    def start_over(self) -> None:
        """Something else is wanted: what is being read is of no use any more."""
        while self._running:
            self._running.pop()()
        self.ring()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._go()
        return False

    def _go(self) -> None:
        if not self._is_rung or self._running or not self._widget.isVisible():
            return
        self._is_rung = False
        self._running.append(self._bridge.do(self._read(), then=self._done, failed=self._failed))

    def _done(self, _nothing: None) -> None:
        self._running.clear()
        self._go()

    def _failed(self, error: AppError) -> None:
        self._running.clear()
        self._bridge.failed.emit(error)
