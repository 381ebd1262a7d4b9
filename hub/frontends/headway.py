"""How far a job is, as the view that is edited in place; nothing once that is no news."""

from __future__ import annotations

from hub.core.view import Progress, View
from hub.frontends.briefing import machine_name
from hub.frontends.facts import Facts
from hub.frontends.wording import progress_view
from hub.services import Services
from shared import messages
from shared.environment import Environment
from shared.errors import NotFound
from shared.ids import JobId
from shared.jobs import JobState
from shared.kinds.plan import PLAN


async def headway(
    services: Services, environment: Environment, job_id: JobId, progress: messages.Progress
) -> View | None:
    """Word the progress of a job; None when it does not run any more, or is being stopped."""
    try:
        card = await services.views.job(None, job_id)
    except NotFound:
        return None
    if card.state is not JobState.RUNNING or card.job.life.cancel_by:
        return None
    facts = Facts(
        now=environment.now(),
        job_id=job_id,
        kind=card.kind,
        title=card.title,
        machine=await machine_name(services, card),
    )
    told = Progress(
        stage=progress.stage,
        done=progress.done,
        total=progress.total,
        eta_seconds=progress.eta_seconds,
    )
    planned = await services.views.plan(card) if card.kind == PLAN else None
    return progress_view(told, facts, planned.plan if planned else None)
