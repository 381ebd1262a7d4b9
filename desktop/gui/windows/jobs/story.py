"""All that the detail of a job tells, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from desktop.gui.bridge import Bridge
from desktop.store import copied, outgoing
from desktop.store.copied import Job, QuestionRow, Step
from shared.ids import JobId


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    job: Job
    steps: tuple[Step, ...]
    questions: tuple[QuestionRow, ...]
    written: str
    """The path of the file it wrote on this machine; empty when none is known."""

    @property
    def question(self) -> QuestionRow | None:
        """What it waits for."""
        return next((one for one in self.questions if one.is_open), None)


async def read_story(bridge: Bridge, job_id: JobId) -> Story | None:
    """Read a job; None when the copy knows nothing of it (any more)."""
    look = bridge.desk.look
    job = await look(partial(copied.job, job_id=job_id))
    if job is None:
        return None
    written = await look(partial(outgoing.written_by, job_id=job_id))
    return Story(
        job=job,
        steps=await look(partial(copied.steps, job_id=job_id)),
        questions=await look(partial(copied.questions, job_id=job_id)),
        written=written or "",
    )
