"""A fit as a person's script has it, for `overhead`; it imports nothing of Deskhand.

    python -P tests/benchmarks/ml/fitting.py TREES

Prints a line of JSON: the peak of the process in bytes, and the score.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path

ROWS, COLUMNS = 20_000, 20
TREES_A_TIME = 5


def fitted(trees: int, tell: Callable[[float], None]) -> dict[str, float]:
    """Fit a few trees at a time, and tell how many there are after each few."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    dice = np.random.default_rng(0)
    rows = dice.normal(size=(ROWS, COLUMNS))
    noise = dice.normal(size=ROWS)
    classes = rows[:, 0] + rows[:, 1] * rows[:, 2] + noise > 0
    model = HistGradientBoostingClassifier(warm_start=True, early_stopping=False, random_state=0)
    for count in range(TREES_A_TIME, trees + 1, TREES_A_TIME):
        model.set_params(max_iter=count).fit(rows, classes)
        tell(count)
    return {"peak_bytes": peak_bytes(), "score": float(model.score(rows, classes))}


def peak_bytes() -> int:
    """Return the highest resident set since this program began (not what its parent had)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fitted(int(sys.argv[1]), lambda _: None)) + "\n")
