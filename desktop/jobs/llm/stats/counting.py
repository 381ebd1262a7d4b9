"""How the cells of a run came out, counted: over all, by model, by scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from desktop.core.llm.types import CellState, ProbeRow
from desktop.jobs.llm.stats.cells import CANCELLED, Bools, Cells, Floats
from desktop.jobs.llm.stats.figures import figures, sums_of
from desktop.jobs.llm.stats.report import (
    Counts,
    Figure,
    ModelFigures,
    ScenarioFigures,
    ScoreFigures,
    ValueFigures,
)
from desktop.jobs.llm.stats.resampling import Resampling

UNKNOWN = "UNKNOWN"
Part = tuple[Floats, Bools, int]
"""A figure: y by row, which rows count, how many should."""


def counts_of(rows: Iterable[ProbeRow]) -> Counts:
    """Count how cells came out."""
    by = Counter(_outcome(row) for row in rows)
    return Counts(
        total=by.total(),
        answered=by["answered"] + by["unread"],
        refused=by["refused"],
        failed=by["failed"],
        cancelled=by["cancelled"],
        open=by["open"],
        unread=by["unread"],
    )


def _outcome(row: ProbeRow) -> str:
    match row.state:
        case CellState.FAILED:
            return "cancelled" if row.fault == CANCELLED else "failed"
        case CellState.ANSWERED:
            is_read = not row.options or any(label == row.choice for label, _ in row.options)
            return "answered" if is_read else "unread"
        case CellState.REFUSED:
            return "refused"
        case CellState.OPEN:
            return "open"


def models(cells: Cells, resampling: Resampling) -> list[ModelFigures]:
    """Give each model's counts and rates."""
    outcome = np.array([_outcome(row) for row in cells.rows], "U9")
    answered = (outcome == "answered") | (outcome == "unread")
    replied = answered | (outcome == "refused")
    ended = replied | (outcome == "failed")
    first = (cells.place == 0).astype(np.float64)
    read = (cells.place >= 0) & _is_offered(cells)
    parts: list[Part] = []
    for number in range(len(cells.models)):
        own = cells.model == number
        total = int(own.sum())
        parts += [
            ((outcome == "refused").astype(np.float64), own & replied, total),
            ((outcome == "failed").astype(np.float64), own & ended, total),
            (first, own & read, int((own & _is_offered(cells)).sum())),
        ]
    made = figures(sums_of(cells.cluster, len(cells.clusters), parts), resampling, is_share=True)
    return [
        _model(cells, number, made[3 * number : 3 * number + 3])
        for number in range(len(cells.models))
    ]


def _is_offered(cells: Cells) -> Bools:
    """See which rows had several values, not numbers, to choose from."""
    sizes = np.array([len(one.labels) for one in cells.contests], np.int64)
    offered: Bools = (sizes[cells.contest] > 1) & ~cells.is_scale[cells.contest]
    return offered


def _model(cells: Cells, number: int, rates: Sequence[Figure]) -> ModelFigures:
    own = cells.model == number
    rows = [row for row, is_own in zip(cells.rows, own, strict=True) if is_own]
    faults = Counter(row.fault or UNKNOWN for row in rows if row.state is CellState.FAILED)
    prices = [row.cost_usd for row in rows if row.cost_usd is not None]
    times = [row.total_ms for row in rows if row.state is CellState.ANSWERED]
    read = cells.contest[own & (cells.place >= 0) & _is_offered(cells)]
    sizes = np.array([len(one.labels) for one in cells.contests])
    return ModelFigures(
        model=cells.models[number],
        counts=counts_of(rows),
        faults=dict(faults.most_common()),
        refusal=rates[0],
        error=rates[1],
        first_option=rates[2],
        first_option_by_chance=float((1 / sizes[read]).mean()) if len(read) else None,
        tokens=sum(row.tokens for row in rows),
        cost_usd=sum(prices) if prices else None,
        median_ms=float(np.median(times)) if times else None,
    )


def wins(cells: Cells, resampling: Resampling) -> list[ValueFigures]:
    """Give how often each value wins with each model."""
    parts: list[Part] = []
    for number in range(len(cells.models)):
        own = cells.model == number
        for value in range(len(cells.values)):
            offered = own & cells.has_value[cells.contest, value]
            won = (cells.chosen == value).astype(np.float64)
            parts.append((won, offered & (cells.chosen >= 0), int(offered.sum())))
    sums = sums_of(cells.cluster, len(cells.clusters), parts)
    made = figures(sums, resampling, is_share=True)
    names = [(model, value) for model in cells.models for value in cells.values]
    chances = _chances(cells)
    return [
        ValueFigures(
            model=model,
            value=value,
            wins=int(sums.y[:, number].sum()),
            share=figure,
            by_chance=float(chances[parts[number][1], number % len(cells.values)].mean())
            if figure.n
            else None,
        )
        for number, ((model, value), figure) in enumerate(zip(names, made, strict=True))
    ]


def _chances(cells: Cells) -> Floats:
    """Give, by row and value, how often picking blindly would let the value win."""
    by_contest = np.array(
        [
            [one.stands_for.count(value) / max(1, len(one.stands_for)) for value in cells.values]
            for one in cells.contests
        ]
    ).reshape(len(cells.contests), len(cells.values))
    chances: Floats = by_contest[cells.contest]
    return chances


def scores(cells: Cells, resampling: Resampling) -> list[ScoreFigures]:
    """Give each model's mean where the choices are numbers; nothing where there are none."""
    if not cells.is_scale.any():
        return []
    score, read = np.nan_to_num(cells.score), np.isfinite(cells.score)
    offered = cells.is_scale[cells.contest]
    parts = [
        (score, own & read, int((own & offered).sum()))
        for own in (cells.model == number for number in range(len(cells.models)))
    ]
    made = figures(sums_of(cells.cluster, len(cells.clusters), parts), resampling, is_share=False)
    return [
        ScoreFigures(model=model, mean=figure)
        for model, figure in zip(cells.models, made, strict=True)
    ]


def scenarios(cells: Cells) -> Iterator[ScenarioFigures]:
    """Give each scenario's counts, and what each model chose."""
    rows = sorted(cells.rows, key=lambda row: row.scenario)
    for scenario, group in groupby(rows, key=lambda row: row.scenario):
        told = list(group)
        choices: dict[str, Counter[str]] = {}
        for row in told:
            # What a model says is no label unless the scenario offered it: words stay here.
            if row.state is CellState.ANSWERED and row.choice in dict(row.options):
                choices.setdefault(row.model, Counter())[row.choice] += 1
        yield ScenarioFigures(
            scenario=scenario,
            cluster=told[0].cluster,
            counts=counts_of(told),
            choices={model: dict(counted) for model, counted in sorted(choices.items())},
        )
