"""Dead letters: list them, queue them again (and take that back), forget them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from hub.core.dead_letter import DeadFilter, Failure
from hub.frontends.api.jobs import JobPath, shown
from hub.frontends.api.parts import Hub, Known, Reads, by
from shared.api.dead_letters import NAME_CHARS_MAX, DeadLetterShown, DeadTryShown, PurgedShown
from shared.api.jobs import JobPage, JobShown
from shared.api.parts import ID, PAGE_DEFAULT, PAGE_MAX, Moment
from shared.ids import JobId, WorkerId

router = APIRouter(tags=["dead letters"])


@router.get("/dead-letters")
async def list_dead_letters(
    caller: Reads,
    hub: Hub,
    *,
    kind: Annotated[str, Query(max_length=NAME_CHARS_MAX)] = "",
    worker: Annotated[str, Query(max_length=NAME_CHARS_MAX)] = "",
    fleet: bool = False,
    since: Moment | None = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_DEFAULT,
    cursor: Annotated[str | None, Query(pattern=ID)] = None,
) -> JobPage:
    """Jobs that ran out of tries, the newest first; why stands in `error`.

    Those of a kind, of a computer (`worker`: its name or id) or of the `fleet`, which had the last
    try, or that died `since` a moment.
    """
    wanted = DeadFilter(
        kind=kind,
        worker=worker,
        is_fleet=fleet,
        since=since,
        before=JobId(cursor) if cursor else None,
    )
    cards = await hub.views.dead_letters(caller.sees, wanted, limit)
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


@router.get("/dead-letters/{job_id}")
async def get_dead_letter(job_id: JobPath, caller: Reads, hub: Hub) -> DeadLetterShown:
    """One dead letter with every try that failed: where, when and why."""
    found = await hub.views.dead_letter(caller.sees, JobId(job_id))
    names = await hub.machines.names(caller.sees)
    tries = (_try_shown(failure, names) for failure in reversed(found.failures))
    return DeadLetterShown(job=shown(found.card), tries=tuple(tries))


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


def _try_shown(failure: Failure, names: Mapping[WorkerId, str]) -> DeadTryShown:
    return DeadTryShown(
        attempt=failure.attempt,
        worker_id=failure.worker_id,
        worker=names.get(failure.worker_id, ""),
        node=failure.node,
        started_at=failure.started_at,
        failed_at=failure.at,
        error=failure.error,
    )
