"""The messages on the wire between a worker and its hub (protocol version 1).

worker → hub: hello, push, seen, accept, decline, progress, beat, pull, error, bye
hub → worker: welcome, ack, pull, events, offer, grant, cancel, beat, error, bye

Messages carry no state of their own: what must survive is an event (push, events), and what a
side holds is told again as inventory (hello, welcome, beat).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.capabilities import CAPABILITIES_MAX, Capability, Lacking
from shared.errors import ErrorBody
from shared.events import Event
from shared.ids import COUNT_MAX, JobId, WorkerId
from shared.jobs import JobSpec

PROTOCOL_MIN = 1
PROTOCOL_MAX = 1
BATCH_EVENTS_MAX = 100
HELD_MAX = 1000
LINEAGE_MAX = 100
NAME_CHARS_MAX = 100
ZONE_CHARS_MAX = 64


class Wire(BaseModel):
    # JSON knows no infinity: what came in as one could not be told on.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class HeldState(StrEnum):
    """How far an attempt has come on the worker that tells its inventory."""

    ACCEPTED = "accepted"
    """Said yes to the offer; will not start without a grant."""
    GRANTED = "granted"
    """Has the grant; has not journalled a start."""
    RUNNING = "running"
    ASKING = "asking"
    ENDED = "ended"
    """Its outcome stands in the outbox and is not acknowledged yet."""


class Held(Wire):
    """One attempt in a worker's hands."""

    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    fence: int = Field(default=0, ge=0, le=COUNT_MAX)
    """0 while there is no grant."""
    state: HeldState


class Decision(StrEnum):
    KEEP = "keep"
    """Go on."""
    GRANT = "grant"
    """The grant was lost on the way: here it is again; start."""
    ABORT = "abort"
    """Stop it, whole tree; report that it ended."""
    FORGET = "forget"
    """The offer is no longer yours and nothing has started: drop it without a word."""


class Verdict(Wire):
    """The hub's word on one held attempt."""

    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    decision: Decision
    fence: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Of a grant."""
    reason: str = Field(default="", max_length=400)


class Metrics(Wire):
    """How the machine is doing; kept in memory by the hub, never stored."""

    cpu_share: float = Field(ge=0)
    """0..1 of all cores, since the last beat."""
    memory_used_bytes: int = Field(ge=0, le=COUNT_MAX)
    memory_total_bytes: int = Field(ge=0, le=COUNT_MAX)
    disk_free_bytes: int = Field(ge=0, le=COUNT_MAX)
    battery_share: float | None = Field(default=None, ge=0, le=1)
    """None without a battery."""


class Hello(Wire):
    """First frame of a worker."""

    type: Literal["hello"] = "hello"
    protocol_min: int = PROTOCOL_MIN
    protocol_max: int = PROTOCOL_MAX
    device: WorkerId
    epoch: int = Field(ge=0, le=COUNT_MAX)
    name: str = Field(max_length=NAME_CHARS_MAX)
    platform: str = Field(default="", max_length=NAME_CHARS_MAX)
    app_version: str = Field(default="", max_length=40)
    capabilities: tuple[Capability, ...] = Field(max_length=CAPABILITIES_MAX)
    lacking: tuple[Lacking, ...] = Field(default=(), max_length=CAPABILITIES_MAX)
    """Kinds it could run with more tools."""
    zone: str = Field(default="", max_length=ZONE_CHARS_MAX)
    """IANA name of the machine's time zone ("Europe/Vienna"); empty when not known."""
    slots: int = Field(ge=0, le=1000)
    """How many jobs may run at once here; 0 while paused."""
    outbox_seq: int = Field(ge=0, le=COUNT_MAX)
    """The highest event number this device has written in this epoch."""
    hub_epoch: str = Field(default="", max_length=64)
    """The hub epoch its cursor belongs to; empty before the first welcome."""
    hub_seq: int = Field(ge=0, le=COUNT_MAX)
    """It has applied the hub's events up to here."""
    held: tuple[Held, ...] = Field(default=(), max_length=HELD_MAX)


class Limits(Wire):
    """What this hub allows on this connection."""

    frame_bytes_max: int = Field(gt=0)
    batch_events_max: int = Field(gt=0)
    beat_seconds: float = Field(gt=0)
    dead_seconds: float = Field(gt=0)


class EpochBefore(Wire):
    """A life of the hub's store that ended when it was restored from a backup."""

    hub_epoch: str = Field(max_length=64)
    upto: int = Field(ge=0, le=COUNT_MAX)
    """What it numbered up to here is part of the present log, too; what came after is lost to the
    hub, and the numbers after it mean other events now."""


class Welcome(Wire):
    """The hub's answer to hello."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    hub_epoch: str = Field(max_length=64)
    """Changes when the hub was restored from a backup."""
    lineage: tuple[EpochBefore, ...] = Field(default=(), max_length=LINEAGE_MAX)
    """Earlier lives of this hub's store, the last one first."""
    acked_seq: int = Field(ge=0, le=COUNT_MAX)
    """The hub has committed this device's events up to here."""
    acked_digest: str = Field(default="", max_length=64)
    """Of the event with that number, as the hub has it; empty when it keeps none. A device whose
    own event of that number is another one has a store that was copied or restored."""
    hub_seq: int = Field(default=0, ge=0, le=COUNT_MAX)
    """Where the hub's log ends now: a worker that is far behind fetches a snapshot."""
    time: datetime
    limits: Limits
    verdicts: tuple[Verdict, ...] = Field(default=(), max_length=HELD_MAX)


class Push(Wire):
    """Events of the sender's own log, in order."""

    type: Literal["push"] = "push"
    events: tuple[Event, ...] = Field(min_length=1, max_length=BATCH_EVENTS_MAX)


class Ack(Wire):
    """Committed up to and including this number."""

    type: Literal["ack"] = "ack"
    seq: int = Field(ge=0, le=COUNT_MAX)


class Pull(Wire):
    """There is a gap: send again, starting after this number."""

    type: Literal["pull"] = "pull"
    after: int = Field(ge=0, le=COUNT_MAX)


class Numbered(Wire):
    """An event with its place in the hub's total order."""

    hub_seq: int = Field(ge=1, le=COUNT_MAX)
    hlc: int = Field(default=0, ge=0, le=COUNT_MAX)
    """The event's stamp as every device has it: clamped by the hub when it came."""
    event: Event


class Events(Wire):
    """The next stretch of the hub's log that concerns this worker's person.

    Numbers between `after` and `upto` that are missing concern somebody else.
    """

    type: Literal["events"] = "events"
    after: int = Field(ge=0, le=COUNT_MAX)
    upto: int = Field(ge=1, le=COUNT_MAX)
    events: tuple[Numbered, ...] = Field(max_length=BATCH_EVENTS_MAX)


class Seen(Wire):
    """The worker has committed the hub's events up to here."""

    type: Literal["seen"] = "seen"
    hub_seq: int = Field(ge=0, le=COUNT_MAX)


class Offer(Wire):
    """Would you run this? Nothing may start yet."""

    type: Literal["offer"] = "offer"
    job: JobSpec
    attempt: int = Field(ge=1, le=COUNT_MAX)
    expires_in_seconds: float = Field(gt=0)
    """Counted by each side's own monotonic clock from sending or receiving."""


class Accept(Wire):
    type: Literal["accept"] = "accept"
    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)


class Decline(Wire):
    """No, and why. A `retryable` error means "not now", any other "not this worker".

    To a grant that was not asked for: nothing of it has begun, and nothing will.
    """

    type: Literal["decline"] = "decline"
    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    error: ErrorBody


class Grant(Wire):
    """Committed on the hub: this worker, and no other, may run this attempt."""

    type: Literal["grant"] = "grant"
    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    fence: int = Field(ge=1, le=COUNT_MAX)
    """Grows with every grant of a job; an outcome with an older fence is a late result."""
    job: JobSpec | None = Field(default=None, exclude_if=lambda job: job is None)
    """What is to be run, where the worker was not asked before (`Capability.unasked`)."""


class Cancel(Wire):
    type: Literal["cancel"] = "cancel"
    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    reason: str = Field(default="", max_length=400)


class Progress(Wire):
    """How far an attempt is. Transient: may be lost, is never stored, the newest counts."""

    type: Literal["progress"] = "progress"
    job_id: JobId
    attempt: int = Field(ge=1, le=COUNT_MAX)
    stage: str = Field(max_length=200)
    done: float = Field(ge=0)
    total: float = Field(ge=0)
    """0 when unknown."""
    eta_seconds: float | None = Field(default=None, ge=0)


class Beat(Wire):
    """I am here; from a worker also: this is what I hold, and how I am."""

    type: Literal["beat"] = "beat"
    held: tuple[Held, ...] = Field(default=(), max_length=HELD_MAX)
    slots: int | None = Field(default=None, ge=0, le=1000)
    metrics: Metrics | None = None


class Fault(Wire):
    """The last frame could not be used. The sender decides whether to go on."""

    type: Literal["error"] = "error"
    error: ErrorBody


class Bye(Wire):
    """The sender closes on purpose."""

    type: Literal["bye"] = "bye"
    error: ErrorBody | None = None
    """None for an ordinary goodbye."""


FromWorker = Hello | Push | Seen | Accept | Decline | Progress | Beat | Pull | Fault | Bye
FromHub = Welcome | Ack | Pull | Events | Offer | Grant | Cancel | Beat | Fault | Bye
Message = FromWorker | FromHub

FromWorkerFrame = Annotated[FromWorker, Field(discriminator="type")]
FromHubFrame = Annotated[FromHub, Field(discriminator="type")]
