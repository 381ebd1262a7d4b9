"""Python's garbage collector, kept on Qt's own thread.

It runs in whichever thread allocates at the wrong moment. A window, menu or timer that lies in a
circle would then be destroyed by a thread that reads the store, and Qt ends the process for that.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer

LOOK_MS = 30_000
"""How often it is looked at, at rest; a wake-up of 0.03 a second. News bring it forward."""


class Collector(QObject):
    """From its making to `close` no other thread collects."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_automatic = gc.isenabled()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.VeryCoarseTimer)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(collect_if_due)
        self._timer.start()

    def close(self) -> None:
        self._timer.stop()
        if self._is_automatic:
            gc.enable()


def collect_if_due() -> None:
    """Collect what Python would have collected by itself by now; on Qt's thread alone."""
    young, middle, old = gc.get_count()
    limits = gc.get_threshold()
    if limits[2] and old > limits[2]:
        gc.collect()
    elif limits[1] and middle > limits[1]:
        gc.collect(1)
    elif limits[0] and young > limits[0]:
        gc.collect(0)
