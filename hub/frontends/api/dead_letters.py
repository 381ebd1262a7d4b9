"""Dead letters: list them, queue them again (and take that back), forget them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from hub.frontends.api.jobs import JobPath, shown
from hub.frontends.api.parts import Hub, Known, Reads, by
from shared.api.dead_letters import PurgedShown
from shared.api.jobs import JobPage, JobShown
from shared.api.parts import ID, PAGE_DEFAULT
from shared.ids import JobId
from shared.jobs import JobState

router = APIRouter(tags=["dead letters"])


@router.get("/dead-letters")
async def list_dead_letters(
    caller: Reads,
    hub: Hub,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(pattern=ID)] = None,
) -> JobPage:
    """Jobs that ran out of tries, the newest first; why stands in `error`."""
    cards = await hub.views.jobs(
        caller.sees,
        states=frozenset({JobState.DEAD}),
        limit=limit,
        before=JobId(cursor) if cursor else None,
    )
    more = cards[-1].job_id if len(cards) == limit else None
    return JobPage(jobs=tuple(shown(card) for card in cards), next_cursor=more)


@router.post("/dead-letters/requeue")
async def requeue_dead_letters(caller: Known, hub: Hub) -> JobPage:
    """Queue all of the caller's dead letters again."""
    cards = await hub.intake.requeue_dead(caller.person.person_id)
    return JobPage(jobs=tuple(shown(card) for card in cards), next_cursor=None)


@router.post("/dead-letters/purge")
async def purge_dead_letters(caller: Known, hub: Hub) -> PurgedShown:
    """Forget all of the caller's dead letters, here and on their computers."""
    return PurgedShown(purged=await hub.intake.purge_all_dead(caller.person.person_id, by(caller)))


@router.post("/dead-letters/{job_id}/requeue")
async def requeue_dead_letter(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Queue one again, with all its tries."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    return shown(await hub.intake.retry(card.job.person_id, card.job_id, by(caller)))


@router.post("/dead-letters/{job_id}/undo")
async def undo_requeue(job_id: JobPath, caller: Known, hub: Hub) -> JobShown:
    """Take that back, while it still waits: it is a dead letter with its reasons again."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    return shown(await hub.intake.unrequeue(card.job.person_id, card.job_id, by(caller)))


@router.delete("/dead-letters/{job_id}", status_code=204)
async def purge_dead_letter(job_id: JobPath, caller: Known, hub: Hub) -> None:
    """Forget its task and all that it told, here and on every computer."""
    card = await hub.views.job(caller.sees, JobId(job_id))
    await hub.intake.purge_dead(card.job.person_id, card.job_id, by(caller))
