"""Rows of a run as numbers: names become places in sorted lists, so the rows' order is nothing.

A *contest* is one set of options as a model saw it: labels in their order, and what each stands
for. It sets values against each other, or it is a *scale*, when all that it offers are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from desktop.core.llm.types import CellState, ProbeRow

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Options = tuple[tuple[str, str], ...]
CANCELLED = "CANCELLED"
NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?\Z")


@dataclass(frozen=True, slots=True)
class Contest:
    """One set of options."""

    labels: tuple[str, ...]
    stands_for: tuple[str, ...]
    """By label; the label itself where nothing else is said."""

    @property
    def is_scale(self) -> bool:
        return len(self.labels) > 1 and all(map(NUMBER.match, self.stands_for))

    @property
    def values(self) -> frozenset[str]:
        """The values set against each other; none if there is but one, or a scale."""
        values = frozenset(self.stands_for)
        return values if len(values) > 1 and not self.is_scale else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """All rows of a run; arrays are by row, in a fixed order, -1 for none."""

    rows: Sequence[ProbeRow]
    models: tuple[str, ...]
    scenarios: tuple[str, ...]
    clusters: tuple[str, ...]
    values: tuple[str, ...]
    contests: tuple[Contest, ...]
    model: Ints
    scenario: Ints
    cluster: Ints
    item: Ints
    """Scenario and repeat: what different models answer alike; ascending with the cluster."""
    contest: Ints
    place: Ints
    """Of the chosen option among those offered; -1 for none that can be read."""
    chosen: Ints
    """The value that won; -1 for none."""
    score: Floats
    """The number chosen on a scale; NaN for none."""
    has_value: Bools
    """[contests, values]: the contest sets it against others."""
    is_scale: Bools
    """[contests]."""

    @property
    def grid(self) -> Ints:
        """[items, models]: which row it is; -1 where there is none."""
        items = int(self.item.max(initial=-1)) + 1
        grid = np.full((items, len(self.models)), -1)
        grid[self.item, self.model] = np.arange(len(self.rows))
        return grid


def cells_of(rows: Iterable[ProbeRow]) -> Cells:
    """Put rows into numbers; each cell (scenario, model, repeat) must be there once at most."""
    told = sorted(rows, key=lambda row: (row.cluster, row.scenario, row.repeat, row.model))
    models, model = _coded([row.model for row in told])
    scenarios, scenario = _coded([row.scenario for row in told])
    clusters, cluster = _coded([row.cluster for row in told])
    items = [(row.cluster, row.scenario, row.repeat) for row in told]
    contests, contest = _contests(told)
    values = tuple(sorted(frozenset[str]().union(*(one.values for one in contests))))
    has_value = np.array(
        [[value in one.values for value in values] for one in contests], np.bool_
    ).reshape(len(contests), len(values))
    is_scale = np.array([one.is_scale for one in contests], np.bool_)
    place = np.array([_place(row, contests[c]) for row, c in zip(told, contest, strict=True)], int)
    chosen, score = _chosen(contests, values, contest, place)
    return Cells(
        rows=told, models=models, scenarios=scenarios, clusters=clusters, values=values,
        contests=contests, model=model, scenario=scenario, cluster=cluster, item=_runs(items),
        contest=contest, place=place, chosen=chosen, score=score,
        has_value=has_value, is_scale=is_scale,
    )  # fmt: skip


def _coded(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    told = tuple(sorted(set(names)))
    places = {name: place for place, name in enumerate(told)}
    return told, np.fromiter((places[name] for name in names), np.int64, len(names))


def _runs(keys: Sequence[tuple[str, str, int]]) -> Ints:
    """Number equal neighbours alike, from 0."""
    starts = [
        before != after for before, after in zip([None, *keys[:-1]], keys, strict=True)
    ] if keys else []  # fmt: skip
    return np.cumsum(np.array(starts, np.int64)) - 1


def _contests(rows: Sequence[ProbeRow]) -> tuple[tuple[Contest, ...], Ints]:
    seen = sorted({row.options for row in rows})
    places: dict[Options, int] = {options: place for place, options in enumerate(seen)}
    contests = tuple(
        Contest(
            labels=tuple(label for label, _ in options),
            stands_for=tuple(value or label for label, value in options),
        )
        for options in seen
    )
    return contests, np.fromiter((places[row.options] for row in rows), np.int64, len(rows))


def _place(row: ProbeRow, contest: Contest) -> int:
    if row.state is not CellState.ANSWERED or row.choice not in contest.labels:
        return -1
    return contest.labels.index(row.choice)


def _chosen(
    contests: Sequence[Contest], values: Sequence[str], contest: Ints, place: Ints
) -> tuple[Ints, Floats]:
    """Look up what each choice stands for: a value of a contest, or a number of a scale."""
    places = {value: number for number, value in enumerate(values)}
    width = max((len(one.labels) for one in contests), default=0) + 1
    # The last column stays empty: it is where the place -1 leads.
    won = np.full((len(contests), width), -1)
    number = np.full((len(contests), width), np.nan)
    for row, one in enumerate(contests):
        for column, value in enumerate(one.stands_for):
            if one.is_scale:
                number[row, column] = float(value)
            elif one.values:
                won[row, column] = places[value]
    if not len(contests):
        return np.empty(0, np.int64), np.empty(0)
    return won[contest, place], number[contest, place]
