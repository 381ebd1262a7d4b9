"""Tasks in, jobs out: make, list, look at, cancel, retry."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response

from hub.core.job import JobCard
from hub.frontends.api import events
from hub.frontends.api.parts import Enqueues, Hub, Known, ReadsWork
from hub.frontends.facts import PLACES
from hub.services.requests import Request
from shared.api.jobs import History, JobPage, JobShown
from shared.api.parts import ID, PAGE_DEFAULT
from shared.api.tasks import NewTask
from shared.ids import JobId
from shared.jobs import JobState, Origin

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
        inputs=card.inputs,
        result=card.result,
        error=card.error,
        waiting=waiting,
        created_at=job.created_at,
        updated_at=card.updated_at,
    )


@router.post("/tasks", status_code=201)
async def create_task(
    new: NewTask,
    caller: Enqueues,
    hub: Hub,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> JobShown:
    """Ask for something: makes a task with one job. Repeating the key repeats the answer."""
    receipt = await hub.intake.request(
        Request(
            person_id=caller.person.person_id,
            kind=new.kind,
            inputs=dict(new.inputs),
            text=new.text,
            title=new.title,
            origin=Origin.API,
            priority=new.priority,
            worker_name=new.worker,
            dedupe=f"api:{idempotency_key}" if idempotency_key else "",
        )
    )
    response.headers["Location"] = f"/api/v1/jobs/{receipt.card.job_id}"
    waiting = receipt.waiting.reason if receipt.waiting else None
    return shown(receipt.card, waiting)


@router.get("/jobs")
async def list_jobs(
    caller: ReadsWork,
    hub: Hub,
    state: Annotated[list[JobState] | None, Query(max_length=10)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(pattern=ID)] = None,
) -> JobPage:
    """Jobs, the newest first."""
    cards = await hub.views.jobs(
        caller.sees,
        states=frozenset(state or ()),
        limit=limit,
        before=JobId(cursor) if cursor else None,
    )
    more = cards[-1].job_id if len(cards) == limit else None
    return JobPage(jobs=tuple(shown(card) for card in cards), next_cursor=more)


@router.get("/jobs/{job_id}")
async def get_job(job_id: JobPath, caller: ReadsWork, hub: Hub) -> JobShown:
    """One job, and why it waits."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    waiting = await hub.views.why_waiting(card.job_id)
    return shown(card, waiting.reason if waiting else None)


@router.get("/jobs/{job_id}/events")
async def get_job_events(job_id: JobPath, caller: ReadsWork, hub: Hub) -> History:
    """Everything that happened to a job, oldest first."""
    facts = await hub.views.history(caller.sees, JobId(job_id))
    return History(events=tuple(map(events.shown, facts)))


@router.post("/jobs/{job_id}/cancel")
async def cancel_job(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Stop a job; one that runs is cancelled once its worker has stopped. Idempotent."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    by = f"{caller.person.name} on {PLACES['api']}"
    return shown(await hub.intake.cancel(card.job.person_id, card.job_id, by))


@router.post("/jobs/{job_id}/retry")
async def retry_job(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Queue a job again that failed, died or was interrupted."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    by = f"{caller.person.name} on {PLACES['api']}"
    return shown(await hub.intake.retry(card.job.person_id, card.job_id, by))
