"""Dead letters: jobs that ran out of tries, kept with their reasons."""

from __future__ import annotations

from shared.api.parts import Shown


class PurgedShown(Shown):
    purged: int
    """How many dead letters were forgotten."""
