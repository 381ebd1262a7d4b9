"""Jobs that were there again and again when their shared child died: one of them may be why."""

from __future__ import annotations

from enum import Enum, auto

from shared.ids import JobId

LOSSES_MAX = 2
"""A job that has lost its child more often goes apart."""
NOTED_MAX = 10_000
"""Jobs that are remembered; the oldest note goes first."""


class Place(Enum):
    """With whom a job shares its child."""

    WITH_ALL = auto()
    WITH_FEW = auto()
    """With a few other suspects: of hundreds, only these few have to be tried one by one."""
    ALONE = auto()


class Suspects:
    """Counts what jobs have lost, until they come to an end of their own."""

    def __init__(self) -> None:
        self._losses: dict[JobId, int] = {}

    def lost(self, job_id: JobId) -> None:
        self._losses[job_id] = self._losses.pop(job_id, 0) + 1
        if len(self._losses) > NOTED_MAX:
            del self._losses[next(iter(self._losses))]

    def ended(self, job_id: JobId) -> None:
        self._losses.pop(job_id, None)

    def place(self, job_id: JobId) -> Place:
        """Say whom a job may share its child with."""
        more = self._losses.get(job_id, 0) - LOSSES_MAX
        if more <= 0:
            return Place.WITH_ALL
        return Place.WITH_FEW if more == 1 else Place.ALONE
