"""How fast one endpoint is called with one key: who may go now, and when the next may.

Pure: the shell (`desktop/jobs/llm/lane.py`) enters calls, asks `grant` after every change and at
`due_at`, and tells how calls ended. What it holds together: the window that is found out, the
minutes' budgets that the owner set, a gate that the other side closed (Retry-After), and the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.core.llm.budget import Budget
from desktop.core.llm.learned import Learned
from desktop.core.llm.line import Line, Ticket
from desktop.core.llm.window import Window

GATE_SECONDS_MAX = 24 * 3600.0


class Ending(StrEnum):
    """What the end of a call says about the pace."""

    GOOD = "good"
    RATE = "rate"
    """Turned away by a limit of this key's."""
    OVERLOADED = "overloaded"
    """The other side has too much to do, or does not answer."""
    SILENT = "silent"
    """Says nothing: cancelled, or an error of the request's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceLimits:
    """What the owner, or the endpoint's description, sets."""

    concurrency_max: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class Pace:
    """Times are seconds of one clock that never goes back."""

    def __init__(self, limits: PaceLimits) -> None:
        self.limits = limits
        self._window = Window(limits.concurrency_max)
        self._requests = _budget(limits.requests_per_minute)
        self._tokens = _budget(limits.tokens_per_minute)
        self._learned = Learned()
        self._line = Line()
        self._flying: set[Ticket] = set()
        self._gate_until = float("-inf")
        self._started_at = float("-inf")

    @property
    def window_size(self) -> float:
        return self._window.size

    @property
    def flying(self) -> int:
        return len(self._flying)

    @property
    def waiting(self) -> int:
        return len(self._line)

    def enter(self, who: str, now: float, *, tokens: int = 0, is_urgent: bool = False) -> Ticket:
        """Wait in line.

        Args:
            who: whose calls wait behind each other; a model's name.
            now: the time.
            tokens: what the call will use, as estimated.
            is_urgent: a person waits for it.
        """
        ticket = Ticket(who, tokens, is_urgent, now)
        self._line.add(ticket)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """Wait no longer; for one that was not granted."""
        assert ticket.started_at is None
        self._line.remove(ticket)

    def grant(self, now: float) -> list[Ticket]:
        """Let go whoever may; they are in flight from now on, until `ended`."""
        granted = []
        while (ticket := self._line.next()) is not None and self._free_at(ticket, now) <= now:
            self._start(ticket, now)
            granted.append(ticket)
        if self._line.next() is not None and self._is_full(now):
            for flying in self._flying:
                flying.was_full = True
        return granted

    def due_at(self, now: float) -> float | None:
        """Return when `grant` may let somebody go though nothing ends; None when nothing will."""
        ticket = self._line.next()
        if ticket is None or len(self._flying) >= self._window.flying_max:
            return None
        return self._free_at(ticket, now)

    def closed_seconds(self, now: float) -> float:
        """Return how long the other side wants no call; 0 when it takes some."""
        return max(0.0, self._gate_until - now)

    def ended(
        self,
        ticket: Ticket,
        ending: Ending,
        now: float,
        *,
        tokens: int | None = None,
        wait_seconds: float | None = None,
    ) -> None:
        """A call that was granted is over.

        Args:
            ticket: of the call.
            ending: what it says.
            now: the time.
            tokens: what was used; None leaves the estimate.
            wait_seconds: how long the other side asked to wait.
        """
        assert ticket.started_at is not None
        self._flying.remove(ticket)
        self._line.landed(ticket)
        if tokens is not None and self._tokens is not None and ticket.spending is not None:
            self._tokens.correct(ticket.spending, tokens, now)
        if wait_seconds is not None:
            self.close(wait_seconds, now)
        if ending is Ending.GOOD:
            self._window.good(ticket.started_at, now, was_full=ticket.was_full)
        elif ending is not Ending.SILENT:
            is_rate = ending is Ending.RATE
            if is_rate:
                self._learned.refused(ticket.started_at, wait_seconds, now)
            self._window.limited(ticket.started_at, now, is_rate=is_rate)

    def close(self, seconds: float, now: float) -> None:
        """Let nobody go for so long; a longer wait that stands already stays."""
        self._gate_until = max(self._gate_until, now + min(seconds, GATE_SECONDS_MAX))

    def open(self) -> None:
        """Let calls go though the other side asked to wait: a person says so."""
        self._gate_until = float("-inf")

    def _start(self, ticket: Ticket, now: float) -> None:
        self._line.take(ticket)
        ticket.started_at = self._started_at = now
        self._flying.add(ticket)
        self._learned.take(now)
        if self._requests is not None:
            self._requests.take(1, now)
        if self._tokens is not None:
            ticket.spending = self._tokens.take(ticket.tokens, now)

    def _free_at(self, ticket: Ticket, now: float) -> float:
        """Return when this one may go; never while as many are in flight as may be."""
        if len(self._flying) >= self._window.flying_max:
            return float("inf")
        free_at = max(now, self._gate_until)
        if not ticket.is_urgent:
            free_at = max(free_at, self._started_at + self._window.gap_seconds)
        free_at = max(free_at, self._learned.room_at(now))
        if self._requests is not None:
            free_at = max(free_at, self._requests.room_at(1, now))
        if self._tokens is not None:
            free_at = max(free_at, self._tokens.room_at(ticket.tokens, now))
        return free_at

    def _is_full(self, now: float) -> bool:
        """Whether it is the window that holds the next one back, and nothing else."""
        if len(self._flying) >= self._window.flying_max:
            return True
        return self._started_at + self._window.gap_seconds > now


def _budget(per_minute: int | None) -> Budget | None:
    return None if per_minute is None else Budget(per_minute)
