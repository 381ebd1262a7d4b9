"""Which of its queues a node looks into first, on a broker that lets it choose (Redis).

High before default before low, whatever the kind; kinds of the same priority take turns.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.jobs import Priority

LAST = len(Priority)


class HighFirst:
    """The strategy that kombu asks: `consume` names the queues, `rotate` the one that gave."""

    def __init__(self, it: list[str] | None = None) -> None:
        self.items: list[str] = list(it or ())

    def update(self, it: Iterable[str]) -> None:
        """Take in which queues there are; those that are known keep their turn."""
        names = set(it)
        kept = [name for name in self.items if name in names]
        self.items = kept + sorted(names.difference(kept))

    def consume(self, n: int) -> list[str]:
        """Name the first `n` queues, in the order in which they are looked into."""
        return sorted(self.items, key=rank)[:n]

    def rotate(self, last_used: str) -> str:
        """Let others have a turn before the queue that gave something."""
        if last_used in self.items:
            self.items.remove(last_used)
            self.items.append(last_used)
        return last_used


def rank(queue: str) -> int:
    """Say how early a queue is served; 0 is first. Names of anything else come last."""
    priority = queue.rpartition(".")[2]
    return Priority(priority).rank if priority in set(Priority) else LAST
