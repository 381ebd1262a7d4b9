"""The job of this benchmark: it does nothing, and carries when it was asked for."""

from __future__ import annotations

from shared.kinds import Inputs, Kind, Output


class Stamp(Inputs):
    asked_at: float = 0.0
    """On the machine's monotonic clock, seconds; all programs of the benchmark share it."""


NOTHING = Kind(
    name="bench.nothing",
    summary="Ends at once",
    inputs=Stamp,
    output=Output,
    idempotent=True,
    timeout_seconds=60,
)
