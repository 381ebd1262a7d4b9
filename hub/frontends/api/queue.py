"""The queue: its depth, and fetching, reporting and ending jobs by workers over REST."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.core.pull import CLAIM_SECONDS_MAX, Claimed, Grant
from hub.frontends.api import tasks
from hub.frontends.api.jobs import JobPath
from hub.frontends.api.parts import Enqueues, Hub, Puller, Pulls, ReadsCounts
from hub.frontends.api.questions import QuestionPath
from hub.frontends.api.versions import Once
from hub.services.views import QueueStatus
from shared.api.queue import (
    AnswerShown,
    ClaimShown,
    DepthShown,
    KindDepth,
    NewClaim,
    NewFailure,
    NewLines,
    NewProgress,
    NewQuestion,
    NewResult,
    OfAttempt,
    Parking,
    QuestionNoted,
    QueueShown,
    Told,
)
from shared.api.tasks import NewTask, TaskShown
from shared.errors import AppError, ErrorBody, first_of
from shared.events import JobFailed, JobLogged, JobParked, JobSucceeded
from shared.ids import JobId, QuestionId
from shared.messages import Progress

router = APIRouter(tags=["queue"])


def shown(status: QueueStatus) -> QueueShown:
    return QueueShown(
        priorities={
            priority: DepthShown(
                waiting=status.waiting[priority],
                running=status.running_by[priority],
                oldest_waiting_seconds=status.oldest_by[priority],
            )
            for priority in status.waiting
        },
        kinds=tuple(
            KindDepth(kind=depth.kind, waiting=depth.waiting, running=depth.running)
            for depth in status.kinds
        ),
        waiting=sum(status.waiting.values()),
        running=status.running,
        asking=status.asking,
        interrupted=status.interrupted,
        dead=status.dead,
        oldest_waiting_seconds=status.oldest_waiting_seconds,
        workers_online=status.workers_online,
        slots=status.slots,
    )


@router.get("/queue")
async def get_queue(caller: ReadsCounts, hub: Hub) -> QueueShown:
    """How many jobs wait, apart from those that run, by priority and by kind."""
    return shown(await hub.views.queue_status(caller.sees))


@router.post("/queue/jobs", status_code=201)
async def enqueue_job(
    new: NewTask,
    caller: Enqueues,
    hub: Hub,
    response: Response,
    idempotency_key: Once = None,
) -> TaskShown:
    """Queue a job: the same as `create_task`."""
    return await tasks.create_task(new, caller, hub, response, idempotency_key)


@router.post(
    "/queue/claim", response_model=ClaimShown, responses={204: {"description": "Nothing to do"}}
)
async def claim_job(
    wanted: NewClaim, puller: Puller, pulling: Pulls, request: Request
) -> ClaimShown | Response:
    """Fetch a job: it is this worker's then, and has begun. 204 when none came in time.

    Of any number of fetches that race for a job, exactly one gets it.
    """
    kinds = None if wanted.kinds is None else frozenset(wanted.kinds)
    claimed: Claimed | None = None
    try:
        async with asyncio.TaskGroup() as calls:
            asked = calls.create_task(pulling.claim(puller, kinds, wanted.wait_seconds))
            gone = calls.create_task(_gone(request))
            await asyncio.wait([asked, gone], return_when=asyncio.FIRST_COMPLETED)
            is_gone = gone.done()
            asked.cancel()  # hands on what it is given meanwhile
            gone.cancel()
        claimed = None if asked.cancelled() else asked.result()
    except* AppError as failures:
        raise first_of(failures) from None
    if claimed is not None and is_gone:
        await pulling.give_back(puller, claimed)
    return Response(status_code=204) if claimed is None else _told(claimed)


async def _gone(request: Request) -> None:
    """Return once nobody waits for the answer any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _told(claimed: Claimed) -> ClaimShown:
    return ClaimShown(job=claimed.spec, attempt=claimed.attempt, fence=claimed.fence)


@router.post("/queue/jobs/{job_id}/progress")
async def tell_progress(job_id: JobPath, told: NewProgress, puller: Puller, pulling: Pulls) -> Told:
    """Say how far it is; the newest word counts, and none is kept."""
    progress = Progress(
        job_id=JobId(job_id),
        attempt=told.attempt,
        stage=told.stage,
        done=told.done,
        total=told.total,
        eta_seconds=told.eta_seconds,
    )
    return Told(stop=await pulling.progress(puller, _grant(job_id, told), progress))


@router.post("/queue/jobs/{job_id}/log")
async def log_lines(job_id: JobPath, told: NewLines, puller: Puller, pulling: Pulls) -> Told:
    """Add lines to its log."""
    body = JobLogged(job_id=JobId(job_id), attempt=told.attempt, fence=told.fence, lines=told.lines)
    return Told(stop=await pulling.log(puller, body))


@router.post("/queue/jobs/{job_id}/ask", status_code=201)
async def ask_question(
    job_id: JobPath, told: NewQuestion, puller: Puller, pulling: Pulls
) -> QuestionNoted:
    """Ask its person. The slot is free until the answer is fetched."""
    question_id = await pulling.ask(puller, _grant(job_id, told), told.asking)
    return QuestionNoted(question_id=question_id)


@router.get("/queue/questions/{question_id}")
async def get_answer(
    question_id: QuestionPath,
    puller: Puller,
    pulling: Pulls,
    wait_seconds: Annotated[float, Query(ge=0, le=CLAIM_SECONDS_MAX)] = CLAIM_SECONDS_MAX,
) -> AnswerShown:
    """Wait for the answer to a question of this worker's; once it is there, the job goes on."""
    question = await pulling.question(puller, QuestionId(question_id), wait_seconds)
    return AnswerShown(
        question_id=question.question_id, state=question.state, answer=question.answer
    )


@router.post("/queue/jobs/{job_id}/park")
async def park_job(job_id: JobPath, told: Parking, puller: Puller, pulling: Pulls) -> Told:
    """Let a job go that waits for an answer: it is queued again with it, for any worker."""
    body = JobParked(
        job_id=JobId(job_id),
        attempt=told.attempt,
        fence=told.fence,
        question_id=QuestionId(told.question_id),
    )
    return Told(stop=await pulling.report(puller, body))


@router.post("/queue/jobs/{job_id}/complete")
async def complete_job(job_id: JobPath, told: NewResult, puller: Puller, pulling: Pulls) -> Told:
    """It is done. A result that is none of its kind is refused, and the job goes on. Idempotent."""
    body = JobSucceeded(
        job_id=JobId(job_id),
        attempt=told.attempt,
        fence=told.fence,
        result=told.result,
        running_seconds=told.running_seconds,
    )
    return Told(stop=await pulling.report(puller, body))


@router.post("/queue/jobs/{job_id}/fail")
async def fail_job(job_id: JobPath, told: NewFailure, puller: Puller, pulling: Pulls) -> Told:
    """It failed, or was stopped as the hub wanted. Retryable: it is queued again. Idempotent."""
    body = JobFailed(
        job_id=JobId(job_id),
        attempt=told.attempt,
        fence=told.fence,
        error=ErrorBody(**told.error.model_dump()),
    )
    return Told(stop=await pulling.report(puller, body))


def _grant(job_id: str, told: OfAttempt) -> Grant:
    return Grant(job_id=JobId(job_id), attempt=told.attempt, fence=told.fence)
