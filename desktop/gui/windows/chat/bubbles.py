"""A thread as bubbles: what the person, the computers and the system said, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from desktop.desk.standing import Whereabouts
from desktop.gui import standing
from desktop.gui.language import tr
from desktop.gui.windows.chat import saying
from desktop.gui.windows.chat.times import clock
from desktop.store.copied import QuestionRow, Step
from desktop.store.threads import Message, Talk
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    JobDied,
    JobFailed,
    JobInterrupted,
    JobPlanned,
    JobSucceeded,
    MessageSaid,
    QuestionAnswered,
    QuestionAsked,
    RequestRefused,
)
from shared.ids import JobId
from shared.jobs import JobState
from shared.kinds import Output
from shared.plain_text import plain, plain_line
from shared.plan import PlanStage

CAN_RETRY = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})


class Side(StrEnum):
    PERSON = "person"
    WORKER = "worker"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message. Two that are equal look alike."""

    key: str
    """Names it within its thread, however it changes."""
    side: Side
    at: datetime
    text: str
    who: str = ""
    """A computer's name, or where the person said it."""
    tone: str = ""
    """The token that colours it; empty for plain text."""
    foot: str = ""
    """What became of it, in a few words."""
    job_id: JobId | None = None
    question: QuestionRow | None = None
    result: Output | None = None
    can_retry: bool = False

    def spoken(self, now: datetime) -> str:
        """Say it for a screen reader: "worker anna-pc, 12:03: …"."""
        speakers = {
            Side.PERSON: tr("you"),
            Side.WORKER: tr("worker {name}").format(name=self.who),
            Side.SYSTEM: "Deskhand",
        }
        who = speakers[self.side]
        foot = f" ({self.foot})" if self.foot else ""
        return f"{who}, {clock(self.at, now)}: {self.text}{foot}"


def bubbles_of(talk: Talk, place: Whereabouts) -> tuple[Bubble, ...]:
    """Make the bubbles of a part of a thread; the person's own words open its beginning."""
    retry_at = _last_failures(talk)
    made = [] if talk.has_older else _opening(talk, place)
    for message in talk.messages:
        if not _is_said_already(message, talk):
            can_retry = message.step.step_id in retry_at
            made.append(_bubble(message, talk, place, can_retry=can_retry))
    return (*made, *_lost(talk))


def _lost(talk: Talk) -> list[Bubble]:
    """Say at the end which jobs a restored hub has forgotten: no event tells of that."""
    if talk.has_newer:
        return []
    return [
        Bubble(
            key=f"lost {job.job_id}", side=Side.SYSTEM, at=job.updated_at, tone="failed",
            text=told, job_id=job.job_id, can_retry=job.replaced_by is None,
        )
        for job in talk.jobs
        if (told := standing.of_lost(job))
    ]  # fmt: skip


def _opening(talk: Talk, place: Whereabouts) -> list[Bubble]:
    if talk.said_at is None or not talk.text.strip():
        return []
    is_news = bool(talk.jobs) and not talk.messages
    stands = standing.of_job(talk.jobs[0], place) if is_news else ""
    return [
        Bubble(
            key="said",
            side=Side.PERSON,
            # A hub that adopted it came to know of it after it had begun.
            at=min((talk.said_at, *(message.step.at for message in talk.messages[:1]))),
            text=plain(talk.text),
            foot=standing.foot(stands),
        )
    ]


def _bubble(  # noqa: PLR0911 - one row for each type of event
    message: Message, talk: Talk, place: Whereabouts, *, can_retry: bool
) -> Bubble:
    step, body = message.step, message.step.body
    key = f"step {step.step_id}"
    machine = plain_line(step.machine) or tr("a computer")
    match body:
        case QuestionAsked():
            is_open = message.question is None or message.question.is_open
            return Bubble(
                key=key, side=Side.WORKER, at=step.at, who=machine,
                tone="asking" if is_open else "line",
                text=plain(body.asking.text), job_id=step.job_id, question=message.question,
            )  # fmt: skip
        case AnswerGiven():
            return _given(key, body, message, place)
        case AnswerSuperseded():
            text = saying.superseded(body, message.question)
            return Bubble(key=key, side=Side.SYSTEM, at=step.at, text=text)
        case QuestionAnswered() if message.question is not None:
            text = saying.answered(message.question)
            return Bubble(key=key, side=Side.SYSTEM, at=step.at, text=text)
        case MessageSaid():
            return Bubble(
                key=key, side=Side.PERSON, at=step.at, who=plain_line(body.by),
                text=plain(body.text),
            )  # fmt: skip
        case JobPlanned(stage=PlanStage.APPROVED | PlanStage.REPLANNED):
            return Bubble(
                key=key, side=Side.WORKER, at=step.at, who=machine, tone="line",
                text=saying.planned(body), job_id=step.job_id,
            )  # fmt: skip
        case JobSucceeded():
            output = saying.result_of(body)
            return Bubble(
                key=key, side=Side.WORKER, at=step.at, who=machine, tone="done",
                text=output.headline, job_id=step.job_id, result=output,
            )  # fmt: skip
        case JobFailed() | JobInterrupted():
            return Bubble(
                key=key, side=Side.WORKER, at=step.at, who=machine, tone="failed",
                text=_failure(body), job_id=step.job_id, can_retry=can_retry,
            )  # fmt: skip
        case JobDied() | RequestRefused():
            return Bubble(
                key=key, side=Side.SYSTEM, at=step.at, tone="failed", text=_short(step, talk),
                job_id=step.job_id, can_retry=can_retry,
            )  # fmt: skip
        case _:
            return Bubble(key=key, side=Side.SYSTEM, at=step.at, text=saying.sentence(step))


def _given(key: str, body: AnswerGiven, message: Message, place: Whereabouts) -> Bubble:
    row = message.question
    return Bubble(
        key=key,
        side=Side.PERSON,
        at=message.step.at,
        who=plain_line(message.step.machine),
        text=plain(row.asking.label_of(body.value) if row else body.value),
        foot=standing.of_answer(row, body.value, place) if row else "",
    )


def _failure(body: JobFailed | JobInterrupted) -> str:
    match body:
        case JobFailed():
            return plain("\n".join(part for part in (body.error.message, body.error.hint) if part))
        case JobInterrupted():
            return plain("\n".join((body.reason, *body.touched)))


def _short(step: Step, talk: Talk) -> str:
    """Say that a job was given up, without its reason where the bubble before says it."""
    is_told = any(
        isinstance(other.step.body, JobFailed) and other.step.job_id == step.job_id
        for other in talk.messages
    )
    if isinstance(step.body, JobDied) and is_told:
        return tr("Given up after several tries")
    return saying.sentence(step)


def _last_failures(talk: Talk) -> frozenset[int]:
    """Return the steps from which a job can be tried again: the last word of those that failed."""
    open_ends = {
        job.job_id for job in talk.jobs if job.state in CAN_RETRY and job.replaced_by is None
    }
    last: dict[JobId, Step] = {}
    for message in talk.messages:
        step = message.step
        is_end = isinstance(step.body, JobFailed | JobInterrupted | JobDied | RequestRefused)
        if is_end and step.job_id in open_ends:
            last[step.job_id] = step
    return frozenset(step.step_id for step in last.values())


def _is_said_already(message: Message, talk: Talk) -> bool:
    """Whether the person's own bubble says which answer counted."""
    body = message.step.body
    return isinstance(body, QuestionAnswered) and any(
        isinstance(other.step.body, AnswerGiven)
        and other.step.body.question_id == body.question_id
        and other.step.body.value == body.answer.value
        for other in talk.messages
    )
