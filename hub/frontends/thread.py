"""The thread of one task, gathered for whoever lays it out: its bubbles, and how it stands now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.access import Person
from hub.core.chat import Talk
from hub.core.job import JobCard
from hub.core.question import Question
from hub.core.stored_file import FileState
from hub.core.view import Button
from hub.frontends.bubbles import Bubble, bubbles_of
from hub.frontends.facts import Facts
from hub.frontends.waiting import elsewhere, why_waiting
from hub.services import Services
from shared.environment import Environment
from shared.events import FilesArrived
from shared.ids import JobId, PersonId, TaskId
from shared.jobs import JobState
from shared.messages import Progress
from shared.plain_text import plain_line

FILES_ARRIVED: str = FilesArrived.model_fields["type"].default


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A job that is not over: what it does now, or waits for."""

    card: JobCard
    machine: str
    is_working: bool
    """Its computer is here and at it, this moment."""
    text: str
    progress: Progress | None
    """How far it was when somebody last said so."""
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """A part of one task's thread, ready to be laid out."""

    talk: Talk
    title: str
    bubbles: tuple[Bubble, ...]
    standing: tuple[Standing, ...]
    """Of its jobs that are not over, the oldest first."""
    open: tuple[Question, ...]
    here: frozenset[str]
    """Which of its files the hub still has, by their hash."""

    @property
    def job_ids(self) -> tuple[JobId, ...]:
        return tuple(card.job_id for card in self.talk.cards)

    @property
    def older(self) -> int | None:
        """Before which place the part before this one ends; None when this is the first."""
        return self.talk.facts[0].hub_seq if self.talk.has_older else None


async def thread_of(
    services: Services,
    environment: Environment,
    reader: Person | None,
    sees: PersonId | None,
    task_id: TaskId,
    *,
    before: int | None = None,
    limit: int = 100,
) -> Thread:
    """Gather a part of a thread.

    Args:
        services: of the hub.
        environment: the clock.
        reader: who is "you", in a thread of theirs; nobody when None.
        sees: whose tasks may be shown; everybody's when None.
        task_id: which.
        before: the part before this place in the log; None for the newest.
        limit: how many events at most.

    Raises:
        NotFound: `task_unknown`.
    """
    talk = await services.chats.talk(sees, task_id, before, limit)
    is_reader = reader is not None and talk.task.person_id == reader.person_id
    facts = Facts(
        now=environment.now(),
        reader=talk.owner if is_reader else "",
        zone=await services.views.zone(reader.person_id) if reader else None,
    )
    going_on = [card for card in talk.cards if not card.state.is_terminal]
    opened = sorted(
        (q for q in talk.questions.values() if q.state.is_open), key=lambda q: q.asked_at
    )
    return Thread(
        talk=talk,
        title=plain_line(_title(services, talk)),
        bubbles=bubbles_of(talk, facts),
        standing=tuple([await _standing(services, card, talk, facts) for card in going_on]),
        open=tuple(opened),
        here=await files_here(
            services, (card.job_id for card in talk.cards if _has_files(talk, card.job_id))
        ),
    )


def _title(services: Services, talk: Talk) -> str:
    """Name a thread by the newest job that does something; others only show what one did."""
    kinds = services.intake.kinds
    shows = [card for card in talk.cards if card.kind in kinds and not kinds[card.kind].is_offered]
    named = [card for card in talk.cards if card not in shows] or list(talk.cards)
    return named[-1].title if named else talk.task.text


def _has_files(talk: Talk, job_id: JobId) -> bool:
    return any(f.type == FILES_ARRIVED and f.entity == job_id for f in talk.facts)


async def files_here(services: Services, job_ids: Iterable[JobId]) -> frozenset[str]:
    """Which files of some jobs the hub still has: once they were sent, it keeps none."""
    found = [file for job_id in job_ids for file in await services.files.of_job(job_id)]
    return frozenset(file.ref.sha256 for file in found if file.state is FileState.HERE)


async def _standing(services: Services, card: JobCard, talk: Talk, facts: Facts) -> Standing:
    worker_id = card.worker_id or card.job.pinned_to
    worker = await services.views.worker(worker_id) if worker_id else None
    about = Facts(
        now=facts.now,
        job_id=card.job_id,
        kind=card.kind,
        title=card.title,
        machine=worker.name if worker else "",
        waiting=await services.views.why_waiting(card.job_id),
        zone=facts.zone,
    )
    is_working = card.state is JobState.RUNNING and worker is not None and worker.is_online
    verb = "Stop" if card.state is JobState.RUNNING else "Cancel"
    stop = (Button(label=verb, says=f"/cancel {card.job_id}"),)
    return Standing(
        card=card,
        machine=plain_line(about.machine),
        is_working=is_working,
        text=plain_line(_stands(card, about, is_here=worker is not None and worker.is_online)),
        progress=services.feed.progress_of(card.job_id) if is_working else None,
        buttons=(*elsewhere(about), *(() if card.job.life.cancel_by else stop)),
    )


def _stands(card: JobCard, about: Facts, *, is_here: bool) -> str:
    if card.job.life.cancel_by:
        return "It is being stopped."
    match card.state:
        case JobState.ASKING:
            return f"{about.name} waits for your answer."
        case JobState.INTERRUPTED:
            return "It waits until you decide."
        case JobState.RUNNING if not is_here:
            return f"{about.name} is asleep or offline; it goes on there, or when it is back."
        case JobState.RUNNING:
            return f"{about.name} is working."
        case _:
            return why_waiting(about)
