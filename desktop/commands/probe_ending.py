"""What a run left: words for a terminal, JSON for programs, where everything is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.jobs import result_lines
from desktop.commands.printing import table
from desktop.commands.probe_watch import Ended
from desktop.core.llm.types import CellState
from desktop.jobs.llm.export import writing
from desktop.store.copied import Job
from desktop.store.transcripts.records import Run, Tally, cost_of
from desktop.system.paths import Paths
from desktop.system.program import version
from shared.ids import short
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.kinds.llm import StatsOutput
from shared.money import dollars

PLOTS = (".svg", ".png")
FILES_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """How one model fared."""

    model: str
    answered: int
    refused: int
    failed: int
    cost_usd: float | None


def models_of(run: Run) -> tuple[ModelRow, ...]:
    return tuple(_model(name, run.tallies) for name in run.models)


def _model(name: str, tallies: tuple[Tally, ...]) -> ModelRow:
    own = tuple(tally for tally in tallies if tally.model == name)
    counts = {
        state: sum(tally.cells for tally in own if tally.state is state) for state in CellState
    }
    return ModelRow(
        model=name,
        answered=counts[CellState.ANSWERED],
        refused=counts[CellState.REFUSED],
        failed=counts[CellState.FAILED],
        cost_usd=cost_of(own),
    )


def model_table(run: Run) -> list[str]:
    """Write how each model fared, as a table."""
    heads = ("model", "answered", "refused", "failed", "cost")
    rows = [
        (
            one.model,
            f"{one.answered:,}",
            f"{one.refused:,}",
            f"{one.failed:,}",
            "unknown" if one.cost_usd is None else dollars(one.cost_usd),
        )
        for one in models_of(run)
    ]
    return table(heads, rows, wide=0, width=None)


def lines(paths: Paths, ended: Ended, export: Sequence[Path]) -> Iterator[str]:
    """Tell what came of a run, and what can be done next."""
    run = ended.run
    if ended.is_stopped:
        yield from _stopped(run)
        return
    if run is None:
        yield from result_lines(ended.job)
        return
    # The table tells of each model better than a line does.
    told = tuple(f"{model}:" for model in run.models)
    yield from (line for line in result_lines(ended.job) if not line.startswith(told))
    yield ""
    yield from model_table(run)
    yield from _statistics(ended.stats)
    yield ""
    yield from _places(paths, run, export)


def _stopped(run: Run | None) -> Iterator[str]:
    if run is None:
        yield "Stopped before anything was asked."
        return
    yield (
        f"Stopped: {run.done:,} of {run.total:,} probes are done and kept; none is asked twice. "
        f"Go on with: deskhand probe --resume {short(run.run_id)}"
    )


def _statistics(stats: Job | None) -> Iterator[str]:
    if stats is None:
        return
    yield ""
    if stats.row.state is not JobState.SUCCEEDED or stats.result is None:
        yield from result_lines(stats)
        return
    try:
        output = StatsOutput.model_validate(stats.result)
    except ValidationError:
        yield from result_lines(stats)
        return
    yield output.headline
    yield from output.table.splitlines()
    yield from output.notes


def _places(paths: Paths, run: Run, export: Sequence[Path]) -> Iterator[str]:
    name = short(run.run_id)
    if plots := plots_of(paths, run.run_id):
        yield f"Plots: {plots[0].parent} ({', '.join(plot.name for plot in plots)})"
    yield f"Transcripts: deskhand transcript {name} 0 … {run.total - 1}"
    yield from (f"Exported: {file}" for file in export)
    if run.failed:
        yield f"Ask what failed again: deskhand probe --resume {name}"


def plots_of(paths: Paths, run_id: str) -> list[Path]:
    """Return the plots that a run's statistics have drawn."""
    folder = paths.runs / run_id
    found = sorted(file for file in folder.glob("**/*") if file.suffix in PLOTS)
    return found[:FILES_SHOWN_MAX]


def shape(paths: Paths, ended: Ended, export: Sequence[Path]) -> JsonObject:
    """Tell the same to a program."""
    run, row = ended.run, ended.job.row
    return {
        "run": run.run_id if run else None,
        "job": row.job_id,
        "state": row.state.value,
        "stopped": ended.is_stopped,
        "error": row.error.model_dump(mode="json") if row.error else None,
        "result": ended.job.result,
        "total": run.total if run else 0,
        "answered": run.answered if run else 0,
        "refused": run.refused if run else 0,
        "failed": run.failed if run else 0,
        "faults": dict(run.faults) if run else {},
        "cost_usd": run.cost_usd if run else None,
        "statistics": ended.stats.result if ended.stats else None,
        "plots": [str(file) for file in plots_of(paths, run.run_id)] if run else [],
        "exported": [str(file) for file in export],
    }


def exported(paths: Paths, run_id: str, form: str | None, out: Path | None) -> tuple[Path, ...]:
    """Write a run's transcripts for other programs; nothing when nobody wants that.

    Raises:
        AppError: as `writing.write`.
    """
    if form is None:
        return ()

    now = ENVIRONMENT.now()
    return writing.write(paths.data, run_id, writing.Form(form), out, now=now, program=version())
