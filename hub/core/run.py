"""A probe run as people follow it: how far it is, what came of it, what it cost so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import ValidationError

from hub.core.job import JobCard
from shared.jobs import JobState
from shared.kinds.llm import ProbeOutput, RunOutput, StatsOutput

RUN, PROBE, STATS, TRANSCRIPT = "llm.run", "llm.probe", "llm.stats", "llm.transcript"
REFUSED = "refused"
ProbeShelf = Literal["all", "answered", "refused", "failed", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCount:
    """How one model fares."""

    model: str
    answered: int = 0
    refused: int = 0
    failed: int | None = None
    """None while the run goes on: the hub learns of a failed probe only that it failed."""
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """What has become of a run's probes."""

    answered: int = 0
    refused: int = 0
    failed: int = 0
    open: int = 0
    """Made and not ended."""
    faults: tuple[tuple[str, int], ...] = ()
    """Failed probes by code, the most frequent first."""
    models: tuple[ModelCount, ...] = ()
    cost_usd: float | None = None

    @property
    def ended(self) -> int:
        return self.answered + self.refused + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCard:
    """All that its person may read of a run."""

    card: JobCard
    worker: str
    counts: RunCounts
    total: int | None
    """Probes in all; None before the worker told."""

    @property
    def output(self) -> RunOutput | None:
        return output_of(self.card)

    @property
    def share(self) -> float | None:
        return min(1.0, self.counts.ended / self.total) if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe of a run, as a row of a table."""

    card: JobCard
    index: int
    output: ProbeOutput | None


class Counted(NamedTuple):
    """How many probes are alike in these things."""

    state: str
    """Of the job."""
    model: str | None
    said: str | None
    """"answered" or "refused", once it has succeeded."""
    fault: str | None
    number: int
    cost_usd: float | None


def counted(rows: Sequence[Counted]) -> RunCounts:
    """Add up what has become of a run's probes so far."""
    ended = [row for row in rows if row.state == JobState.SUCCEEDED]
    failed = [row for row in rows if row.state in (JobState.FAILED, JobState.DEAD)]
    costs = [row.cost_usd for row in ended if row.cost_usd is not None]
    faults = Counter[str]()
    for row in failed:
        faults[row.fault or "unknown"] += row.number
    return RunCounts(
        answered=sum(row.number for row in ended if row.said != REFUSED),
        refused=sum(row.number for row in ended if row.said == REFUSED),
        failed=sum(row.number for row in failed),
        open=sum(row.number for row in rows if not JobState(row.state).is_terminal),
        faults=tuple(faults.most_common()),
        models=tuple(_model(name, ended) for name in sorted({row.model or "" for row in ended})),
        cost_usd=sum(costs) if costs else None,
    )


def _model(name: str, ended: Sequence[Counted]) -> ModelCount:
    rows = [row for row in ended if (row.model or "") == name]
    costs = [row.cost_usd for row in rows if row.cost_usd is not None]
    return ModelCount(
        model=name,
        answered=sum(row.number for row in rows if row.said != REFUSED),
        refused=sum(row.number for row in rows if row.said == REFUSED),
        cost_usd=sum(costs) if costs else None,
    )


def output_of(card: JobCard) -> RunOutput | None:
    """Read what a run gave back; None before it has, or when it does not fit."""
    if card.state is not JobState.SUCCEEDED or card.result is None:
        return None
    try:
        return RunOutput.model_validate(card.result)
    except ValidationError:
        return None


def stats_of(card: JobCard) -> StatsOutput | None:
    """Read what the statistics of a run say; None when they are not there, or do not fit."""
    if card.result is None:
        return None
    try:
        return StatsOutput.model_validate(card.result)
    except ValidationError:
        return None


def probe_of(card: JobCard) -> Probe:
    """Read a part as a probe, whatever a worker wrote into it."""
    output = None
    if card.result is not None:
        try:
            output = ProbeOutput.model_validate(card.result)
        except ValidationError:
            output = None
    index = card.inputs.get("index", 0)
    return Probe(card=card, index=index if isinstance(index, int) else 0, output=output)


def final_counts(output: RunOutput) -> RunCounts:
    """Count by what the run itself says at its end: it knows the whole of its transcripts."""
    return RunCounts(
        answered=output.answered,
        refused=output.refused,
        failed=output.failed,
        faults=tuple(Counter(output.faults).most_common()),
        models=tuple(
            ModelCount(
                model=tally.model,
                answered=tally.answered,
                refused=tally.refused,
                failed=tally.failed,
                cost_usd=tally.cost_usd,
            )
            for tally in output.models
        ),
        cost_usd=output.cost_usd,
    )
