"""A worker: a paired machine, whether it is here, and the hub's verdict on what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from hub.core.job import Life, is_held_by, may_adopt, may_readopt
from shared.capabilities import Capability, family_of
from shared.fleet import FLEET_PLATFORM
from shared.ids import PersonId, WorkerId
from shared.jobs import JobState, Origin
from shared.messages import Decision, Held, HeldState, Metrics, Verdict

GONE_SECONDS = 5.0
"""How long a closed socket may take to come back before idempotent work goes elsewhere."""
PULL_SILENT_SECONDS = 45.0
"""How long a worker that fetches its work has to call again after the hub itself was away."""
ABLE_MAX = 512
"""Sets of capabilities kept to be shared: most machines are set up like some other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A paired machine, as registered."""

    worker_id: WorkerId
    person_id: PersonId
    name: str
    platform: str
    app_version: str
    capabilities: tuple[Capability, ...]
    paired_at: datetime
    last_seen_at: datetime
    is_paused: bool = False
    """A person asked the hub to send it nothing new."""
    is_revoked: bool = False
    public_key: bytes = b""
    """Ed25519; empty for a machine that paired before there were keys."""
    pull_slots: int = 0
    """How many jobs a worker may have in hand that fetches them over REST; 0 for a machine."""

    @property
    def pulls(self) -> bool:
        """Whether it fetches its work, and the hub writes its log for it."""
        return self.pull_slots > 0

    @property
    def is_fleet(self) -> bool:
        """Whether it stands for the fleet: all nodes, as one worker of its person's."""
        return self.pulls and self.platform == FLEET_PLATFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class Able:
    """What a worker can do; workers that can do the same share one."""

    capabilities: tuple[Capability, ...]
    kinds: frozenset[str]
    limits: Mapping[str, int]
    unasked: Mapping[str, tuple[Origin, ...]]


@lru_cache(maxsize=ABLE_MAX)
def able_to(capabilities: tuple[Capability, ...]) -> Able:
    """Find who can do the same, or begin anew."""
    return Able(
        capabilities=capabilities,
        kinds=frozenset(one.kind for one in capabilities),
        limits=MappingProxyType(
            {family_of(one.kind): one.jobs_max for one in capabilities if one.jobs_max is not None}
        ),
        unasked=MappingProxyType({one.kind: one.unasked for one in capabilities if one.unasked}),
    )


@dataclass(slots=True, kw_only=True)
class Presence:
    """A worker that is connected now; kept in memory."""

    worker_id: WorkerId
    person_id: PersonId
    name: str
    capabilities: tuple[Capability, ...]
    slots: int
    is_paused: bool = False
    last_seen_at: datetime
    metrics: Metrics | None = None
    kinds: frozenset[str] = field(init=False)
    claims: list[frozenset[str]] | None = None
    """Of a worker that fetches its work: the kinds of each fetch that waits now, for it takes
    nothing unasked. None for a machine, which is offered what it has room for."""
    is_fleet: bool = False
    """It stands for the fleet, which is asked when none of a person's own has room, and never for
    what is to stay at home. Each job takes a slot of it, whatever its kind."""
    limits: Mapping[str, int] = field(init=False)
    """How many jobs it runs at once of a family of kinds, where that is not up to its slots."""
    unasked: Mapping[str, tuple[Origin, ...]] = field(init=False)
    """From where jobs may come that it takes without an offer, by their kinds."""
    asks_first: bool = False
    """It gave such a job back: until it says yes to an offer, it is asked about each."""

    def __post_init__(self) -> None:
        able = able_to(self.capabilities)
        self.capabilities, self.kinds, self.limits = able.capabilities, able.kinds, able.limits
        self.unasked = able.unasked

    def takes_unasked(self, kind: str, origin: Origin) -> bool:
        """Say whether a job may be granted to it without an offer; a machine's word alone."""
        is_machine = self.claims is None and not self.is_fleet
        return is_machine and not self.asks_first and origin in self.unasked.get(kind, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCard:
    """All that its person may read of a worker."""

    worker: Worker
    is_online: bool
    slots: int
    """0 while offline or paused on the machine itself."""
    working: int
    """Attempts that take a slot now."""
    asking: int
    """Attempts there that wait for a person."""
    light: int = 0
    """Attempts that run there and take no slot, parts of others left out."""
    metrics: Metrics | None

    @property
    def worker_id(self) -> WorkerId:
        return self.worker.worker_id

    @property
    def name(self) -> str:
        return self.worker.name

    @property
    def last_seen_at(self) -> datetime:
        return self.worker.last_seen_at

    @property
    def free(self) -> int:
        """Slots that could take a job now."""
        taken = self.running if self.worker.pulls else self.working
        return 0 if self.worker.is_paused else max(0, self.slots - taken)

    @property
    def running(self) -> int:
        """Jobs that are worked on there now."""
        return self.working + self.light


def verdict(
    life: Life | None, held: Held, worker_id: WorkerId, *, is_telling: bool = False
) -> Verdict:
    """Answer one entry of a worker's inventory.

    Args:
        life: of the job as stored; None when it is unknown, or another person's.
        held: what the worker told.
        worker_id: who told it.
        is_telling: its log goes on beyond what was taken in, and may tell how it came by the job.
    """
    if held.state is HeldState.ENDED:
        # Its outcome is in the outbox; the recorder judges it when it comes.
        return _say(held, Decision.KEEP)
    if is_telling and held.fence > 0 and (life is None or may_adopt(life, held.fence)):
        return _say(held, Decision.KEEP)
    if life is None:
        return _drop(held, "The hub does not know this job.")
    if held.state is HeldState.ACCEPTED:
        return _accepted(life, held, worker_id)
    if is_held_by(life, worker_id, held.attempt, held.fence):
        if life.cancel_by:
            return _say(held, Decision.ABORT, f"Cancelled by {life.cancel_by}.")
        return _say(held, Decision.KEEP)
    if may_readopt(life, worker_id, held.attempt, held.fence):
        return _say(held, Decision.KEEP)
    return _drop(held, "The job has moved on.")


def _accepted(life: Life, held: Held, worker_id: WorkerId) -> Verdict:
    is_granted = is_held_by(life, worker_id, held.attempt, life.fence)
    if not is_granted or life.state is not JobState.GRANTED or life.cancel_by:
        return _say(held, Decision.FORGET, "The offer is no longer yours.")
    return Verdict(
        job_id=held.job_id, attempt=held.attempt, decision=Decision.GRANT, fence=life.fence
    )


def _drop(held: Held, reason: str) -> Verdict:
    has_started = held.state in (HeldState.RUNNING, HeldState.ASKING)
    return _say(held, Decision.ABORT if has_started else Decision.FORGET, reason)


def _say(held: Held, decision: Decision, reason: str = "") -> Verdict:
    return Verdict(job_id=held.job_id, attempt=held.attempt, decision=decision, reason=reason)
