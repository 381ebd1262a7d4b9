"""A job's timeline in words: one sentence a step."""

from __future__ import annotations

from datetime import datetime

from desktop.gui import plan_words
from desktop.gui.language import tr, trn
from desktop.gui.times import clock, duration
from desktop.store.copied import Step
from shared.events import (
    AnswerGiven,
    AnswerSuperseded,
    CancelAsked,
    FilesArrived,
    FilesMissed,
    JobCancelled,
    JobCancelRequested,
    JobDied,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobParked,
    JobPlanned,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    LateResult,
    MessageSaid,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    RetryAsked,
    TaskRequested,
)
from shared.plain_text import plain, plain_line


def step_sentence(step: Step, *, is_kept: bool = False) -> str:
    """Say what happened in a step; what others wrote is made harmless.

    Args:
        step: of the timeline.
        is_kept: whether its job ran where it was asked for, without a hub.
    """
    if is_kept and isinstance(step.body, JobGranted):
        return tr("The hub was told.")
    return plain(_sentence(step))


def step_line(step: Step, now: datetime, *, is_kept: bool = False) -> str:
    """Say when and where a step happened, and what."""
    where = f" · {plain_line(step.machine)}" if step.machine else ""
    return f"{clock(step.at, now)}{where} · {step_sentence(step, is_kept=is_kept)}"


def _sentence(step: Step) -> str:
    match step.body:
        case JobQueued(reason=reason, attempt=attempt):
            return _queued(reason, attempt)
        case JobGranted():
            return tr("Given to a computer.")
        case JobStarted(attempt=1):
            return tr("Started.")
        case JobStarted(attempt=attempt):
            return tr("Started, try {attempt}.").format(attempt=attempt)
        case JobResumed():
            return tr("Goes on with the answer.")
        case JobPlanned() as planned:
            return plan_words.sentence(planned)
        case _:
            return _ended(step)


def _ended(step: Step) -> str:
    """Say how an attempt ended."""
    match step.body:
        case JobSucceeded(running_seconds=seconds):
            return tr("Done in {time}.").format(time=duration(seconds))
        case JobFailed(error=error):
            return tr("Failed: {message}").format(message=error.message)
        case JobDied(error=error):
            return tr("Given up: {message}").format(message=error.message)
        case JobCancelled():
            return tr("Cancelled.")
        case JobInterrupted(reason=reason, touched=touched):
            return " ".join((tr("Interrupted: {reason}").format(reason=reason), *touched))
        case _:
            return _talked(step)


def _queued(reason: str, attempt: int) -> str:
    match reason:
        case "new":
            return tr("Queued.")
        case "retry":
            return tr("Queued for try {attempt}.").format(attempt=attempt)
        case "lost":
            return tr("Queued again: its computer had lost it.")
        case "answered":
            return tr("Queued again with the answer.")
        case "declined":
            return tr("Queued again: a computer could not take it.")
        case "moved":
            return tr("Queued for another computer.")
        case _:
            return tr("Queued again.")


def _talked(step: Step) -> str:
    """Say what was asked and answered."""
    match step.body:
        case QuestionAsked(asking=asking):
            return tr("Asks: {question}").format(question=asking.text)
        case QuestionAnswered(answer=answer):
            return tr("Answered by {who}: {answer}").format(who=answer.by, answer=answer.value)
        case AnswerSuperseded(value=value, by=by):
            return tr("{value} by {who} came second").format(value=value, who=by)
        case AnswerGiven(value=value, is_used=True):
            return tr("Answered and used at once: {answer}").format(answer=value)
        case AnswerGiven(value=value):
            return tr("Answered at a computer: {answer}").format(answer=value)
        case QuestionParked() | JobParked():
            return tr("Nobody answered in time; it waits for the answer.")
        case _:
            return _wished(step)


def _wished(step: Step) -> str:
    """Say what people wanted."""
    match step.body:
        case TaskRequested(is_kept=True):
            return tr("Asked for here without a hub, and kept on this computer.")
        case TaskRequested():
            return tr("Asked for at a computer.")
        case JobCancelRequested(by=by):
            return tr("{who} wants it cancelled.").format(who=by)
        case CancelAsked():
            return tr("Cancel was pressed at a computer.")
        case RetryAsked():
            return tr("Another try was asked for.")
        case RequestRefused(error=error):
            return tr("Refused: {message}").format(message=error.message)
        case _:
            return _delivered(step)


def _delivered(step: Step) -> str:
    match step.body:
        case FilesArrived(files=files):
            count = len(files)
            return trn("{count} file reached the hub.", "{count} files reached the hub.", count)
        case FilesMissed(files=files):
            return trn("{count} file did not arrive.", "{count} files did not arrive.", len(files))
        case MessageSaid(text=text, by=by):
            return f"{by}: {text}"
        case LateResult(outcome=outcome):
            return tr("A late outcome came and was kept aside: {outcome}").format(outcome=outcome)
        case _:
            return step.type
