"""All that the detail of a job tells, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from desktop.gui.bridge import Bridge
from desktop.gui.plan_words import is_step_news
from desktop.store import copied, outgoing, planned
from desktop.store.copied import Job, QuestionRow, Step
from shared.events import JobPlanned
from shared.ids import JobId
from shared.kinds.plan import PLAN


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    job: Job
    steps: tuple[Step, ...]
    questions: tuple[QuestionRow, ...]
    written: str
    """The path of the file it wrote on this machine; empty when none is known."""
    plan: JobPlanned | None = None
    """How the plan of a task in plain words stands."""

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
    steps = await look(partial(copied.steps, job_id=job_id))
    return Story(
        job=job,
        steps=tuple(step for step in steps if step.body is None or not is_step_news(step.body)),
        questions=await look(partial(copied.questions, job_id=job_id)),
        written=written or "",
        plan=await look(partial(planned.newest, job_id=job_id)) if job.row.kind == PLAN else None,
    )
