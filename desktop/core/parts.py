"""Jobs that jobs have made: their parts, and what follows them. Kept by this machine, all of them.

They are of their maker's task, session and origin, so that they have its rights and no more.
"""

from __future__ import annotations

from collections.abc import Mapping

from desktop.core.outcome import Following, PartsWanted
from shared.errors import NotAllowed
from shared.events import TaskRequested
from shared.ids import JobId, WorkerId
from shared.jobs import TITLE_CHARS_MAX, JobSpec
from shared.kinds import Kind

OPEN_MAX = 256
"""Parts in hand at once, of all jobs together; the others are made when these end."""
BATCH_MAX = 64
"""Parts that are made in one transaction, so that nobody waits long for the store."""


def room_for(open_here: int, open_of_all: int, makers: int) -> int:
    """How many parts a job may have made now.

    Args:
        open_here: its own that are open.
        open_of_all: those of all jobs.
        makers: jobs that want some made; none of them takes the share of another.
    """
    share = max(1, OPEN_MAX // max(1, makers))
    return max(0, min(share - open_here, OPEN_MAX - open_of_all, BATCH_MAX))


def refusal(maker: JobSpec, kind: str, kinds: Mapping[str, Kind]) -> NotAllowed | None:
    """Say why a job may not have jobs of a kind made; None when it may."""
    if kind in kinds[maker.kind].makes:
        return None
    return NotAllowed(
        "job_makes_not",
        f"A job of {maker.kind} may not have jobs of {kind} made.",
        "This is a fault of the program; please report it with the job's log.",
    )


def request_of_part(
    maker: JobSpec, wanted: PartsWanted, index: int, *, job_id: JobId, worker_id: WorkerId
) -> TaskRequested:
    """Ask for one part of a job, to be run here."""
    noun = wanted.kind.rpartition(".")[2].replace("_", " ").capitalize()
    return TaskRequested(
        task_id=maker.task_id,
        job_id=job_id,
        kind=wanted.kind,
        inputs={**wanted.inputs, "index": index},
        title=f"{noun} {index + 1:,}",
        worker_id=worker_id,
        is_kept=True,
        session_id=maker.session_id,
        part_of=maker.job_id,
    )


def request_of_following(
    maker: JobSpec, following: Following, *, job_id: JobId, worker_id: WorkerId
) -> TaskRequested:
    """Ask for what comes after a job that ends well, to be run here."""
    return TaskRequested(
        task_id=maker.task_id,
        job_id=job_id,
        kind=following.kind,
        inputs=following.inputs,
        # What a follower is asked for names its maker by an id; people know that by its title.
        title=f"{following.kind.rpartition('.')[2]}: {maker.title}"[:TITLE_CHARS_MAX],
        worker_id=worker_id,
        is_kept=True,
        session_id=maker.session_id,
        follows=maker.job_id,
    )
