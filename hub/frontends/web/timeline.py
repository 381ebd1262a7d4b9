"""A job's way as steps with durations, and the answers it was given, read from its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hub.core.fact import HUB_DEVICE, Fact
from hub.core.view import Tone
from hub.frontends.facts import Facts
from hub.frontends.history import sentence
from hub.frontends.plan_words import is_step_news
from hub.frontends.question_words import answered
from shared.events import (
    EventBody,
    JobCancelled,
    JobDied,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    TaskCreated,
)
from shared.ids import QuestionId, WorkerId
from shared.plain_text import plain_line
from shared.questions import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    tone: Tone
    says: str
    detail: str
    """The try it begins, or a hint after a failure."""
    at: datetime
    seconds: float | None
    """Until the next step; None for the last one of a job that is over."""
    is_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer that a job was given."""

    asked: str
    value: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    steps: tuple[Step, ...]
    given: tuple[Given, ...]
    tries: int
    """How often it was given to a worker."""


def way_of(
    facts: Sequence[Fact], about: Facts, names: Mapping[WorkerId, str], *, has_ended: bool
) -> Way:
    """Tell a job's way.

    Args:
        facts: what happened to it, in order, without the lines it logged.
        about: the job and the reader, for the words.
        names: of workers.
        has_ended: nothing more will happen to it.
    """
    askings = {
        QuestionId(body.question_id): body.asking
        for fact in facts
        if isinstance(body := fact.body, QuestionAsked)
    }
    steps: list[Step] = []
    tries = 0
    machine = about.machine
    for fact, body in _told(facts):
        if isinstance(body, JobGranted):
            tries += 1
            machine = names.get(body.worker_id, about.machine)
        if fact.device != HUB_DEVICE:
            machine = names.get(WorkerId(fact.device), machine)
        here = replace(about, machine=machine, asking=_asking(body, askings))
        steps.append(_step(fact, body, here, tries))
    return Way(
        steps=tuple(_timed(steps, about.now, has_ended=has_ended)),
        given=tuple(_given(facts, askings, about)),
        tries=tries,
    )


def _told(facts: Sequence[Fact]) -> Iterator[tuple[Fact, EventBody]]:
    for fact in facts:
        body = fact.body
        if body is None or isinstance(body, JobLogged | TaskCreated) or is_step_news(body):
            continue
        yield fact, body


def _asking(body: EventBody, askings: Mapping[QuestionId, Asking]) -> Asking | None:
    name = getattr(body, "question_id", "")
    return askings.get(QuestionId(name)) if name else None


def _step(fact: Fact, body: EventBody, facts: Facts, tries: int) -> Step:
    says, detail = sentence(body, facts), ""
    match body:
        case JobSucceeded():
            # What came of it stands in full beside the steps.
            says = says.partition(":")[0]
        case QuestionAnswered():
            # What was asked stands right above it.
            says = answered(body.answer, facts).splitlines()[-1]
        case JobGranted() if tries > 1:
            detail = f"Try {tries}"
        case JobFailed() | JobDied():
            detail = body.error.hint
        case JobQueued() if body.not_before is not None:
            detail = f"Not before {facts.clock(body.not_before)}"
    return Step(
        tone=_tone(body),
        says=plain_line(says),
        detail=plain_line(detail),
        at=fact.at,
        seconds=None,
    )


def _tone(body: EventBody) -> Tone:
    match body:
        case JobSucceeded():
            return Tone.DONE
        case JobFailed() | JobDied():
            return Tone.FAILED
        case QuestionAsked() | QuestionParked() | JobParked() | JobInterrupted():
            return Tone.ASKING
        case JobGranted() | JobStarted() | JobResumed() | QuestionAnswered():
            return Tone.RUNNING
        case JobQueued():
            return Tone.WAITING
        case JobCancelled():
            return Tone.PLAIN
        case _:
            return Tone.PLAIN


def _timed(steps: list[Step], now: datetime, *, has_ended: bool) -> Iterator[Step]:
    """Give each step its time; clocks of computers differ, and no step takes less than none."""
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        end = now if is_last else steps[number + 1].at
        if is_last and has_ended:
            yield step
        else:
            seconds = max(0.0, (end - step.at).total_seconds())
            yield replace(step, seconds=seconds, is_now=is_last)


def _given(
    facts: Sequence[Fact], askings: Mapping[QuestionId, Asking], about: Facts
) -> Iterator[Given]:
    for fact in facts:
        if not isinstance(body := fact.body, QuestionAnswered):
            continue
        asking = askings.get(QuestionId(body.question_id))
        value = asking.label_of(body.answer.value) if asking else body.answer.value
        is_default = body.answer.by == "default"
        yield Given(
            asked=plain_line(asking.text) if asking else "A question",
            value=plain_line(value),
            by="nobody in time" if is_default else plain_line(about.whose(body.answer.by)),
            at=fact.at,
        )
