"""Events become words here, once for every frontend.

`view_of` is what a chat is told about an event. The same facts as lines of a history are in
`history`, what a kind gave back in `results`, replies to commands in `replies`.
"""

from __future__ import annotations

from dataclasses import replace

from hub.core.placement import WaitingReason
from hub.core.view import Button, Progress, Tone, View, ViewFile
from hub.frontends import entrance, plan_words
from hub.frontends.facts import Facts
from hub.frontends.figures import bar, capital, count, duration
from hub.frontends.question_words import answered_view, chosen, question_view
from hub.frontends.results import result_view
from hub.frontends.schedule_telling import schedule_view
from hub.frontends.waiting import elsewhere, retry_line, why_waiting
from hub.frontends.webhooks.telling import webhook_view
from shared.errors import AppError, ErrorBody
from shared.events import (
    AccountLinked,
    AnswerGiven,
    AnswerSuperseded,
    BrowserSignedIn,
    BrowserSignedOut,
    CancelAsked,
    EventBody,
    FilesArrived,
    FilesMissed,
    JobCancelled,
    JobCancelRequested,
    JobDied,
    JobFailed,
    JobGranted,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobPlanned,
    JobQueued,
    JobResumed,
    JobStarted,
    JobSucceeded,
    JoinRequested,
    JoinSettled,
    KeyMade,
    KeyRevoked,
    LateResult,
    MessageSaid,
    PairingPaused,
    PartSettled,
    PersonAdmitted,
    PersonLocked,
    PersonUnlocked,
    PurgeAsked,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
    RequestRefused,
    RetryAsked,
    RoleChanged,
    ScheduleAsked,
    ScheduleChanged,
    ScheduleMissed,
    ScheduleRan,
    SessionEnded,
    SessionOpened,
    SettingChanged,
    TaskChanged,
    TaskCreated,
    TaskPurged,
    TaskRequested,
    WebhookChanged,
    WorkerBack,
    WorkerLost,
    WorkerMistrusted,
    WorkerOffers,
    WorkerPaired,
    WorkerRevoked,
)
from shared.jobs import ATTEMPTS_MAX
from shared.plan import ShownPlan

ITEMS_AT_LEAST = 2


def error_view(error: AppError | ErrorBody) -> View:
    """What happened, and what can be done about it."""
    return View(text=f"⚠ {error.message} {error.hint}".strip(), tone=Tone.FAILED)


def progress_view(progress: Progress, facts: Facts, plan: ShownPlan | None = None) -> View:
    """The line that is edited in place while a job runs; of a plan, a line for each step."""
    if plan is not None and plan.steps:
        text = plan_words.progress_text(plan, facts.where)
        return _status(facts, text, Tone.RUNNING, progress=progress)
    head = f"{capital(facts.doing)}{facts.where}"
    parts = [done_of(progress)]
    if progress.eta_seconds is not None and progress.eta_seconds >= 1:
        parts.append(f"{duration(progress.eta_seconds)} left")
    told = ", ".join(part for part in parts if part)
    if progress.total > 0:
        text = f"{head} {bar(progress.done / progress.total)} {told}"
    else:
        text = f"{head}: {told}" if told else head
    return _status(facts, text, Tone.RUNNING, progress=progress)


def done_of(progress: Progress) -> str:
    """How far a job is, in words: "3 of 5 models", "reading the file, 40 %"."""
    stage = progress.stage.strip()
    if progress.total <= 0:
        return stage
    are_items = stage.endswith("s") and " " not in stage and progress.total >= ITEMS_AT_LEAST
    if are_items and float(progress.total).is_integer() and float(progress.done).is_integer():
        return f"{count(progress.done)} of {count(progress.total)} {stage}"
    share = f"{min(1.0, progress.done / progress.total) * 100:.0f} %"
    return f"{stage}, {share}" if stage else share


def view_of(  # noqa: C901, PLR0911, PLR0912, PLR0915 - one row for each type of event
    body: EventBody, facts: Facts
) -> View | None:
    """What a chat is told about an event; None when that would only be noise.

    Views about a job share its subject: frontends that can edit keep one status message. The
    last word (`final`) is a message of its own.
    """
    match body:
        case JobQueued():
            return _queued(body, facts)
        case JobStarted():
            if facts.has_ended:
                return None  # what came of it follows at once
            return _status(facts, f"{capital(facts.doing)}{facts.where} …", Tone.RUNNING)
        case JobCancelRequested():
            return _status(facts, f"Stopping {facts.label} …", Tone.RUNNING, stop=False)
        case QuestionAsked():
            if facts.is_settled:
                return None  # answered where it was asked, before anybody could be asked here
            return question_view(body.question_id, body.asking, facts)
        case QuestionAnswered():
            return answered_view(body.question_id, body.answer, facts)
        case QuestionParked():
            return _parked(body, facts)
        case JobSucceeded():
            told = result_view(facts.kind, body.result, job_id=body.job_id, label=facts.label)
            took = f"{capital(facts.doing)}{facts.where} took {_took(body.running_seconds)}."
            if facts.late is not None:
                true_times = f"{capital(facts.did)}{facts.where}{facts.when}."
                told = replace(told, text=f"{true_times}\n{told.text}")
            return replace(told, settles=f"✓ {took}")
        case JobFailed():
            # A failure that may pass is told by what follows: the next try, or the last word.
            return None if body.error.retryable else _ended(body, facts, body.error)
        case JobDied():
            return _ended(body, facts, body.error)
        case JobCancelled():
            if facts.late is not None and facts.late.is_kept:
                return None  # whoever stopped it sat before it; nobody else knew of it
            return _last_word(facts, f"Cancelled: {facts.label}.", Tone.PLAIN)
        case JobInterrupted():
            return _status(facts, _interrupted(body, facts), Tone.WAITING, stop=False)
        case FilesArrived():
            return files_view(body, facts)
        case FilesMissed():
            return _missed(body, facts)
        case PersonLocked():
            return View(
                text=f"Your account was locked by {facts.whose(body.by)}.", tone=Tone.WAITING
            )
        case PersonUnlocked():
            text = f"✓ Your account was unlocked by {facts.whose(body.by)}."
            return View(text=text, tone=Tone.DONE)
        case WorkerPaired():
            return entrance.paired_view(body)
        case WorkerLost():
            return _lost(body, facts)
        case WorkerBack():
            away = f"was away {facts.clock(body.since)} to {facts.clock(body.until)}"
            text = f"{body.name} is back ({away})."
            return View(text=text, tone=Tone.DONE, subject=absence(body), is_quiet=True)
        case WorkerRevoked():
            return entrance.revoked_view(body, facts)
        case WorkerMistrusted():
            return entrance.mistrusted_view(body)
        case JoinRequested():
            return entrance.requested_view(body)
        case JoinSettled():
            return entrance.settled_view(body, facts)
        case AccountLinked():
            return entrance.linked_view(body)
        case PersonAdmitted():
            return entrance.admitted_view()
        case PairingPaused():
            return entrance.alarm_view(body)
        case PartSettled() | WorkerOffers() | JobPlanned():
            return None  # the job's own progress, or question, and the list of computers show it
        case TaskCreated() | JobGranted() | JobLogged() | JobResumed() | JobParked() | LateResult():
            return None
        case ScheduleChanged() | ScheduleRan() | ScheduleMissed():
            return schedule_view(body, facts)
        case WebhookChanged():
            return webhook_view(body, facts)
        case AnswerSuperseded():
            return _superseded(body, facts)
        case SettingChanged() | PurgeAsked() | TaskPurged() | ScheduleAsked():
            return None
        case MessageSaid():
            text = f"About {facts.label}, {facts.whose(body.by)}: {body.text}"
            return View(text=text, job_id=body.job_id, is_quiet=True)
        case SessionOpened() | SessionEnded():
            # Who goes on with something is told where that is, or that it is over.
            return None
        case TaskChanged():
            return None  # the job's own messages have its title, and whoever changed it knows
        case BrowserSignedIn() | BrowserSignedOut() | RoleChanged():
            # Whoever did it saw it; the account page and the activity keep it.
            return None
        case KeyMade() | KeyRevoked():
            # Programs' keys are seen to on the dashboard and where the hub runs.
            return None
        case TaskRequested() | AnswerGiven() | CancelAsked() | RetryAsked() | RequestRefused():
            # What comes of it is told; where it was asked, its computer shows the rest.
            return None


def _superseded(body: AnswerSuperseded, facts: Facts) -> View:
    """Tell that an answer came second; the question's own message shows the one that counts."""
    value, counted = chosen(facts.asking, body.value), chosen(facts.asking, body.counted.value)
    text = (
        f"{facts.label} had gone on with {counted} already, answered by "
        f"{facts.whose(body.counted.by)}. {value}, by {facts.whose(body.by)}, came second."
    )
    return View(text=text, tone=Tone.PLAIN, job_id=facts.job_id, is_quiet=True)


def files_view(body: FilesArrived, facts: Facts) -> View:
    """What was asked for; the job's last word was said before, this is a message of its own."""
    files = tuple(
        ViewFile(
            name=file.name,
            sha256=file.sha256,
            size_bytes=file.size_bytes,
            media_type=file.media_type,
        )
        for file in body.files
    )
    return View(text=f"From {facts.name}:", tone=Tone.DONE, job_id=facts.job_id, files=files)


def _missed(body: FilesMissed, facts: Facts) -> View:
    names = ", ".join(file.name for file in body.files)
    text = f"⚠ {names} did not come from {facts.name} within a day. Ask again when it is online."
    return View(text=text, tone=Tone.FAILED, job_id=facts.job_id)


def absence(body: WorkerLost | WorkerBack) -> str:
    """The subject of one absence, from its notice to the return."""
    return f"away:{body.worker_id}:{body.since:%Y%m%d%H%M%S}"


def _lost(body: WorkerLost, facts: Facts) -> View:
    since = facts.clock(body.since)
    how = f"was stopped ({since})" if body.was_stopped else f"is asleep or offline since {since}"
    text = f"{body.name} {how}. /jobs keeps what is queued."
    if body.jobs == 1:
        text += " 1 job stays with it; the result comes when it is back."
    elif body.jobs:
        text += f" {body.jobs} jobs stay with it; the results come when it is back."
    return View(text=text, tone=Tone.WAITING, subject=absence(body), is_quiet=True)


def _took(seconds: float) -> str:
    return duration(seconds) if seconds >= 1 else "less than a second"


def _interrupted(body: JobInterrupted, facts: Facts) -> str:
    told = " ".join((body.reason.rstrip(".") + ".", *body.touched))
    return f"{facts.name} stopped while {facts.doing}. {told}"


def _queued(body: JobQueued, facts: Facts) -> View | None:
    match body.reason:
        case "lost" if facts.failure and facts.failure.code == "worker_revoked":
            text = (
                f"{facts.failure.message} {capital(facts.doing)} starts again from the beginning "
                f"(it changes nothing else). {why_waiting(facts)}"
            )
            return View(text=text, tone=Tone.WAITING, job_id=facts.job_id)
        case "lost":
            text = (
                f"{facts.name} restarted while {facts.doing}. "
                f"{capital(facts.doing)} again from the start (it changes nothing else)."
            )
            # A message of its own: the next progress must not write over it.
            return View(text=text, tone=Tone.WAITING, job_id=facts.job_id)
        case "retry":
            return _status(facts, retry_line(body, facts), Tone.WAITING)
        case "declined":
            waiting = facts.waiting
            if waiting is None or waiting.reason is not WaitingReason.DECLINED:
                return None  # somebody else may take it
            return _status(facts, why_waiting(facts), Tone.WAITING)
        case "requeued":
            return _status(
                facts, f"Queued again: {facts.label}. {why_waiting(facts)}", Tone.WAITING
            )
        case "moved":
            return _status(facts, why_waiting(facts), Tone.WAITING)
        case "new" | "answered":
            return _status(facts, why_waiting(facts), Tone.WAITING)


def _parked(body: QuestionParked, facts: Facts) -> View:
    asking = facts.asking
    if asking is None:
        text = f"{facts.label} waits for your answer; it goes on as soon as you give it."
        return View(text=text, tone=Tone.ASKING, subject=f"question:{body.question_id}")
    asked = question_view(body.question_id, asking, facts)
    text = f"{asked.text}\nNobody has answered yet. The job waits, and goes on when you do."
    return View(
        text=text,
        tone=Tone.ASKING,
        buttons=asked.buttons,
        subject=asked.subject,
        job_id=facts.job_id,
        question_id=body.question_id,
    )


def _ended(body: JobFailed | JobDied, facts: Facts, error: ErrorBody) -> View:
    tries = f" after {ATTEMPTS_MAX} tries" if isinstance(body, JobDied) else ""
    failed = f"{facts.where} failed{tries}{facts.when}"
    text = f"⚠ {capital(facts.doing)}{failed}. {error.message} {error.hint}"
    again = (Button(label="Try again", says=f"/retry {body.job_id}"),)
    return _last_word(facts, text.strip(), Tone.FAILED, buttons=again)


def _status(
    facts: Facts,
    text: str,
    tone: Tone,
    *,
    progress: Progress | None = None,
    stop: bool = True,
) -> View:
    buttons = elsewhere(facts)
    if stop and facts.job_id:
        label = "Stop" if tone is Tone.RUNNING else "Cancel"
        buttons += (Button(label=label, says=f"/cancel {facts.job_id}"),)
    return View(
        text=text,
        tone=tone,
        buttons=buttons,
        progress=progress,
        subject=f"job:{facts.job_id}",
        job_id=facts.job_id,
    )


def _last_word(facts: Facts, text: str, tone: Tone, buttons: tuple[Button, ...] = ()) -> View:
    return View(
        text=text,
        tone=tone,
        buttons=buttons,
        subject=f"job:{facts.job_id}",
        final=True,
        settles=f"{capital(facts.doing)}{facts.where} has ended.",
        job_id=facts.job_id,
    )
