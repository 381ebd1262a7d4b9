"""Jobs: list, look at, cancel, retry, move."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from hub.core.job import JobCard, job_unknown
from hub.frontends.api import events
from hub.frontends.api.parts import Hub, Known, ReadsWork, by
from hub.frontends.door import Caller
from hub.services import Services
from shared.api.jobs import History, JobPage, JobShown, Move
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX
from shared.ids import JobId
from shared.jobs import JobState

router = APIRouter(tags=["jobs"])

JobPath = Annotated[str, Path(pattern=ID)]


def shown(card: JobCard, waiting: str | None = None) -> JobShown:
    job, life = card.job, card.job.life
    return JobShown(
        job_id=job.job_id,
        short=card.short,
        task_id=job.task_id,
        person_id=job.person_id,
        kind=job.kind,
        title=card.title,
        state=life.state,
        priority=job.priority,
        attempt=life.attempt,
        failures=life.failures,
        worker_id=life.worker_id,
        question_id=life.question_id,
        session_id=job.session_id,
        part_of=job.part_of,
        inputs=card.inputs,
        result=card.result,
        error=card.error,
        waiting=waiting,
        created_at=job.created_at,
        updated_at=card.updated_at,
    )


async def card_seen(hub: Services, caller: Caller, job_id: str) -> JobCard:
    """Read a job that a key may see.

    Raises:
        NotFound: `job_unknown`; also of a kind that the key is not for.
    """
    card = await hub.views.job(caller.sees, JobId(job_id))
    if not caller.may_see(card.kind):
        raise job_unknown()
    return card


@router.get("/jobs")
async def list_jobs(
    caller: ReadsWork,
    hub: Hub,
    state: Annotated[list[JobState] | None, Query(max_length=10)] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(pattern=ID)] = None,
    parts_of: Annotated[str | None, Query(pattern=ID)] = None,
) -> JobPage:
    """Jobs, the newest first; the parts of a job only when they are asked for (`parts_of`)."""
    cards = await hub.views.jobs(
        caller.sees,
        states=frozenset(state or ()),
        limit=limit,
        before=JobId(cursor) if cursor else None,
        part_of=JobId(parts_of) if parts_of else None,
    )
    more = cards[-1].job_id if len(cards) == limit else None
    seen = tuple(shown(card) for card in cards if caller.may_see(card.kind))
    return JobPage(jobs=seen, next_cursor=more)


@router.get("/jobs/{job_id}")
async def get_job(job_id: JobPath, caller: ReadsWork, hub: Hub) -> JobShown:
    """One job, and why it waits."""
    card = await card_seen(hub, caller, job_id)
    waiting = await hub.views.why_waiting(card.job_id)
    return shown(card, waiting.reason if waiting else None)


@router.get("/jobs/{job_id}/events")
async def get_job_events(job_id: JobPath, caller: ReadsWork, hub: Hub) -> History:
    """Everything that happened to a job, oldest first."""
    card = await card_seen(hub, caller, job_id)
    facts = await hub.views.history(caller.sees, card.job_id)
    return History(events=tuple(map(events.shown, facts)))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Stop a job; one that runs is cancelled once its worker has stopped. Idempotent."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    return shown(await hub.intake.cancel(card.job.person_id, card.job_id, by(caller)))


@router.post("/jobs/{job_id}/retry")
async def retry_job(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Queue a job again that failed, died or was interrupted."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    return shown(await hub.intake.retry(card.job.person_id, card.job_id, by(caller)))


@router.post("/jobs/{job_id}/move")
async def move_job(job_id: JobPath, move: Move, caller: Known, hub: Hub) -> JobShown:
    """Let another computer run a job that still waits."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    return shown(await hub.intake.move(card.job.person_id, card.job_id, move.worker, by(caller)))
