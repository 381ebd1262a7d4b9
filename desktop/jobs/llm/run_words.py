"""What is told of a run: while it goes, and when it has ended."""

from __future__ import annotations

from desktop.core.llm.types import CellState
from desktop.jobs import wording
from desktop.store.transcripts.records import Run, Tally, cost_of
from shared.kinds.llm import ModelTally, RunFacts, RunOutput
from shared.money import dollars
from shared.plain_text import plain_line

FAULTS_SHOWN_MAX = 3
NAME_CHARS_MAX = 60
STAGE_CHARS_MAX = 200
NOTES_MAX = 12


def stage(run: Run) -> str:
    """Say what there is to say besides the count: "probes · $0.12 · 3 failed (RATE_LIMIT 3)"."""
    parts = ["probes"]
    if run.cost_usd:
        parts.append(dollars(run.cost_usd))
    if run.failed:
        parts.append(f"{run.failed:,} failed ({_faults(run)})")
    return " · ".join(parts)[:STAGE_CHARS_MAX]


def output(run: Run, *, seconds: float) -> RunOutput:
    """Tell how a run came out."""
    return RunOutput(
        headline=headline(run),
        notes=_notes(run),
        run=run.run_id,
        name=run.name,
        total=run.total,
        answered=run.answered,
        refused=run.refused,
        failed=run.failed,
        faults=run.faults,
        models=tuple(_model(name, run.tallies) for name in run.models),
        usage=run.usage,
        cost_usd=run.cost_usd,
        seconds=seconds,
    )


def headline(run: Run) -> str:
    """Say it in one sentence: "Dilemmas: 196 of 200 answered, 4 failed (rate limit), $0.12."."""
    parts = [f"{run.answered:,} of {run.total:,} answered"]
    if run.refused:
        parts.append(f"{run.refused:,} refused")
    if run.failed:
        parts.append(f"{run.failed:,} failed ({_spoken_faults(run)})")
    if not_asked := run.count(CellState.OPEN):
        parts.append(f"{not_asked:,} not asked")
    if run.cost_usd:
        parts.append(dollars(run.cost_usd))
    return f"{titled(run.name)}: {', '.join(parts)}."


def facts(run: Run) -> RunFacts:
    """Tell what a list shows of a run."""
    return RunFacts(
        run=run.run_id,
        name=titled(run.name),
        created_at=run.created_at.isoformat().replace("+00:00", "Z"),
        models=run.models,
        total=run.total,
        answered=run.answered,
        refused=run.refused,
        failed=run.failed,
        cost_usd=run.cost_usd,
    )


def titled(name: str) -> str:
    shown = " ".join(plain_line(name).split())
    shown = shown if len(shown) <= NAME_CHARS_MAX else f"{shown[: NAME_CHARS_MAX - 1]}…"
    return f"{shown[:1].upper()}{shown[1:]}"


def spoken(fault: str) -> str:
    """Write a class as people read it: "rate limit"."""
    return fault.replace("_", " ").lower() or "no reason known"


def unpriced(run: Run) -> set[str]:
    """Name the models whose answers have no price; what failed has none anyway."""
    answered = CellState.ANSWERED
    return {one.model for one in run.tallies if one.unpriced and one.state == answered}


def _faults(run: Run) -> str:
    found = list(run.faults.items())
    told = [f"{fault} {count:,}" for fault, count in found[:FAULTS_SHOWN_MAX]]
    return ", ".join(told) + (", …" if len(found) > FAULTS_SHOWN_MAX else "")


def _spoken_faults(run: Run) -> str:
    found = list(run.faults.items())
    if len(found) == 1:
        return spoken(found[0][0])
    told = [f"{spoken(fault)} {count:,}" for fault, count in found[:FAULTS_SHOWN_MAX]]
    return ", ".join(told) + (", …" if len(found) > FAULTS_SHOWN_MAX else "")


def _notes(run: Run) -> tuple[str, ...]:
    notes: list[str] = []
    if run.failed or run.count(CellState.OPEN):
        notes.append("⚠ Go on with it to ask what has no answer yet; nothing is asked twice.")
    if len(run.models) > 1:
        notes += [_line(_model(name, run.tallies)) for name in run.models[: NOTES_MAX - 2]]
    if run.usage.is_estimated:
        notes.append("Tokens are estimated in part: not every reply told them.")
    if run.cost_usd is not None and unpriced(run):
        notes.append("⚠ Not every model has a known price; the cost is that of the others.")
    return tuple(notes)


def _line(told: ModelTally) -> str:
    parts = [f"{told.answered:,} answered"]
    parts += [f"{told.refused:,} refused"] if told.refused else []
    parts += [f"{told.failed:,} failed"] if told.failed else []
    parts += [dollars(told.cost_usd)] if told.cost_usd else []
    return f"{plain_line(told.model)}: {', '.join(parts)}."


def _model(name: str, tallies: tuple[Tally, ...]) -> ModelTally:
    own = tuple(tally for tally in tallies if tally.model == name)
    counted = {
        state: sum(tally.cells for tally in own if tally.state == state) for state in CellState
    }
    return ModelTally(
        model=name,
        answered=counted[CellState.ANSWERED],
        refused=counted[CellState.REFUSED],
        failed=counted[CellState.FAILED],
        cost_usd=cost_of(own),
    )


def waiting(count: int) -> str:
    return wording.count(count, "probe")
