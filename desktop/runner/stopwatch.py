"""How long a job has run; the time it waits for others does not count."""

from __future__ import annotations

from collections.abc import Callable


class Stopwatch:
    """Runs from `start` on, unless somebody is waited for."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._seconds = 0.0
        self._since: float | None = None
        self._waits = 0

    @property
    def seconds(self) -> float:
        """Seconds of running so far."""
        since = self._since
        return self._seconds + (self._monotonic() - since if since is not None else 0.0)

    def start(self) -> None:
        self._since = self._monotonic()

    def wait(self) -> None:
        """Somebody is waited for; several at once are several calls."""
        self._waits += 1
        self._stop()

    def go_on(self) -> None:
        """One of those who were waited for has answered; an answer too many says nothing."""
        self._waits = max(0, self._waits - 1)
        if not self._waits and self._since is None:
            self.start()

    def _stop(self) -> None:
        self._seconds, self._since = self.seconds, None
