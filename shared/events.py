"""Facts, past tense, never changed. Everything durable travels as one of these.

An Event is the envelope: who wrote it, as which number of its log, when. Its body is typed by
`type`; a receiver that does not know a type keeps and forwards the event untouched.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic_core import from_json

from shared.errors import ErrorBody
from shared.finite import FiniteObject
from shared.ids import (
    COUNT_MAX,
    ConversationId,
    JobId,
    PersonId,
    QuestionId,
    ScheduleId,
    SessionId,
    TaskId,
    WebhookId,
    WorkerId,
)
from shared.jobs import TITLE_CHARS_MAX, JobSpec, JobState, Priority
from shared.kinds import SENDS_MAX, FileRef
from shared.plan import PlanStage, ShownPlan
from shared.questions import TEXT_CHARS_MAX, Answer, Asking
from shared.schedules import (
    WHEN_CHARS_MAX,
    WORDS_CHARS_MAX,
    MissedPolicy,
    ScheduleAction,
    ScheduleChange,
    ScheduleFacts,
)

LINE_CHARS_MAX = 2000
LINES_MAX = 200
SETTING_CHARS_MAX = 2000
SIGNED = b"deskhand event v1\0"
"""Stands before what is signed, so that a signature is good for nothing else."""


class Event(BaseModel):
    """One entry of a device's log. (device, epoch, seq) names it everywhere and forever."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str = Field(max_length=64)
    """The writer: a worker's id, or "hub"."""
    epoch: int = Field(ge=0, le=COUNT_MAX)
    """Grows when a device's store was restored or cloned, so numbers are never used twice."""
    seq: int = Field(ge=1, le=COUNT_MAX)
    """1, 2, 3 … without gaps within (device, epoch)."""
    at: datetime
    """The writer's wall clock: shown to people, never used for order."""
    hlc: int = Field(default=0, ge=0, le=COUNT_MAX)
    """The writer's stamp (`shared.hlc`); 0 from a writer that makes none."""
    type: str = Field(max_length=64)
    version: int = Field(default=1, ge=1, le=COUNT_MAX)
    entity: str = Field(default="", max_length=64)
    """The id of the job, task or question it is about."""
    body: FiniteObject
    sealed_with: str = Field(default="", max_length=64)
    """The id of the key that its body is sealed under; empty while anybody may read it."""
    signature: str = Field(default="", max_length=128)
    """The device's Ed25519 over `to_sign()`, base64url; empty from a device that has no key."""

    def canonical(self) -> bytes:
        """Return the bytes that are hashed, as `docs/protocol.md` spells them; no signature."""
        return _spell(self.model_copy(update={"signature": ""}))

    def to_sign(self) -> bytes:
        """Return the bytes that the writing device signs."""
        return SIGNED + self.canonical()

    def associated_data(self) -> bytes:
        """Return what a sealed body is bound to: all of the envelope, so that no body is moved."""
        return _spell(self.model_copy(update={"signature": "", "body": {}}))

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, hex."""
        return hashlib.sha256(self.canonical()).hexdigest()


_CANONICAL = TypeAdapter(Event)


def _spell(event: Event) -> bytes:
    """Write an event the one way there is: keys in order at every depth, nothing between them."""
    told = from_json(_CANONICAL.dump_json(event))
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Body(BaseModel):
    """What an event says. Unknown fields of a newer writer are ignored, the envelope keeps them."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class AttemptBody(Body):
    """A fact about one attempt, told by the worker that holds its grant."""

    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    fence: int = Field(ge=0, le=COUNT_MAX)
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """The job that this one is a part of: quiet, for people see that one."""


class JobStarted(AttemptBody):
    """Written and committed before the first effect of the attempt."""

    type: Literal["job_started"] = "job_started"
    job: JobSpec | None = None
    """What is being done: a hub that does not know the job, because it was made while that was
    away or was lost with a backup, adopts it as this worker's."""


class JobLogged(AttemptBody):
    type: Literal["job_logged"] = "job_logged"
    lines: tuple[Annotated[str, Field(max_length=LINE_CHARS_MAX)], ...] = Field(
        max_length=LINES_MAX
    )


class JobPlanned(AttemptBody):
    """A plan was made, agreed to or changed; the newest is the one that counts."""

    type: Literal["job_planned"] = "job_planned"
    stage: PlanStage
    plan: ShownPlan


class QuestionAsked(AttemptBody):
    type: Literal["question_asked"] = "question_asked"
    question_id: QuestionId
    asking: Asking


class JobResumed(AttemptBody):
    """The answer reached the child and it goes on."""

    type: Literal["job_resumed"] = "job_resumed"
    question_id: QuestionId


class JobParked(AttemptBody):
    """The child is gone; its job waits for the answer, and starts again with it."""

    type: Literal["job_parked"] = "job_parked"
    question_id: QuestionId


class JobSucceeded(AttemptBody):
    type: Literal["job_succeeded"] = "job_succeeded"
    result: dict[str, JsonValue]
    """An Output of the job's kind."""
    running_seconds: float = Field(ge=0)


class JobFailed(AttemptBody):
    type: Literal["job_failed"] = "job_failed"
    error: ErrorBody


class JobCancelled(AttemptBody):
    type: Literal["job_cancelled"] = "job_cancelled"


class JobInterrupted(AttemptBody):
    """The worker was stopped after `job_started` and cannot know how far the effect went."""

    type: Literal["job_interrupted"] = "job_interrupted"
    reason: str = Field(max_length=400)
    touched: tuple[str, ...] = ()
    """What is known of effects outside the workdir, as sentences."""


class TaskCreated(Body):
    type: Literal["task_created"] = "task_created"
    task_id: TaskId
    person_id: PersonId
    text: str


class JobQueued(Body):
    """A job waits for a worker: new, to be retried, requeued, or given back."""

    type: Literal["job_queued"] = "job_queued"
    job_id: JobId
    task_id: TaskId
    kind: str
    title: str
    attempt: int = Field(ge=0, le=COUNT_MAX)
    reason: Literal["new", "retry", "requeued", "lost", "answered", "declined", "moved"] = "new"
    not_before: datetime | None = None
    """The earliest start, when the job waits after a failure."""
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """As in `AttemptBody`."""


class JobGranted(Body):
    type: Literal["job_granted"] = "job_granted"
    job_id: JobId
    attempt: int = Field(ge=0, le=COUNT_MAX)
    fence: int = Field(ge=0, le=COUNT_MAX)
    worker_id: WorkerId
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """As in `AttemptBody`."""


class JobDied(Body):
    """Out of tries: the job became a dead letter."""

    type: Literal["job_died"] = "job_died"
    job_id: JobId
    error: ErrorBody


class PartSettled(Body):
    """A part that its maker's worker does not run itself has ended, and nothing changes that."""

    type: Literal["part_settled"] = "part_settled"
    job_id: JobId
    part_of: JobId
    state: JobState
    error: ErrorBody | None = None
    """Why it failed; what came of it is told by its worker."""


class JobCancelRequested(Body):
    type: Literal["job_cancel_requested"] = "job_cancel_requested"
    job_id: JobId
    by: str


class QuestionAnswered(Body):
    """The first answer by hub order; a default taken in time counts as one."""

    type: Literal["question_answered"] = "question_answered"
    question_id: QuestionId
    job_id: JobId
    answer: Answer


class QuestionParked(Body):
    """The question ran out without a default: its worker may let the child go."""

    type: Literal["question_parked"] = "question_parked"
    question_id: QuestionId
    job_id: JobId


class LateResult(Body):
    """An outcome that came after the job had moved on: kept and shown, never applied."""

    type: Literal["late_result"] = "late_result"
    job_id: JobId
    attempt: int = Field(ge=0, le=COUNT_MAX)
    outcome: str


class FilesArrived(Body):
    """All files that a job handed over are on the hub, and may be shown."""

    type: Literal["files_arrived"] = "files_arrived"
    job_id: JobId
    files: tuple[FileRef, ...] = Field(max_length=SENDS_MAX)


class FilesMissed(Body):
    """Files that a job handed over did not come within the time they are waited for."""

    type: Literal["files_missed"] = "files_missed"
    job_id: JobId
    files: tuple[FileRef, ...] = Field(max_length=SENDS_MAX)


class PersonLocked(Body):
    """A person stopped everything that chats can start, until they unlock it elsewhere."""

    type: Literal["person_locked"] = "person_locked"
    person_id: PersonId
    by: str


class PersonUnlocked(Body):
    type: Literal["person_unlocked"] = "person_unlocked"
    person_id: PersonId
    by: str


class WorkerPaired(Body):
    type: Literal["worker_paired"] = "worker_paired"
    worker_id: WorkerId
    name: str
    public_key: str = Field(default="", max_length=64)
    """Its Ed25519, base64url: what the person's other computers know its events by."""
    pulls: bool = False
    """It fetches its work over REST and keeps no log: what it reports, the hub writes down."""


class WorkerOffers(Body):
    """What a worker can run has changed; the newest counts."""

    type: Literal["worker_offers"] = "worker_offers"
    worker_id: WorkerId
    name: str
    kinds: tuple[str, ...]


class WorkerLost(Body):
    """A worker has been away for longer than a nap of its network."""

    type: Literal["worker_lost"] = "worker_lost"
    worker_id: WorkerId
    name: str
    since: datetime
    was_stopped: bool = False
    """It said goodbye: somebody ended it."""
    jobs: int = Field(default=0, ge=0, le=COUNT_MAX)
    """How many jobs stay with it."""


class WorkerBack(Body):
    """A worker is here again whose absence was told."""

    type: Literal["worker_back"] = "worker_back"
    worker_id: WorkerId
    name: str
    since: datetime
    until: datetime


class WorkerRevoked(Body):
    """A person showed a worker out."""

    type: Literal["worker_revoked"] = "worker_revoked"
    worker_id: WorkerId
    name: str
    by: str


class WorkerMistrusted(Body):
    """Reports of a worker do not carry its signature, and are not counted."""

    type: Literal["worker_mistrusted"] = "worker_mistrusted"
    worker_id: WorkerId
    name: str
    code: str
    """`event_unsigned` or `event_forged`."""


class JoinRequested(Body):
    """A computer, or a chat account, waits for a person to let it in."""

    type: Literal["join_requested"] = "join_requested"
    join_id: str
    kind: Literal["worker", "account"]
    name: str
    platform: str = ""
    kinds: tuple[str, ...] = ()
    """What a computer can run."""
    words: str = ""
    """The check words a computer shows, too."""
    frontend: str = ""
    account: str = ""
    """The platform's own id of a chat account."""


class JoinSettled(Body):
    type: Literal["join_settled"] = "join_settled"
    join_id: str
    kind: Literal["worker", "account"]
    name: str
    state: Literal["approved", "rejected", "expired"]
    by: str = ""


class AccountLinked(Body):
    """One more chat account speaks for its person."""

    type: Literal["account_linked"] = "account_linked"
    frontend: str
    account: str
    name: str
    conversation: ConversationId


class PersonAdmitted(Body):
    """A chat account that nobody knew was let in, as a person of its own."""

    type: Literal["person_admitted"] = "person_admitted"
    frontend: str
    conversation: ConversationId


class PairingPaused(Body):
    """Somebody tries codes; told to the hub's owner."""

    type: Literal["pairing_paused"] = "pairing_paused"
    tries: int = Field(ge=0, le=COUNT_MAX)
    addresses: int = Field(ge=0, le=COUNT_MAX)
    minutes: int = Field(ge=0, le=COUNT_MAX)


class TaskRequested(Body):
    """A person asked for something at their own computer; the ids were made there."""

    type: Literal["task_requested"] = "task_requested"
    task_id: TaskId
    job_id: JobId
    kind: str = Field(max_length=100)
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    text: str = ""
    title: str = ""
    worker_id: WorkerId | None = None
    """Only this worker; None for any."""
    is_kept: bool = False
    """No hub was there, so this computer runs it itself, as attempt 1 under fence 1: the hub
    grants it that and offers it to nobody."""
    replaces: JobId | None = None
    """The job that this one is run instead of: a person tried again without a hub."""
    session_id: str = Field(default="", max_length=64)
    """With `is_kept`: the session that this computer runs it in, which the hub takes over."""
    part_of: JobId | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    """The job of this computer that had it made as one of its parts. Without `is_kept` it is for
    another worker: an ordinary job, with the rights of that one."""
    step: int | None = Field(default=None, ge=0, le=COUNT_MAX, exclude_if=lambda step: step is None)
    """With `part_of`: the step's number, when that job has steps."""
    follows: JobId | None = Field(default=None, exclude_if=lambda follows: follows is None)
    """With `is_kept`: the job of this computer that ended well and had it made to go on."""


class AnswerGiven(Body):
    """A person answered a question at their own computer."""

    type: Literal["answer_given"] = "answer_given"
    question_id: QuestionId
    job_id: JobId
    value: str = Field(max_length=TEXT_CHARS_MAX)
    is_used: bool = False
    """The job runs on this computer and has gone on with it already: it counts, whoever else
    answered before."""


class CancelAsked(Body):
    """A person wants a job stopped, says their own computer."""

    type: Literal["cancel_asked"] = "cancel_asked"
    job_id: JobId


class RetryAsked(Body):
    """A person wants a job to be tried again, says their own computer."""

    type: Literal["retry_asked"] = "retry_asked"
    job_id: JobId


class RequestRefused(Body):
    """What a person asked for at their own computer cannot be done; nothing was changed."""

    type: Literal["request_refused"] = "request_refused"
    job_id: JobId
    request: str
    """The type of the event that asked."""
    error: ErrorBody
    by: WorkerId
    """The computer that asked."""


class AnswerSuperseded(Body):
    """An answer that does not count, because another one did."""

    type: Literal["answer_superseded"] = "answer_superseded"
    question_id: QuestionId
    job_id: JobId
    value: str = Field(max_length=TEXT_CHARS_MAX)
    by: str
    """Who gave it, in words."""
    counted: Answer


class SettingChanged(Body):
    """A person changed a setting that their computers share; field by field, the last counts."""

    type: Literal["setting_changed"] = "setting_changed"
    name: str = Field(min_length=1, max_length=64)
    value: str = Field(max_length=SETTING_CHARS_MAX)


class PurgeAsked(Body):
    """A person wants everything about a task to be forgotten, says their own computer."""

    type: Literal["purge_asked"] = "purge_asked"
    task_id: TaskId


class TaskPurged(Body):
    """What a task and its jobs told was deleted on the hub, and is to be on every computer."""

    type: Literal["task_purged"] = "task_purged"
    task_id: TaskId
    job_ids: tuple[JobId, ...]
    by: str


class MessageSaid(Body):
    """A person's words on a task that nothing had to be done about; they are kept and shown."""

    type: Literal["message_said"] = "message_said"
    task_id: TaskId
    job_id: JobId
    """The task's newest job then: where in the task's story it was said."""
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX)
    by: str
    """Who said it, in words: "anna on the web"."""
    where: str = Field(max_length=64)
    """The frontend it was said in."""


EndedBecause = Literal["idle", "age", "person", "worker_lost", "worker_revoked", "task_purged"]


class SessionOpened(Body):
    """A worker keeps a working context for a task from now on."""

    type: Literal["session_opened"] = "session_opened"
    session_id: SessionId
    task_id: TaskId
    worker_id: WorkerId


class SessionEnded(Body):
    """A working context is over: its worker removes the folder once nothing runs in it."""

    type: Literal["session_ended"] = "session_ended"
    session_id: SessionId
    task_id: TaskId
    worker_id: WorkerId
    reason: EndedBecause
    by: str = ""
    """Who ended it; empty when nobody did."""


class WebhookChanged(Body):
    """Where a person's events are told on the web was changed, or the hub stopped telling."""

    type: Literal["webhook_changed"] = "webhook_changed"
    webhook_id: WebhookId
    host: str
    """Of its address; the rest of an address may be a secret."""
    change: Literal["created", "updated", "rotated", "deleted", "stopped"]
    by: str = ""
    """Who did it, in words; empty when the hub did."""
    reason: Literal["", "gone", "failing"] = ""
    """Why the hub stopped: it was told that nobody wants it, or nobody was there for days."""


class KeyMade(Body):
    """A key for a program was made, or took an older one's place."""

    type: Literal["key_made"] = "key_made"
    key_id: str
    name: str
    scope: str
    by: str
    replaces: str = ""
    """The key it took the place of, which goes on until `until`."""
    until: datetime | None = None


class KeyRevoked(Body):
    """A key works no more."""

    type: Literal["key_revoked"] = "key_revoked"
    key_id: str
    name: str
    scope: str
    by: str


class TaskChanged(Body):
    """A person gave a task another title, or what waits of it another priority."""

    type: Literal["task_changed"] = "task_changed"
    task_id: TaskId
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    """Empty: as it was."""
    priority: Priority | None = None
    """None: as it was."""
    by: str
    """Who did it, in words."""


class ScheduleAsked(Body):
    """A person wants something of a schedule, says their own computer."""

    type: Literal["schedule_asked"] = "schedule_asked"
    schedule_id: ScheduleId
    """Made at that computer, for a new one."""
    action: ScheduleAction
    words: str = Field(default="", max_length=WORDS_CHARS_MAX)
    """Of a new one: what is to be done."""
    when: str = Field(default="", max_length=WHEN_CHARS_MAX)
    """Of a new one: in words or as cron."""
    zone: str = Field(default="", max_length=64)
    """Of a new one: the computer's time zone."""
    missed: MissedPolicy = "once"


class ScheduleChanged(Body):
    """A schedule was made, removed, or holds or goes on from now on."""

    type: Literal["schedule_changed"] = "schedule_changed"
    schedule: ScheduleFacts
    change: ScheduleChange
    by: str = ""
    """Who did it, in words; empty when the hub did."""


class ScheduleRan(Body):
    """A schedule made a task, as its person would have; the same commit holds the task."""

    type: Literal["schedule_ran"] = "schedule_ran"
    schedule: ScheduleFacts
    """Its last job is the one that was begun."""
    task_id: TaskId
    due_at: datetime
    missed: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Runs since the last one that did not take place."""
    because: Literal["", "hub_off", "running"] = ""
    """Why not."""
    by: str = ""
    """Who had it run now, in words; empty when its time had come."""


class ScheduleMissed(Body):
    """What a schedule was due for did not take place; the first of several in a row is told."""

    type: Literal["schedule_missed"] = "schedule_missed"
    schedule: ScheduleFacts
    reason: Literal["hub_off", "running", "refused"]
    """The hub was not there; the last run still goes on; what was asked for was refused."""
    missed: int = Field(default=1, ge=1, le=COUNT_MAX)
    error: ErrorBody | None = None
    """Why it was refused."""


class BrowserSignedIn(Body):
    """A person's browser was let into the dashboard."""

    type: Literal["browser_signed_in"] = "browser_signed_in"
    sign_in_id: str = Field(max_length=64)
    browser: str
    """In words: "Firefox on Linux"."""
    address: str = ""
    """Where it was then."""


class BrowserSignedOut(Body):
    """A browser sees nothing of its person any more."""

    type: Literal["browser_signed_out"] = "browser_signed_out"
    sign_in_id: str = Field(max_length=64)
    browser: str
    by: str


class RoleChanged(Body):
    """A person runs the hub from now on, or does so no more."""

    type: Literal["role_changed"] = "role_changed"
    person_id: PersonId
    role: str
    """"owner" or "member"."""
    by: str


EventBody = (
    JobStarted
    | JobLogged
    | JobPlanned
    | QuestionAsked
    | JobResumed
    | JobParked
    | JobSucceeded
    | JobFailed
    | JobCancelled
    | JobInterrupted
    | TaskCreated
    | JobQueued
    | JobGranted
    | JobDied
    | PartSettled
    | JobCancelRequested
    | QuestionAnswered
    | QuestionParked
    | LateResult
    | FilesArrived
    | FilesMissed
    | PersonLocked
    | PersonUnlocked
    | WorkerPaired
    | WorkerOffers
    | WorkerLost
    | WorkerBack
    | WorkerRevoked
    | WorkerMistrusted
    | JoinRequested
    | JoinSettled
    | AccountLinked
    | PersonAdmitted
    | PairingPaused
    | TaskRequested
    | AnswerGiven
    | CancelAsked
    | RetryAsked
    | RequestRefused
    | AnswerSuperseded
    | SettingChanged
    | PurgeAsked
    | TaskPurged
    | MessageSaid
    | SessionOpened
    | SessionEnded
    | WebhookChanged
    | KeyMade
    | KeyRevoked
    | TaskChanged
    | ScheduleAsked
    | ScheduleChanged
    | ScheduleRan
    | ScheduleMissed
    | BrowserSignedIn
    | BrowserSignedOut
    | RoleChanged
)

AttemptEventBody = (
    JobStarted
    | JobLogged
    | JobPlanned
    | QuestionAsked
    | JobResumed
    | JobParked
    | JobSucceeded
    | JobFailed
    | JobCancelled
    | JobInterrupted
)
"""What a worker may tell of its attempts."""

RequestEventBody = (
    TaskRequested
    | AnswerGiven
    | CancelAsked
    | RetryAsked
    | SettingChanged
    | PurgeAsked
    | ScheduleAsked
)
"""What the person of a computer may ask for there; a hub refuses any other body from a worker."""

OwnEventBody = AttemptEventBody | RequestEventBody
"""What stands in a computer's own log."""

_BODIES: TypeAdapter[EventBody] = TypeAdapter(Annotated[EventBody, Field(discriminator="type")])
KNOWN_TYPES = frozenset(body.model_fields["type"].default for body in EventBody.__args__)


def body_of(event: Event) -> EventBody | None:
    """Read an event's typed body; None when it is sealed, or newer than this program.

    Raises:
        pydantic.ValidationError: a known type with a body that does not fit it.
    """
    if event.sealed_with or event.type not in KNOWN_TYPES or event.version != 1:
        return None
    return _BODIES.validate_python({**event.body, "type": event.type})


def write_event(
    body: EventBody,
    *,
    device: str,
    epoch: int,
    seq: int,
    at: datetime,
    hlc: int = 0,
    entity: str = "",
) -> Event:
    """Put a body into its envelope. `entity` defaults to the job or task the body is about."""
    fields = body.model_dump(mode="json", exclude={"type"})
    if not entity and isinstance(body, ScheduleChanged | ScheduleRan | ScheduleMissed):
        entity = body.schedule.schedule_id
    return Event(
        device=device,
        epoch=epoch,
        seq=seq,
        at=at,
        hlc=hlc,
        type=body.type,
        entity=entity or str(fields.get("job_id") or fields.get("task_id") or ""),
        body=fields,
    )
