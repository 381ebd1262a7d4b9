"""Events as lines of a job's history, for `/job` and whoever looks back."""

from __future__ import annotations

from hub.frontends import plan_words
from hub.frontends.entrance import place
from hub.frontends.facts import Facts
from hub.frontends.figures import capital, duration, plural
from hub.frontends.question_words import answered
from hub.frontends.results import result_view
from hub.frontends.schedule_telling import schedule_line
from hub.frontends.webhooks.telling import webhook_line
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


def sentence(  # noqa: C901, PLR0911, PLR0912, PLR0915 - one row for each type of event
    body: EventBody, facts: Facts
) -> str:
    """An event as one line of a history."""
    match body:
        case TaskCreated():
            return f"Asked for: {body.text}"
        case JobQueued():
            return _queued_line(body, facts)
        case JobGranted():
            return f"Given to {facts.name}"
        case JobStarted():
            return f"Started on {facts.name}"
        case JobLogged():
            return "\n".join(body.lines)
        case JobPlanned():
            return plan_words.sentence(body.stage, body.plan)
        case QuestionAsked():
            return f"Asked: {body.asking.text.splitlines()[0]}"
        case QuestionAnswered():
            return answered(body.answer, facts).replace("\n", " ")
        case JobResumed():
            return "Went on with the answer"
        case JobParked():
            return "Let go; it starts again with the answer"
        case QuestionParked():
            return "Nobody answered in time; it waits for the answer"
        case JobSucceeded():
            told = result_view(facts.kind, body.result, job_id=body.job_id, label=facts.label)
            return f"Done in {duration(body.running_seconds)}: {told.text.splitlines()[0]}"
        case JobFailed():
            return f"Try {body.attempt} failed: {body.error.message}"
        case JobDied():
            return f"Gave up: {body.error.message}"
        case PartSettled():
            return f"The job that this is a part of was told: {body.state.value}"
        case JobCancelRequested():
            return f"{capital(facts.whose(body.by))} asked to stop it"
        case JobCancelled():
            return "Stopped"
        case JobInterrupted():
            touched = " ".join((body.reason.rstrip(".") + ".", *body.touched))
            return f"{facts.name} stopped in the middle of {facts.doing}. {touched}".strip()
        case LateResult():
            return f"A result of try {body.attempt} came too late; it was kept and not used"
        case FilesArrived():
            return f"Received {', '.join(file.name for file in body.files)}"
        case FilesMissed():
            return f"Never received {', '.join(file.name for file in body.files)}"
        case PersonLocked():
            return f"Locked by {facts.whose(body.by)}"
        case PersonUnlocked():
            return f"Unlocked by {facts.whose(body.by)}"
        case WorkerPaired():
            return f"{body.name} may be used" if body.is_fleet else f"{body.name} was paired"
        case WorkerLost():
            return f"{body.name} was stopped" if body.was_stopped else f"{body.name} went away"
        case WorkerBack():
            return f"{body.name} came back"
        case WorkerRevoked() if body.is_fleet:
            return f"{body.name} may be used no more"
        case WorkerRevoked():
            return f"{body.name} was shown out by {facts.whose(body.by)}"
        case WorkerOffers():
            kinds = plural(len(body.kinds), "kind")
            return f"{body.name} can do {kinds} of work"
        case WorkerMistrusted():
            return f"{body.name} sent what does not carry its signature"
        case JoinRequested():
            return f"{body.name} asked to be let in"
        case JoinSettled():
            by = f" by {facts.whose(body.by)}" if body.by else ""
            return f"The request of {body.name} was {body.state}{by}"
        case AccountLinked():
            return f"{body.name} speaks for you on {place(body.frontend)}"
        case PersonAdmitted():
            return f"Let in on {place(body.frontend)}"
        case TaskRequested():
            return f"Asked for on {facts.name}: {body.text or body.title or body.kind}"
        case AnswerGiven():
            return "Answered on a computer"
        case CancelAsked():
            return "Asked to stop it on a computer"
        case RetryAsked():
            return "Asked for another try on a computer"
        case AnswerSuperseded():
            value = facts.asking.label_of(body.value) if facts.asking else body.value
            return f"{facts.whose(body.by)} answered {value}, which came second"
        case SettingChanged():
            return f"Setting {body.name} was changed"
        case PurgeAsked():
            return "Asked on a computer for the task to be forgotten"
        case TaskPurged():
            return f"Everything it told was deleted by {facts.whose(body.by)}"
        case TaskChanged():
            return f"{capital(facts.whose(body.by))} changed {_changes(body)}"
        case MessageSaid():
            return f"{capital(facts.whose(body.by))} said: {' '.join(body.text.split())}"
        case SessionOpened():
            return f"A session began on {facts.name}"
        case SessionEnded():
            return f"The session on {facts.name} ended: {ended_because(body, facts)}"
        case RequestRefused():
            return f"Could not be done: {body.error.message}"
        case KeyMade():
            made = "took the place of another" if body.replaces else "was made"
            return f"The key {body.name} ({body.scope}) {made}, by {facts.whose(body.by)}"
        case KeyRevoked():
            return f"The key {body.name} ({body.scope}) was revoked by {facts.whose(body.by)}"
        case BrowserSignedIn():
            where = f" ({body.address})" if body.address else ""
            return f"Signed in: {body.browser}{where}"
        case BrowserSignedOut():
            return f"{body.browser} was signed out by {facts.whose(body.by)}"
        case RoleChanged():
            role = "the hub's owner" if body.role == "owner" else "a member"
            return f"Made {role} by {facts.whose(body.by)}"
        case PairingPaused():
            return f"Pairing was paused after {body.tries} wrong codes"
        case ScheduleAsked():
            return f"Asked on a computer to {body.action} a schedule"
        case ScheduleChanged() | ScheduleRan() | ScheduleMissed():
            return schedule_line(body, facts)
        case WebhookChanged():
            return webhook_line(body, facts)


def _changes(body: TaskChanged) -> str:
    """What is different: "its title to …, its priority to high"."""
    told = [f"its title to “{body.title}”"] if body.title else []
    return " and ".join([*told, f"its priority to {body.priority}"] if body.priority else told)


def ended_because(body: SessionEnded, facts: Facts) -> str:
    """Why a session is over, as it stands behind a colon."""
    match body.reason:
        case "idle":
            return "nothing happened in it for 30 minutes"
        case "age":
            return "it was an hour old"
        case "person":
            return f"{facts.whose(body.by)} ended it" if body.by else "somebody ended it"
        case "worker_lost":
            return "the computer went away"
        case "worker_revoked":
            return "the computer was disconnected"
        case "task_purged":
            return "its task was deleted"


def _queued_line(body: JobQueued, facts: Facts) -> str:
    match body.reason:
        case "new":
            return "Queued"
        case "retry":
            return "Queued for another try"
        case "requeued":
            return "Queued again by hand"
        case "lost":
            return f"{facts.name} lost it; queued again from the start"
        case "answered":
            return "Answered; queued to go on"
        case "moved":
            return "Given to another computer"
        case "declined":
            return "Declined for now; queued again"
