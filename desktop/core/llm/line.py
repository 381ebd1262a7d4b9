"""Who goes next at one endpoint: people before probes, models by turns, first come first served."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from desktop.core.llm.budget import Spending

URGENT_RUN_MAX = 4
"""Urgent calls in a row while others wait; nobody waits for ever."""


@dataclass(slots=True, eq=False)
class Ticket:
    """One call, waiting or in flight."""

    who: str
    """Calls of one name wait behind each other: the model's."""
    tokens: int
    """As estimated."""
    is_urgent: bool
    entered_at: float
    started_at: float | None = None
    was_full: bool = False
    """Others waited for the window while it was in flight."""
    spending: Spending | None = None
    """Of tokens."""


class Line:
    """Those who wait; the model with the fewest calls in flight goes next, so none is a plug."""

    def __init__(self) -> None:
        self._urgent: deque[Ticket] = deque()
        self._groups: dict[str, deque[Ticket]] = {}
        self._flying: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._count = 0
        self._urgent_run = 0

    def __len__(self) -> int:
        return len(self._urgent) + sum(map(len, self._groups.values()))

    def add(self, ticket: Ticket) -> None:
        if ticket.is_urgent:
            self._urgent.append(ticket)
        else:
            self._groups.setdefault(ticket.who, deque()).append(ticket)

    def next(self) -> Ticket | None:
        """Return who is next, without taking them; it stays the same until something changes."""
        is_urgent = self._urgent and (self._urgent_run < URGENT_RUN_MAX or not self._groups)
        if is_urgent:
            return self._urgent[0]
        if not self._groups:
            return None
        who = min(self._groups, key=lambda name: (self._flying[name], self._served.get(name, 0)))
        return self._groups[who][0]

    def take(self, ticket: Ticket) -> None:
        """Let somebody go who was `next`."""
        self.remove(ticket)
        self._urgent_run = self._urgent_run + 1 if ticket.is_urgent else 0
        self._count += 1
        self._served[ticket.who] = self._count
        self._flying[ticket.who] += 1

    def landed(self, ticket: Ticket) -> None:
        self._flying[ticket.who] -= 1
        if not self._flying[ticket.who]:
            del self._flying[ticket.who]

    def remove(self, ticket: Ticket) -> None:
        """Take somebody out who waits."""
        if ticket.is_urgent:
            self._urgent.remove(ticket)
            return
        group = self._groups[ticket.who]
        group.remove(ticket)
        if not group:
            del self._groups[ticket.who]
