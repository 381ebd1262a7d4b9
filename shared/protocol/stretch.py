"""A stretch of the hub's log as it travels, written once for all workers that are told the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.protocol.frames import FRAME_BYTES_MAX, too_large

HEAD_BYTES_MAX = 128
"""What stands around the events in a frame."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Good for every worker whose place is at least `after` and less than `before`."""

    after: int
    before: int
    """Where its first event stands; its end when it has none."""
    upto: int
    tail: str
    """The frame behind the place it continues."""

    def fits(self, hub_seq: int) -> bool:
        """Whether it is what comes next after a place."""
        return self.after <= hub_seq < self.before

    def frame(self, hub_seq: int) -> str:
        """Write an `Events` frame that continues a place it fits."""
        assert self.fits(hub_seq)
        return f'{{"type":"events","after":{hub_seq},{self.tail}'


def stretch(after: int, events: Sequence[tuple[int, bytes]], upto: int) -> Stretch:
    """Write as much of the log as one frame takes.

    Args:
        after: the place that it continues.
        events: all of a person's in this stretch: number, and a `Numbered` as JSON.
        upto: where the log is known to have no more of them; beyond `after`.

    Raises:
        ProtocolError: `frame_too_large`, of the first event alone.
    """
    room = FRAME_BYTES_MAX - HEAD_BYTES_MAX
    texts: list[bytes] = []
    for _, text in events:
        room -= len(text) + 1
        if room < 0:
            break
        texts.append(text)
    if len(texts) < len(events):
        if not texts:
            raise too_large(len(events[0][1]))
        upto = events[len(texts) - 1][0]
    return Stretch(
        after=after,
        before=events[0][0] if events else upto,
        upto=upto,
        tail=f'"upto":{upto},"events":[{b",".join(texts).decode()}]}}',
    )
