"""Where to cut a probability, and how far told chances are from what happens.

Models are never fitted with class weights: that would spoil the probabilities. Rare classes are
found by a lower threshold instead, chosen on held-out rows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BINS = 10


def best_threshold(happened: Bools, chance: Floats) -> float:
    """Choose the threshold with the best F1 for the class that happened.

    F1 weighs missed cases and false alarms alike, whatever the class's share. 0.5 when nothing
    (or all) happened.

    Args:
        happened: bool [rows], of held-out rows.
        chance: float64 [rows], the told probability.
    """
    if not happened.any() or happened.all():
        return 0.5
    order = np.argsort(-chance, kind="stable")
    sorted_chance = chance[order]
    found = np.cumsum(happened[order])
    said = np.arange(1, len(order) + 1)
    f1 = 2 * found / (said + happened.sum())
    # A cut lies between two different chances only.
    is_cut = np.append(sorted_chance[:-1] > sorted_chance[1:], True)
    best = int(np.flatnonzero(is_cut)[np.argmax(f1[is_cut])])
    below = sorted_chance[best + 1] if best + 1 < len(order) else 0.0
    return float((sorted_chance[best] + below) / 2)


def calibration_error(happened: Bools, chance: Floats, bins: int = BINS) -> float:
    """Compute the mean gap between told chance and seen share, over bins of equal size.

    The expected calibration error of Naeini et al. 2015, 0 (perfect) to 1.
    """
    edges = np.quantile(chance, np.linspace(0, 1, bins + 1)[1:-1])
    bin_of_row = np.searchsorted(edges, chance)
    gap = 0.0
    for number in range(bins):
        rows = bin_of_row == number
        if rows.any():
            gap += abs(happened[rows].mean() - chance[rows].mean()) * rows.mean()
    return float(gap)
