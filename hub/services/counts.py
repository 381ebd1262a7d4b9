"""Counts what was committed since the hub's start: events by type, jobs that ended by kind.

It follows the ledger. Names are of fixed sets, so that no worker can make the counts grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hub.store.ledger import Entry, Ledger
from shared.events import KNOWN_TYPES
from shared.jobs import JobState

OTHER = "other"
"""Kinds and types that this hub does not know."""
ENDS = frozenset(state for state in JobState if state.is_terminal) | {JobState.INTERRUPTED}
"""Where a job's way ends, or ends until a person decides."""


class Counts:
    def __init__(self, ledger: Ledger, kinds: Iterable[str]) -> None:
        """Count from now on. `kinds`: those that are told by their names."""
        self.kinds = tuple(sorted(kinds))
        self._kinds = frozenset(self.kinds)
        self.events = dict.fromkeys((*sorted(KNOWN_TYPES), OTHER), 0)
        """By type."""
        self.ended: Counter[tuple[str, JobState]] = Counter()
        """By kind and state; a dead letter that was requeued may end once more."""
        self.transactions = 0
        ledger.listeners.append(self._follow)

    def name_of(self, kind: str) -> str:
        """What a kind is counted as."""
        return kind if kind in self._kinds else OTHER

    def _follow(self, entry: Entry) -> None:
        self.transactions += 1
        events = self.events
        for fact in entry.facts:
            events[fact.type if fact.type in events else OTHER] += 1
        for job in entry.jobs:
            if job.life.state in ENDS:
                self.ended[self.name_of(job.kind), job.life.state] += 1
