"""Prediction intervals from the errors on held-out rows: no extra model is fitted.

Cross-conformal prediction (Vovk 2015; Barber et al. 2021, "CV+"): if new rows are like the old
ones, an interval of the chosen width covers at least about that share of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LEVELS = (0.5, 0.8, 0.9, 0.95)


def half_widths(errors: npt.NDArray[np.float64]) -> dict[str, float]:
    """Give the half width of the interval for each level.

    Args:
        errors: float64 [rows], held-out target minus prediction.

    Returns:
        "0.9" -> half width in the target's unit; the largest error where there are too few rows.
    """
    sizes = np.sort(np.abs(errors))
    rows = len(sizes)
    # The (rows + 1)(level)-th smallest error: the finite-sample correction of split conformal.
    ranks = {level: min(rows, int(np.ceil((rows + 1) * level))) for level in LEVELS}
    return {str(level): float(sizes[rank - 1]) for level, rank in ranks.items()} if rows else {}
