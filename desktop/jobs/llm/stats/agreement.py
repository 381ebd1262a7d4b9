"""Agreement beyond chance: between models, and of a model with itself.

What is compared is the place of the chosen option among those offered, so that two models that both
always take the first one get no credit for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from desktop.jobs.llm.stats.cells import Bools, Cells, Floats, Ints
from desktop.jobs.llm.stats.figures import few
from desktop.jobs.llm.stats.report import Agreement, PairAgreement, Stability
from desktop.jobs.llm.stats.resampling import Resampling, Statistic, bca


def cohen(totals: Floats) -> Floats:
    """Give Cohen's kappa of totals [..., 2 + 2k]: items, agreeing ones, first's and second's uses.

    Cohen (1960), A coefficient of agreement for nominal scales, Educ. Psych. Measurement 20.
    """
    items, agreed = totals[..., 0], totals[..., 1]
    first, second = np.split(totals[..., 2:], 2, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _beyond(agreed / items, (first * second).sum(axis=-1) / items**2)


def fleiss(totals: Floats) -> Floats:
    """Give Fleiss' kappa of totals [..., 2 + k]: items, their agreement, uses of each option.

    Fleiss (1971), Measuring nominal scale agreement among many raters, Psych. Bulletin 76; items
    with fewer raters count as in Gwet (2014), Handbook of Inter-Rater Reliability, 4th ed., ch. 2.
    """
    items, agreed, uses = totals[..., 0], totals[..., 1], totals[..., 2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        by_chance = ((uses / uses.sum(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
        return _beyond(agreed / items, by_chance)


def _beyond(observed: Floats, by_chance: Floats) -> Floats:
    return np.where(by_chance < 1 - 1e-12, (observed - by_chance) / (1 - by_chance), np.nan)


def pairs(cells: Cells, resampling: Resampling) -> list[PairAgreement]:
    """Compare each two models over the cells that both answered."""
    grid, places = cells.grid, _places(cells)
    cluster = _clusters_of_items(cells)
    offered = _offered(cells)[grid] & (grid >= 0)
    made = []
    for a, b in combinations(range(len(cells.models)), 2):
        both = (places[:, a] >= 0) & (places[:, b] >= 0)
        columns = np.concatenate(
            [
                np.ones((int(both.sum()), 1)),
                (places[both, a] == places[both, b])[:, None],
                _uses(places[both][:, [a]], _width(cells)),
                _uses(places[both][:, [b]], _width(cells)),
            ],
            axis=1,
        )
        summed = _summed(columns, cluster[both], resampling.clusters)
        n_of = int((offered[:, a] & offered[:, b]).sum())
        told = agreement_of(cohen, summed, n_of, resampling)
        made.append(PairAgreement(first=cells.models[a], second=cells.models[b], agreement=told))
    return made


def together(cells: Cells, resampling: Resampling) -> Agreement | None:
    """Compare all models at once; None with fewer than two."""
    if len(cells.models) < 2:
        return None
    offered = _offered(cells)[cells.grid] & (cells.grid >= 0)
    return _raters(
        cells, _places(cells), _clusters_of_items(cells), int(offered.any(axis=1).sum()), resampling
    )


def stability(cells: Cells, resampling: Resampling) -> Iterator[Stability]:
    """Compare each model's repeats of a scenario with each other."""
    repeats = np.array([row.repeat for row in cells.rows], np.int64)
    if not len(np.unique(repeats)) > 1:
        return
    _, repeat = np.unique(repeats, return_inverse=True)
    offered = _offered(cells)
    for number, model in enumerate(cells.models):
        rows = np.flatnonzero(cells.model == number)
        scenarios, which = np.unique(cells.scenario[rows], return_inverse=True)
        places = np.full((len(scenarios), int(repeat.max()) + 1), -1)
        places[which, repeat[rows]] = cells.place[rows]
        cluster = np.zeros(len(scenarios), np.int64)
        cluster[which] = cells.cluster[rows]
        n_of = len(np.unique(which[offered[rows]]))
        yield Stability(model=model, agreement=_raters(cells, places, cluster, n_of, resampling))


def _raters(
    cells: Cells, places: Ints, cluster: Ints, n_of: int, resampling: Resampling
) -> Agreement:
    """Compare the raters of [items, raters] with each other, where two or more have rated."""
    uses = _uses(places, _width(cells))
    rated = uses.sum(axis=1)
    there = rated >= 2
    uses, rated = uses[there], rated[there]
    agreed = (uses * (uses - 1)).sum(axis=1) / (rated * (rated - 1))
    columns = np.concatenate([np.ones((len(uses), 1)), agreed[:, None], uses], axis=1)
    summed = _summed(columns, cluster[there], resampling.clusters)
    return agreement_of(fleiss, summed, n_of, resampling)


def agreement_of(
    statistic: Statistic, columns: Floats, n_of: int, resampling: Resampling
) -> Agreement:
    total = columns.sum(axis=0)
    n, there = int(total[0]), columns[columns[:, 0] > 0]
    if not n:
        remark = "No two answers can be compared." if n_of else "Nothing was asked twice."
        return Agreement(observed=None, kappa=None, n=0, n_of=n_of, clusters=0, remark=remark)
    observed, kappa = float(total[1] / n), float(statistic(total[None])[0])
    told = Agreement(observed=observed, kappa=None, n=n, n_of=n_of, clusters=len(there))
    if not np.isfinite(kappa):
        remark = "Everyone always took the same option: how much of that is chance cannot be told."
        return told.model_copy(update={"remark": remark})
    told = told.model_copy(update={"kappa": kappa})
    if len(there) == 1:
        return told.model_copy(update={"remark": "All of it is one cluster: no interval."})
    resampled = np.concatenate(
        [statistic(totals[:, 0]) for _, totals in resampling.totals(columns[:, None])]
    )
    interval = bca(statistic, there, resampled)
    remark = few(len(there)) if interval else "It does not vary enough for an interval."
    return told.model_copy(update={"interval": interval, "remark": remark})


def _places(cells: Cells) -> Ints:
    grid = cells.grid
    return np.where(grid >= 0, cells.place[grid], -1)


def _offered(cells: Cells) -> Bools:
    """See, by row, whether there was anything to choose from."""
    sizes = np.array([len(one.labels) for one in cells.contests], np.int64)
    offered: Bools = sizes[cells.contest] > 1
    return offered


def _width(cells: Cells) -> int:
    return int(cells.place.max(initial=-1)) + 1


def _uses(places: Ints, width: int) -> Floats:
    """Count, by item, how often each option was taken; `places`: [items, raters]."""
    uses = np.zeros((len(places), width))
    for rater in range(places.shape[1]):
        rated = np.flatnonzero(places[:, rater] >= 0)
        uses[rated, places[rated, rater]] += 1
    return uses


def _summed(columns: Floats, cluster: Ints, clusters: int) -> Floats:
    summed = np.zeros((clusters, columns.shape[1]))
    np.add.at(summed, cluster, columns)
    return summed


def _clusters_of_items(cells: Cells) -> Ints:
    cluster = np.zeros(int(cells.item.max(initial=-1)) + 1, np.int64)
    cluster[cells.item] = cells.cluster
    return cluster
