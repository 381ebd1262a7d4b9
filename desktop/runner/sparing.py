"""Less garbage collection for the shared child, where almost nothing is part of a circle."""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 10_000
"""Made and not yet let go, before the young ones are walked."""
YOUNG_ROUNDS = 20
MIDDLE_ROUNDS = 50


def spare_collector() -> None:
    """Let the collector look less often.

    The libraries of the providers are some hundred thousand objects; with Python's own thresholds
    walking them was a fourteenth of what a call to a model costs.
    """
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, MIDDLE_ROUNDS)
