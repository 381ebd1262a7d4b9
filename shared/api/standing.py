"""What a hub has of a computer's log."""

from __future__ import annotations

from shared.api.parts import Shown
from shared.jobs import JobState


class StandingShown(Shown):
    hub_epoch: str
    hub_seq: int
    """Where the hub's log ends."""
    acked_seq: int
    """How far this computer's log of the epoch was taken in."""
    acked_digest: str
    jobs: dict[JobState, int]
    """How many jobs of this person are in each state that is no end."""
