"""Facts, past tense, never changed. Everything durable travels as one of these.

An Event is the envelope: who wrote it, as which number of its log, when. Its body is typed by
`type`; a receiver that does not know a type keeps and forwards the event untouched. Bodies stand in
the module of who writes them, and are all named here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, TypeAdapter

from shared.events.attempts import (
    LINE_CHARS_MAX,
    LINES_MAX,
    AttemptBody,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobLogged,
    JobParked,
    JobPlanned,
    JobResumed,
    JobStarted,
    JobSucceeded,
    QuestionAsked,
)
from shared.events.comings import (
    AccountLinked,
    BrowserSignedIn,
    BrowserSignedOut,
    JoinRequested,
    JoinSettled,
    KeyMade,
    KeyRevoked,
    PairingPaused,
    PersonAdmitted,
    PersonLocked,
    PersonUnlocked,
    RoleChanged,
    WebhookChanged,
    WorkerBack,
    WorkerLost,
    WorkerMistrusted,
    WorkerOffers,
    WorkerPaired,
    WorkerRevoked,
)
from shared.events.envelope import SIGNED, Body, Event, digest_of, to_sign
from shared.events.jobs import (
    AnswerSuperseded,
    EndedBecause,
    FilesArrived,
    FilesMissed,
    JobCancelRequested,
    JobDied,
    JobGranted,
    JobQueued,
    LateResult,
    MessageSaid,
    PartSettled,
    QuestionAnswered,
    QuestionParked,
    SessionEnded,
    SessionOpened,
    TaskChanged,
    TaskCreated,
    TaskPurged,
)
from shared.events.requests import (
    SETTING_CHARS_MAX,
    AnswerGiven,
    CancelAsked,
    PurgeAsked,
    RequestRefused,
    RetryAsked,
    SettingChanged,
    TaskRequested,
)
from shared.events.schedules import ScheduleAsked, ScheduleChanged, ScheduleMissed, ScheduleRan

__all__ = [
    "KNOWN_TYPES",
    "LINES_MAX",
    "LINE_CHARS_MAX",
    "SETTING_CHARS_MAX",
    "SIGNED",
    "AccountLinked",
    "AnswerGiven",
    "AnswerSuperseded",
    "AttemptBody",
    "AttemptEventBody",
    "Body",
    "BrowserSignedIn",
    "BrowserSignedOut",
    "CancelAsked",
    "EndedBecause",
    "Event",
    "EventBody",
    "FilesArrived",
    "FilesMissed",
    "JobCancelRequested",
    "JobCancelled",
    "JobDied",
    "JobFailed",
    "JobGranted",
    "JobInterrupted",
    "JobLogged",
    "JobParked",
    "JobPlanned",
    "JobQueued",
    "JobResumed",
    "JobStarted",
    "JobSucceeded",
    "JoinRequested",
    "JoinSettled",
    "KeyMade",
    "KeyRevoked",
    "LateResult",
    "MessageSaid",
    "OwnEventBody",
    "PairingPaused",
    "PartSettled",
    "PersonAdmitted",
    "PersonLocked",
    "PersonUnlocked",
    "PurgeAsked",
    "QuestionAnswered",
    "QuestionAsked",
    "QuestionParked",
    "RequestEventBody",
    "RequestRefused",
    "RetryAsked",
    "RoleChanged",
    "ScheduleAsked",
    "ScheduleChanged",
    "ScheduleMissed",
    "ScheduleRan",
    "SessionEnded",
    "SessionOpened",
    "SettingChanged",
    "TaskChanged",
    "TaskCreated",
    "TaskPurged",
    "TaskRequested",
    "WebhookChanged",
    "WorkerBack",
    "WorkerLost",
    "WorkerMistrusted",
    "WorkerOffers",
    "WorkerPaired",
    "WorkerRevoked",
    "body_of",
    "digest_of",
    "to_sign",
    "write_event",
]

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
