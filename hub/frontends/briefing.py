"""Gathers what the words about an event need: the job, its machine, its question, its reader."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.question import Question
from hub.frontends.facts import Facts, Late
from hub.services import Services
from shared.environment import Environment
from shared.errors import ErrorBody, NotFound
from shared.events import (
    AnswerSuperseded,
    JobCancelled,
    JobFailed,
    JobQueued,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    TaskRequested,
)
from shared.ids import JobId, QuestionId, WorkerId

LATE_SECONDS = 120.0
"""An end that is told so long after it was is told with its times."""
KEPT_LATE_SECONDS = 15.0
"""The same for a job that a computer ran without the hub."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What is known around one event."""

    card: JobCard | None
    facts: Facts


async def brief(services: Services, environment: Environment, fact: Fact) -> Briefing:
    """Gather what the words about an event need, as things stand now."""
    body = fact.body
    job_id = JobId(str(getattr(body, "job_id", "")))
    card = await _card(services, job_id)
    question = await _question(services, body)
    reader = await services.registry.person(fact.person_id)
    facts = Facts(
        now=environment.now(),
        job_id=job_id or None,
        kind=card.kind if card else "",
        title=card.title if card else "",
        machine=await machine_name(services, card, fact),
        waiting=await services.views.why_waiting(job_id)
        if isinstance(body, JobQueued) and card
        else None,
        asking=question.asking if question else None,
        questions_open=await _open_beside(services, card) if question else 1,
        is_settled=question is not None and not question.state.is_open,
        has_ended=card is not None and card.state.is_terminal,
        late=await _late(services, environment, fact),
        failure=_failure(card, body),
        reader=reader.name,
        zone=await services.views.zone(fact.person_id),
        step_of=await _step_of(services, card) if isinstance(body, QuestionAsked) else "",
    )
    return Briefing(card, facts)


async def machine_name(services: Services, card: JobCard | None, fact: Fact | None = None) -> str:
    """The machine an event is about: its writer, else the one that has or had the job."""
    writer = WorkerId(fact.device) if fact and fact.device != "hub" else None
    worker_id = writer or (card.worker_id or card.job.pinned_to if card else None)
    worker = await services.views.worker(worker_id) if worker_id else None
    return worker.name if worker else ""


async def _card(services: Services, job_id: JobId) -> JobCard | None:
    if not job_id:
        return None
    try:
        return await services.views.job(None, job_id)
    except NotFound:
        return None


async def _question(services: Services, body: object) -> Question | None:
    if not isinstance(body, QuestionAsked | QuestionAnswered | QuestionParked | AnswerSuperseded):
        return None
    return await services.views.question(QuestionId(body.question_id))


async def _step_of(services: Services, card: JobCard | None) -> str:
    """Say which part of what a job is: "Step 2 of buy a laptop #K7Q2"; empty when it is none."""
    maker = None if card is None else await _card(services, card.job.part_of or JobId(""))
    if card is None or maker is None:
        return ""
    name = f"{maker.title} #{maker.short}"
    for told in await services.views.history(None, card.job_id):
        if isinstance(told.body, TaskRequested) and told.body.step is not None:
            return f"Step {told.body.step + 1} of {name}"
    return f"A part of {name}"


async def _late(services: Services, environment: Environment, fact: Fact) -> Late | None:
    """Look up when a job really was, if its computer could not tell of its end at once."""
    body = fact.body
    if not isinstance(body, JobSucceeded | JobFailed | JobCancelled):
        return None
    age = (environment.now() - fact.at).total_seconds()
    if age < KEPT_LATE_SECONDS or fact.device == "hub":
        return None
    began_at, is_kept = None, False
    for told in await services.views.history(None, body.job_id):
        if isinstance(told.body, JobStarted) and told.body.attempt == body.attempt:
            began_at = told.at
        is_kept = is_kept or (isinstance(told.body, TaskRequested) and told.body.is_kept)
    if age < LATE_SECONDS and not is_kept:
        return None
    return Late(began_at=began_at, ended_at=fact.at, is_kept=is_kept)


async def _open_beside(services: Services, card: JobCard | None) -> int:
    if card is None:
        return 1
    opened = await services.views.open_questions(
        card.job.person_id, conversation=card.conversation or None
    )
    return max(1, len(opened))


def _failure(card: JobCard | None, body: object) -> ErrorBody | None:
    retried = isinstance(body, JobQueued) and body.reason in ("retry", "lost")
    return card.error if card and retried else None
