"""From the rows of a run to its report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from desktop.core.llm.types import ProbeRow
from desktop.jobs.llm.stats import agreement, counting
from desktop.jobs.llm.stats.cells import Cells, cells_of
from desktop.jobs.llm.stats.differences import COMPARISONS_MAX, differences, is_too_much
from desktop.jobs.llm.stats.figures import FEW_CLUSTERS
from desktop.jobs.llm.stats.report import Counts, Report
from desktop.jobs.llm.stats.resampling import Resampling


def reckon(rows: Iterable[ProbeRow], *, run: str, name: str, seed: int = 0) -> Report:
    """Reckon all figures of a run.

    The same rows and the same seed give the same report, in whatever order the rows come.

    Args:
        rows: one for each cell of the run, those that failed or were never asked included.
        run: the run's id.
        name: what people call it.
        seed: of the draws.
    """
    cells = cells_of(rows)
    resampling = Resampling(len(cells.clusters), seed)
    counts = counting.counts_of(cells.rows)
    repeats = {row.repeat for row in cells.rows}
    return Report(
        run=run,
        name=name,
        seed=seed,
        resamples=resampling.resamples,
        counts=counts,
        scenarios_total=len(cells.scenarios),
        clusters_total=len(cells.clusters),
        repeats=len(repeats),
        values=cells.values,
        models=tuple(counting.models(cells, resampling)),
        wins=tuple(counting.wins(cells, resampling)),
        scores=tuple(counting.scores(cells, resampling)),
        differences=tuple(differences(cells, resampling)),
        pairs=tuple(agreement.pairs(cells, resampling)),
        together=agreement.together(cells, resampling),
        stability=tuple(agreement.stability(cells, resampling)),
        scenarios=tuple(counting.scenarios(cells)),
        remarks=tuple(_remarks(cells, counts)),
    )


def _remarks(cells: Cells, counts: Counts) -> Iterator[str]:
    if not counts.total:
        yield "The run has no cells: there is nothing to count."
        return
    lost = {
        "failed": counts.failed,
        "were cancelled": counts.cancelled,
        "were not asked to the end": counts.open,
        "were refused": counts.refused,
        "gave no choice that could be read": counts.unread,
    }
    missing = [f"{number:,} {what}" for what, number in lost.items() if number]
    if missing:
        told = counts.answered - counts.unread
        yield f"Figures rest on {told:,} of {counts.total:,} probes: {', '.join(missing)}."
    if counts.answered and not cells.values and not cells.is_scale.any():
        yield "No scenario sets values against each other or offers numbers: only counts are told."
    if 1 < len(cells.clusters) < FEW_CLUSTERS:
        yield f"Only {len(cells.clusters)} clusters of scenarios: all intervals are rough."
    if len(cells.clusters) == 1:
        yield "All scenarios are one cluster: what other scenarios would give cannot be known."
    if is_too_much(cells):
        yield (
            f"More than {COMPARISONS_MAX:,} differences between models in values: none is told. "
            "Fewer models or values would have some."
        )
    sizes = np.bincount(cells.scenario)
    if len(np.unique(sizes)) > 1:
        yield "Not every scenario was put equally often: larger ones weigh more."
