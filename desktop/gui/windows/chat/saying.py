"""What happened in a thread, as one sentence each; without a window, so that lists say it, too.

What hubs and jobs told is stripped of what acts before it becomes a part of a sentence.
"""

from __future__ import annotations

from datetime import datetime

from desktop.gui import plan_words
from desktop.gui.language import tr
from desktop.gui.windows.chat.times import clock, countdown
from desktop.store.copied import QuestionRow, Step
from shared.errors import ErrorBody
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
    JobInterrupted,
    JobPlanned,
    JobQueued,
    JobStarted,
    JobSucceeded,
    LateResult,
    MessageSaid,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    RetryAsked,
)
from shared.kinds import FileRef, Output
from shared.plain_text import plain, plain_line
from shared.plan import PlanStage
from shared.questions import Asking

BY_DEFAULT = "default"
"""Who answered when nobody did in time; a hub's word."""


def sentence(step: Step) -> str:  # noqa: C901, PLR0911, PLR0912 - one row for each type of event
    """Say what happened, in one sentence."""
    match step.body:
        case JobQueued():
            return queued(step.body, step.at)
        case JobStarted():
            return started(step)
        case QuestionAsked():
            return plain(step.body.asking.text)
        case QuestionAnswered():
            return tr("Answered: {value}").format(value=plain_line(step.body.answer.value))
        case QuestionParked():
            return tr("Nobody has answered yet. It waits without taking up a computer.")
        case AnswerGiven():
            return plain(step.body.value)
        case AnswerSuperseded():
            return superseded(step.body)
        case JobSucceeded():
            return headline(step.body)
        case JobFailed():
            return plain(step.body.error.message)
        case JobDied():
            return tr("Given up after several tries: {why}").format(
                why=plain(step.body.error.message)
            )
        case JobInterrupted():
            return plain(step.body.reason)
        case JobPlanned():
            return planned(step.body)
        case JobCancelled():
            return tr("Stopped")
        case JobCancelRequested():
            return tr("To be stopped, says {who}").format(who=plain_line(step.body.by))
        case CancelAsked():
            return tr("You asked to stop it")
        case RetryAsked():
            return tr("You asked to try it again")
        case RequestRefused():
            return told(step.body.error)
        case FilesArrived():
            return tr("Handed over: {names}").format(names=names_of(step.body.files))
        case FilesMissed():
            return tr("Did not arrive in time: {names}").format(names=names_of(step.body.files))
        case MessageSaid():
            return plain(step.body.text)
        case LateResult():
            return tr("A result came after the end; it is kept, and changes nothing.")
        case _:
            return tr("Something happened that this version does not know. An update helps.")


def planned(body: JobPlanned) -> str:
    """Say what became of a plan, with its steps when they are begun."""
    told = [plan_words.sentence(body)]
    if body.stage in (PlanStage.APPROVED, PlanStage.REPLANNED):
        steps = enumerate(body.plan.steps, start=1)
        told += [plan_words.step_line(step, number) for number, step in steps]
    return "\n".join(told)


def queued(body: JobQueued, at: datetime) -> str:
    """Say why a job waits."""
    match body.reason:
        case "new":
            return tr("Queued")
        case "retry" if body.not_before is not None:
            return tr("Try {n} comes at {time}").format(
                n=body.attempt, time=clock(body.not_before, at)
            )
        case "retry" | "requeued":
            return tr("Queued again, try {n}").format(n=body.attempt)
        case "lost":
            return tr("Its computer started anew and had lost it; queued again")
        case "answered":
            return tr("Queued again with your answer")
        case "declined":
            return tr("The computer could not take it now; queued again")
        case "moved":
            return tr("Given to another computer")


def started(step: Step) -> str:
    assert isinstance(step.body, JobStarted)
    name = plain_line(step.machine) or tr("a computer")
    if step.body.attempt > 1:
        return tr("Runs on {machine}, try {n}").format(machine=name, n=step.body.attempt)
    return tr("Runs on {machine}").format(machine=name)


def headline(body: JobSucceeded) -> str:
    """Say a result in its own first sentence."""
    told_headline = body.result.get("headline")
    if isinstance(told_headline, str) and told_headline.strip():
        return plain(told_headline)
    return tr("Done")


def result_of(body: JobSucceeded) -> Output:
    """Read what every result has; what does not fit is left out."""
    raw = body.result

    def texts(name: str) -> tuple[str, ...]:
        found = raw.get(name)
        lines = found if isinstance(found, list) else []
        return tuple(plain(one) for one in lines if isinstance(one, str))

    notes = (*texts("notes"), *plan_words.answer_lines(raw))
    return Output(headline=headline(body), notes=notes, files=texts("files"))


def told(error: ErrorBody) -> str:
    """Say an error with its hint."""
    return plain(f"{error.message} {error.hint}".strip())


def label_of(asking: Asking, value: str) -> str:
    """Say an answer as its button does."""
    return plain_line(asking.label_of(value))


def answered(row: QuestionRow) -> str:
    """Say who answered what: "Answered by anna on Telegram: UTC"."""
    value = label_of(row.asking, row.value)
    if row.answered_by == BY_DEFAULT:
        return tr("Nobody answered in time; it took {value}").format(value=value)
    return tr("Answered by {who}: {value}").format(who=plain_line(row.answered_by), value=value)


def superseded(body: AnswerSuperseded, row: QuestionRow | None = None) -> str:
    """Say whose answer came second; which one counts is said before."""
    value = label_of(row.asking, body.value) if row is not None else plain_line(body.value)
    return tr("{value} by {who} came second").format(value=value, who=plain_line(body.by))


def settled(row: QuestionRow) -> str:
    """Say at a question which answer counts, whose it is, and which one came second."""
    told = f"✓ {label_of(row.asking, row.value)}"
    if row.answered_by and row.answered_by != BY_DEFAULT:
        told += f" · {plain_line(row.answered_by)}"
    if row.second:
        second = tr("{value} by {who} came second").format(
            value=label_of(row.asking, row.second), who=plain_line(row.second_by)
        )
        told += f" · {second}"
    return told


def deadline(row: QuestionRow, now: datetime) -> str:
    """Say what happens when nobody answers, and when."""
    left = (row.expires_at - now).total_seconds()
    default = row.asking.default
    if default is None:
        if row.state == "parked" or left <= 0:
            return tr("It waits for you, without taking up a computer.")
        return tr("In {time} it is put aside and waits for you.").format(time=countdown(left))
    value = label_of(row.asking, default)
    if left <= 0:
        return tr("Its time is up: it takes {value}.").format(value=value)
    return tr("Takes {value} in {time}.").format(value=value, time=countdown(left))


def names_of(files: tuple[FileRef, ...]) -> str:
    return ", ".join(plain_line(file.name) for file in files)
