"""Counts how often the windows' thread stood still: a click then feels as if it was not heard.

With the first event after a rest a probe is put at the end of Qt's queue; how late it comes is how
long the thread was busy. The probe puts none behind itself, so a program at rest stays at rest.
Every event passes through here meanwhile, so this is for tests and for hunting a fault.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt

STALL_SECONDS = 0.05
STALLS_KEPT = 20
_PROBE = QEvent.Type(QEvent.registerEventType())


class Watchdog(QObject):
    """Measures from its making until `stop`; made in the thread of the windows."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Begin to measure.

        Args:
            clock: seconds.
        """
        super().__init__()
        self.rounds = 0
        """How often the thread was busy, however short."""
        self.stalls = 0
        """How often longer than STALL_SECONDS."""
        self.longest_seconds = 0.0
        self.last: deque[float] = deque(maxlen=STALLS_KEPT)
        """The newest stalls, in seconds."""
        self._clock = clock
        self._busy_since: float | None = None
        self._app = QCoreApplication.instance()
        assert self._app is not None, "made before the application"
        self._app.installEventFilter(self)

    def __repr__(self) -> str:
        longest = self.longest_seconds * 1000
        return f"<Watchdog {self.stalls} stalls in {self.rounds} rounds, longest {longest:.0f} ms>"

    def stop(self) -> None:
        """Measure no more; what was counted stays."""
        if self._app is not None:
            self._app.removeEventFilter(self)
            self._app = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self and self._busy_since is None:
            self._busy_since = self._clock()
            priority = Qt.EventPriority.LowEventPriority.value
            QCoreApplication.postEvent(self, QEvent(_PROBE), priority)
        return False

    def event(self, event: QEvent) -> bool:
        if event.type() != _PROBE:
            return super().event(event)
        if self._busy_since is not None:
            self._note(self._clock() - self._busy_since)
            self._busy_since = None
        return True

    def _note(self, seconds: float) -> None:
        self.rounds += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        if seconds > STALL_SECONDS:
            self.stalls += 1
            self.last.append(seconds)
