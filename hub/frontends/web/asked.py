"""A question as pages show it: what is asked about what, the answers, and what happens without one.

The layout is `templates/question.html`; who may answer and what counts is decided in
`hub.core.question`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.core.job import JobCard
from hub.core.question import Question, QuestionState
from hub.frontends.briefing import machine_name
from hub.frontends.facts import Facts
from hub.frontends.figures import moment
from hub.frontends.question_words import answered
from hub.frontends.web.visitor import Setting, Visitor
from shared.ids import JobId, QuestionId, TaskId
from shared.plain_text import plain, plain_line
from shared.questions import QuestionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One of the answers."""

    number: int
    """From 1; what a key picks."""
    value: str
    label: str
    detail: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, ready to be laid out; what others wrote is stripped of what acts."""

    question_id: QuestionId
    job_id: JobId
    task_id: TaskId
    label: str
    """The job as people name it: "train sales.csv #K7Q2"."""
    machine: str
    """The computer it is about; empty when none has the job."""
    text: str
    options: tuple[Option, ...]
    allows_text: bool
    is_open: bool
    is_parked: bool
    is_approval: bool
    asked_at: datetime
    without: str
    """What happens when nobody answers."""
    verdict: str
    """Who answered what, or why nobody needs to; empty while it is open."""
    shows: str = ""
    """The page that shows what it is about; empty when there is none."""


async def asked(place: Setting, visitor: Visitor, question: Question) -> Asked:
    """Gather what a page shows of a question, as things stand now."""
    card = await place.services.views.job(None, question.job_id)
    machine = await machine_name(place.services, card)
    facts = Facts(
        now=place.environment.now(),
        job_id=card.job_id,
        kind=card.kind,
        title=card.title,
        machine=machine,
        asking=question.asking,
        reader=visitor.person.name,
        zone=await place.services.views.zone(visitor.person.person_id),
    )
    return _shown(question, card, facts)


async def asked_of_job(place: Setting, visitor: Visitor, job_id: JobId) -> tuple[Asked, ...]:
    """Gather what a job asks now, the oldest first."""
    opened = await place.services.views.open_questions(visitor.sees)
    return await all_asked(place, visitor, [q for q in opened if q.job_id == job_id])


async def all_asked(
    place: Setting, visitor: Visitor, questions: Sequence[Question]
) -> tuple[Asked, ...]:
    return tuple([await asked(place, visitor, question) for question in questions])


def _shown(question: Question, card: JobCard, facts: Facts) -> Asked:
    asking = question.asking
    return Asked(
        question_id=question.question_id,
        job_id=card.job_id,
        task_id=card.job.task_id,
        label=plain_line(facts.label),
        machine=plain_line(facts.machine),
        text=plain(asking.text),
        options=tuple(
            Option(
                number=number,
                value=choice.value,
                label=plain_line(choice.label),
                detail=plain_line(choice.detail),
                is_default=choice.value == asking.default,
            )
            for number, choice in enumerate(asking.choices, start=1)
        ),
        allows_text=asking.allow_text,
        is_open=question.state.is_open,
        is_parked=question.state is QuestionState.PARKED,
        is_approval=asking.kind is QuestionKind.APPROVAL,
        asked_at=question.asked_at,
        without=plain_line(without_answer(question, facts)),
        verdict=plain(verdict(question, facts)),
        shows=f"/jobs/{card.job_id}/change" if asking.more == "code.diff" else "",
    )


def without_answer(question: Question, facts: Facts) -> str:
    """Say what happens when nobody answers, and when."""
    asking, expires_at = question.asking, question.expires_at
    if question.state is QuestionState.PARKED:
        return "Nobody answered in time. The job is put aside, and goes on when you answer."
    if expires_at is None:
        return "It waits until you decide."
    by = moment(expires_at, facts.now, facts.zone)
    if asking.default is None:
        return f"Without an answer by {by} the job is put aside and waits for you."
    return f"Without an answer by {by} it takes {asking.label_of(asking.default)}."


def verdict(question: Question, facts: Facts) -> str:
    """Say how a question ended: "Answered by you on Telegram: UTC"."""
    if question.answer is not None:
        told = answered(question.answer, facts)
        return told.removeprefix(f"{question.asking.text.splitlines()[0]}\n")
    if question.state is QuestionState.CLOSED:
        return "The job ended without an answer."
    return ""


def first_answer(question: Question, facts: Facts) -> str:
    """Tell somebody who answered second whose answer counts."""
    if question.answer is None:
        return verdict(question, facts)
    value = question.asking.label_of(question.answer.value)
    if question.answer.by == "default":
        return f"Nobody had answered in time: it took {value}."
    return f"Answered first by {facts.whose(question.answer.by)}: {value}"
