"""Takes one event out of a stream of chat completions: the usage that the agent did not ask for.

Some agents read the first choice of every piece; that one has none.
"""

from __future__ import annotations

import json

EVENT_BYTES_MAX = 1024 * 1024
"""An event that is longer is passed on as it comes."""


class Pieces:
    """A stream on its way, event by event."""

    def __init__(self) -> None:
        self._waiting = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what may be passed on: all events that are whole, but the one."""
        self._waiting += chunk
        done = bytearray()
        while (end := _end_of_event(self._waiting)) is not None:
            event, self._waiting = self._waiting[:end], self._waiting[end:]
            if not _is_usage_alone(event):
                done += event
        if len(self._waiting) > EVENT_BYTES_MAX:
            done += self.end()
        return bytes(done)

    def end(self) -> bytes:
        """Return what is left."""
        left, self._waiting = self._waiting, b""
        return left


def _end_of_event(text: bytes) -> int | None:
    """Return where the first event ends, its empty line included."""
    ends = [place + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (place := text.find(mark)) >= 0]
    return min(ends, default=None)


def _is_usage_alone(event: bytes) -> bool:
    if b'"usage"' not in event or not event.startswith(b"data:"):
        return False
    try:
        told = json.loads(event[5:])
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and bool(told.get("usage")) and told.get("choices") == []
