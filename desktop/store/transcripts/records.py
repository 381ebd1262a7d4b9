"""What the transcripts hold, as it is handed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from desktop.core.llm.scenarios import Scenario
from desktop.core.llm.types import Cell, CellEnd, CellState, Turn
from shared.kinds.llm import UsageFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run before anything of it was asked."""

    run_id: str
    """Of the job that made it: purging its task deletes the run as well."""
    name: str
    definition: str
    """The snapshot, as JSON."""
    sha256: str
    """Of the snapshot."""
    scenarios: tuple[Scenario, ...]
    models: tuple[str, ...]
    """"endpoint:model", as asked for."""
    repeats: int = 1
    seed: int | None = None
    at: datetime

    @property
    def total(self) -> int:
        return len(self.scenarios) * len(self.models) * self.repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Cells of a run that ended alike: the same model, state and fault."""

    model: str
    state: CellState
    fault: str
    cells: int
    unpriced: int
    """Those of them without a price."""
    cost_usd: float
    usage: UsageFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run and how far it is."""

    run_id: str
    name: str
    sha256: str
    models: tuple[str, ...]
    repeats: int
    seed: int | None
    total: int
    created_at: datetime
    ended_at: datetime | None
    """When the newest of its cells ended."""
    tallies: tuple[Tally, ...] = ()

    def count(self, state: CellState) -> int:
        if state == CellState.OPEN:
            return self.total - self.done
        return sum(tally.cells for tally in self.tallies if tally.state == state)

    @property
    def done(self) -> int:
        return sum(tally.cells for tally in self.tallies)

    @property
    def answered(self) -> int:
        return self.count(CellState.ANSWERED)

    @property
    def refused(self) -> int:
        return self.count(CellState.REFUSED)

    @property
    def failed(self) -> int:
        return self.count(CellState.FAILED)

    @property
    def faults(self) -> dict[str, int]:
        """Failed cells by the class of their fault, the most frequent first."""
        found: dict[str, int] = {}
        for tally in self.tallies:
            if tally.state == CellState.FAILED:
                found[tally.fault] = found.get(tally.fault, 0) + tally.cells
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))

    @property
    def cost_usd(self) -> float | None:
        """What is known of the cost; None when nothing has a price."""
        return cost_of(self.tallies)

    @property
    def usage(self) -> UsageFacts:
        return usage_of(self.tallies)


def cost_of(tallies: tuple[Tally, ...]) -> float | None:
    priced = [tally.cost_usd for tally in tallies if tally.unpriced < tally.cells]
    return sum(priced) if priced else None


def usage_of(tallies: tuple[Tally, ...]) -> UsageFacts:
    return sum_of([tally.usage for tally in tallies])


def sum_of(usages: Sequence[UsageFacts]) -> UsageFacts:
    """Add up; estimated as soon as a part of it is."""
    counted = {
        name: sum(getattr(usage, name) for usage in usages)
        for name in UsageFacts.model_fields
        if name != "is_estimated"
    }
    return UsageFacts(**counted, is_estimated=any(usage.is_estimated for usage in usages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """All that is needed to ask a cell to its end, or to tell how it ended."""

    cell: Cell
    scenario: Scenario
    seed: int | None
    """The run's; a scenario's own comes first."""
    turns: tuple[Turn, ...] = ()
    """Those that are finished: they are not asked again."""
    end: CellEnd | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFacts:
    """A cell as a list shows it."""

    cell: Cell
    state: CellState
    choice: str = ""
    fault: str = ""
    message: str = ""
    cost_usd: float | None = None
    attempts: int = 0
    turns: int = 0
    usage: UsageFacts = field(default_factory=UsageFacts)
    total_ms: float = 0.0
    model_reported: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which cells a list is to show; what is empty wants all."""

    state: CellState | None = None
    model: str = ""
    scenario: str = ""
    fault: str = ""
    text: str = ""
    """In what was asked or answered, upper and lower case alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPage:
    cells: tuple[CellFacts, ...]
    next_after: int | None
    """Where the next page begins; None at the end. A search may bring an empty page that is not
    the last one: it looks at a bounded number of cells at a time."""
