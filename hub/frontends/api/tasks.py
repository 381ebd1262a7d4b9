"""Tasks: ask for something, find it again, change it, go on with it, forget it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from hub.core.access import check_kind
from hub.core.job import JobCard
from hub.core.task import TaskCard, task_unknown
from hub.core.task_row import RowCursor, RowFilter, RowSort, TaskRow
from hub.frontends.api import jobs
from hub.frontends.api.parts import Enqueues, Hub, Known, ReadsWork, by
from hub.frontends.api.versions import IfMatch, IfNoneMatch, Once, etag, expected, is_known
from hub.frontends.door import Caller
from hub.services import Services
from hub.services.requests import Request
from hub.services.task_steps import TaskChange
from shared.api.jobs import JobShown
from shared.api.parts import ID
from shared.api.tasks import (
    NewFollowUp,
    NewTask,
    PlanShown,
    StepShown,
    TaskPage,
    TaskPatch,
    TaskQuery,
    TaskShown,
    TaskWithJobs,
)
from shared.errors import BadInput, NotFound
from shared.ids import SessionId, TaskId, WorkerId
from shared.jobs import Origin
from shared.kinds.naming import FILE_OF_JOB

router = APIRouter(tags=["tasks"])
TaskPath = Annotated[str, Path(pattern=ID)]


def shown(card: JobCard, *, job_count: int, waiting: str | None) -> TaskShown:
    """Tell a task by its newest job."""
    job, life = card.job, card.job.life
    return TaskShown(
        task_id=job.task_id,
        person_id=job.person_id,
        text=card.text,
        job_id=job.job_id,
        short=card.short,
        job_count=job_count,
        kind=job.kind,
        title=card.title,
        state=life.state,
        priority=job.priority,
        origin=card.origin,
        worker_id=life.worker_id,
        session_id=job.session_id,
        question_id=life.question_id,
        error=card.error,
        waiting=waiting,
        created_at=job.created_at,
        updated_at=card.updated_at,
    )


def _row(row: TaskRow) -> TaskShown:
    job, life = row.job, row.job.life
    return TaskShown(
        task_id=row.task_id,
        person_id=job.person_id,
        text=row.text,
        job_id=job.job_id,
        short=row.short,
        job_count=row.jobs,
        kind=job.kind,
        title=row.title,
        state=life.state,
        priority=job.priority,
        origin=row.origin,
        worker_id=life.worker_id,
        session_id=job.session_id,
        question_id=life.question_id,
        error=row.error,
        waiting=row.waiting.reason if row.waiting else None,
        created_at=row.asked_at,
        updated_at=row.updated_at,
    )


async def _with_jobs(hub: Services, card: TaskCard) -> TaskWithJobs:
    waiting = await hub.views.why_waiting(card.newest.job_id)
    newest = shown(
        card.newest, job_count=len(card.jobs), waiting=waiting.reason if waiting else None
    )
    told = newest.model_copy(update={"created_at": card.task.created_at})
    return TaskWithJobs(
        **dict(told), version=card.version, jobs=tuple(jobs.shown(job) for job in card.jobs)
    )


@router.post("/tasks", status_code=201)
async def create_task(
    new: NewTask, caller: Enqueues, hub: Hub, response: Response, idempotency_key: Once = None
) -> TaskShown:
    """Ask for something: makes a task with one job. Repeating the key repeats the answer."""
    task = await make(new, caller, hub, idempotency_key)
    response.headers["Location"] = address(task)
    return task


async def make(
    new: NewTask, caller: Caller, hub: Services, idempotency_key: str | None
) -> TaskShown:
    """Make a task with one job, or find the one that was made under the key."""
    check_kind(caller.access, new.kind)
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
            dedupe=_dedupe(idempotency_key),
        )
    )
    waiting = receipt.waiting.reason if receipt.waiting else None
    return shown(receipt.card, job_count=1, waiting=waiting)


def address(task: TaskShown) -> str:
    return f"/api/v1/tasks/{task.task_id}"


@router.get("/tasks")
async def list_tasks(
    caller: ReadsWork, hub: Hub, wanted: Annotated[TaskQuery, Query()]
) -> TaskPage:
    """Tasks, each with how its newest job stands."""
    sort = RowSort(wanted.sort)
    page = await hub.views.task_rows(
        RowFilter(
            person_id=caller.sees,
            states=frozenset(wanted.state),
            kind=wanted.kind or _only_kind(caller),
            worker_id=WorkerId(wanted.worker_id) if wanted.worker_id else None,
            priority=wanted.priority,
            origin=wanted.origin,
            since=wanted.since,
            until=wanted.until,
            words=wanted.q,
        ),
        sort,
        _cursor(wanted.cursor, sort),
        wanted.limit,
    )
    return TaskPage(
        tasks=tuple(_row(row) for row in page.rows if caller.may_see(row.job.kind)),
        next_cursor=page.older.write() if page.older else None,
    )


def _cursor(text: str | None, sort: RowSort) -> RowCursor | None:
    """Find a page.

    Raises:
        NotFound: `page_unknown`, it is one of another order.
    """
    try:
        return RowCursor.read(text, sort) if text else None
    except BadInput as error:
        raise NotFound("page_unknown", error.message, error.hint) from None


def _only_kind(caller: Caller) -> str:
    """Return the kind that a key is for; empty when there is more than one."""
    kinds = caller.access.kinds
    return kinds[0] if len(kinds) == 1 else ""


async def _card_seen(hub: Services, caller: Caller, task_id: str) -> TaskCard:
    """Read a task, with those of its jobs that a key may see.

    Raises:
        NotFound: `task_unknown`; also when none of its jobs is of a kind that the key is for.
    """
    card = await hub.views.task_card(caller.sees, TaskId(task_id))
    seen = tuple(job for job in card.jobs if caller.may_see(job.kind))
    if not seen:
        raise task_unknown()
    return replace(card, jobs=seen)


@router.get("/tasks/{task_id}", responses={304: {"description": "As it was"}})
async def get_task(
    task_id: TaskPath,
    caller: ReadsWork,
    hub: Hub,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> TaskWithJobs:
    """One task with its jobs. Its ETag is needed to change it."""
    card = await _card_seen(hub, caller, task_id)
    response.headers["ETag"] = etag(card.version)
    if is_known(if_none_match, card.version):
        return Response(status_code=304, headers=dict(response.headers))  # type: ignore[return-value]
    return await _with_jobs(hub, card)


@router.patch("/tasks/{task_id}")
async def update_task(
    task_id: TaskPath,
    patch: TaskPatch,
    caller: Known,
    hub: Hub,
    response: Response,
    if_match: IfMatch = None,
) -> TaskWithJobs:
    """Change a task's title, or the priority of what still waits of it."""
    versions = expected(if_match)
    owner = (await hub.views.task_card(caller.sees, TaskId(task_id))).task.person_id
    card = await hub.intake.change_task(
        owner,
        TaskId(task_id),
        TaskChange(title=patch.title, priority=patch.priority),
        expected=versions,
        by=by(caller),
    )
    response.headers["ETag"] = etag(card.version)
    return await _with_jobs(hub, card)


@router.delete("/tasks/{task_id}", status_code=204)
async def purge_task(task_id: TaskPath, caller: Known, hub: Hub) -> None:
    """Forget a task that has ended, and all that its jobs told, here and on every computer."""
    owner = (await hub.views.task_card(caller.sees, TaskId(task_id))).task.person_id
    await hub.intake.purge(owner, TaskId(task_id), by(caller))


@router.post("/tasks/{task_id}/jobs", status_code=201)
async def create_job(
    task_id: TaskPath,
    new: NewFollowUp,
    caller: Enqueues,
    hub: Hub,
    response: Response,
    idempotency_key: Once = None,
) -> JobShown:
    """Go on with a task: one more job, on the same computer and in the same folder if it can."""
    check_kind(caller.access, new.kind)
    owner = (await _card_seen(hub, caller, task_id)).task.person_id
    receipt = await hub.intake.request(
        Request(
            person_id=owner,
            task_id=TaskId(task_id),
            session_id=SessionId(new.session_id) if new.session_id else None,
            kind=new.kind,
            inputs=dict(new.inputs),
            title=new.title,
            origin=Origin.API,
            priority=new.priority,
            worker_name=new.worker,
            dedupe=_dedupe(idempotency_key),
        )
    )
    response.headers["Location"] = f"/api/v1/jobs/{receipt.card.job_id}"
    return jobs.shown(receipt.card, receipt.waiting.reason if receipt.waiting else None)


@router.get("/tasks/{task_id}/plan")
async def get_plan(task_id: TaskPath, caller: ReadsWork, hub: Hub) -> PlanShown:
    """The steps of a task: its jobs, and which of them work on files of others.

    A plan is what was asked for so far; nothing is planned ahead yet.
    """
    card = await _card_seen(hub, caller, task_id)
    own = {job.job_id for job in card.jobs}
    steps = [
        StepShown(
            job_id=job.job_id,
            number=number,
            kind=job.kind,
            title=job.title,
            state=job.state,
            needs=tuple(needed for needed in _files_of(job) if needed in own),
        )
        for number, job in enumerate(card.jobs, start=1)
    ]
    return PlanShown(task_id=task_id, steps=tuple(steps))


def _files_of(card: JobCard) -> list[str]:
    """The jobs whose files a job works on."""
    named = (FILE_OF_JOB.fullmatch(str(value)) for value in card.inputs.values())
    return [found["full"] for found in named if found is not None and found["full"]]


def _dedupe(idempotency_key: str | None) -> str:
    return f"api:{idempotency_key}" if idempotency_key else ""
