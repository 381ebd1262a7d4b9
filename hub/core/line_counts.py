"""Counts of the workers' lines since the hub's start: plain numbers, added to as things happen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from shared.errors import AppError
from shared.protocol import ProtocolError

SILENCES = frozenset({"peer_silent", "hello_late"})
"""Codes of errors that are no frame's."""
FRAME_CODES = (
    "event_foreign",
    "frame_malformed",
    "frame_not_text",
    "frame_too_deep",
    "frame_too_large",
    "hello_missing",
    "hello_twice",
    "message_invalid",
    "message_unknown",
    "protocol_version",
    "seen_ahead",
    "too_many_frames",
)
"""What a worker's frame can be rejected for."""


class LineEnd(StrEnum):
    """How a worker's line came to its end."""

    STOPPED = "stopped"
    """The worker said goodbye: its person, or its machine, ended it."""
    SILENT = "silent"
    """Nothing was heard for too long."""
    REJECTED = "rejected"
    """It sent what no worker may send."""
    CLOSED = "closed"
    """The hub ended it: it was replaced, shown out, too slow, or the hub stops."""
    LOST = "lost"
    """It broke: a network, or a worker that died."""


@dataclass(slots=True)
class LineCounts:
    came: int = 0
    """Workers that said hello."""
    came_again: int = 0
    """Of these, such as had been here before, since the hub's start."""
    turned_away: int = 0
    """Sockets that were refused: no key that works, or no room."""
    ends: Counter[LineEnd] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    """Frames that ended their line, by the code of the error."""

    def note_end(self, error: AppError | None, *, was_stopped: bool, is_ours: bool) -> None:
        """Count a line that is over.

        Args:
            error: why it ended; None when nobody said.
            was_stopped: the worker said goodbye of its own accord.
            is_ours: the hub is stopping.
        """
        if isinstance(error, ProtocolError) and error.code not in SILENCES:
            self.rejected[error.code] += 1
        self.ends[_end_of(error, was_stopped=was_stopped, is_ours=is_ours)] += 1


def _end_of(error: AppError | None, *, was_stopped: bool, is_ours: bool) -> LineEnd:
    if was_stopped:
        return LineEnd.STOPPED
    if isinstance(error, ProtocolError):
        return LineEnd.SILENT if error.code in SILENCES else LineEnd.REJECTED
    return LineEnd.CLOSED if error is not None or is_ours else LineEnd.LOST
