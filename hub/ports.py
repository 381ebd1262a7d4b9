"""Every seam of the hub on one page: what services expect of the edges, and edges of services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from hub.core.access import Access
from hub.core.fleet_calls import FleetNode, FleetSeen, NodeBeat, NodeHeard
from hub.core.pool import Instance, Pool
from hub.core.pull import Claimed, Heard
from hub.core.pull import Grant as Held
from hub.core.question import Question
from hub.core.view import FrontendCapabilities, Inbound, Sender, View
from shared.environment import Environment
from shared.events import AttemptEventBody, JobLogged
from shared.ids import ConversationId, JobId, PersonId, QuestionId, WorkerId
from shared.jobs import JobSpec
from shared.messages import Cancel, Grant, Metrics, Offer, Progress
from shared.questions import Asking


class Engine(Protocol):
    """A way to carry jobs to workers. The dispatcher is its only caller."""

    name: str

    def connected(self) -> frozenset[WorkerId]:
        """The workers this engine can reach now."""

    def send(self, worker_id: WorkerId, message: Offer | Grant | Cancel) -> bool:
        """Hand over a message; False when the worker is not reachable now.

        Never waits. True does not mean delivered: what matters is repeated by inventory.
        """


class Pulling(Protocol):
    """What workers call for that fetch their work over REST; each call says who it is by its key.

    All raise NotAllowed (`key_scope`) for the key of anything else, and NotFound
    (`worker_unknown`).
    """

    async def claim(
        self, access: Access, kinds: frozenset[str] | None, wait_seconds: float
    ) -> Claimed | None:
        """Fetch a job of one of the kinds; None when there was none in time."""

    async def give_back(self, access: Access, claimed: Claimed) -> None:
        """Queue a job again whose answer never left the hub."""

    async def heartbeat(
        self, access: Access, held: tuple[Held, ...], slots: int | None, metrics: Metrics | None
    ) -> Heard:
        """Note that a worker is here and all that it has; what it is to stop."""

    async def progress(self, access: Access, held: Held, progress: Progress) -> str:
        """Pass on how far a job is; why it is to stop, or nothing."""

    async def report(self, access: Access, body: AttemptEventBody) -> str:
        """Take in what a worker tells of its attempt."""

    async def log(self, access: Access, body: JobLogged) -> str:
        """Take lines in; why the job is to stop, or nothing."""

    async def ask(self, access: Access, held: Held, asking: Asking) -> QuestionId:
        """Ask a person."""

    async def question(
        self, access: Access, question_id: QuestionId, wait_seconds: float
    ) -> Question:
        """Wait for the answer to a question of this worker's; once it is there, its job goes on."""


class FleetCalls(Protocol):
    """What nodes of the fleet call, and what is told of it; the routes have checked the key.

    While no broker is set, what nodes report is answered with Conflict (`fleet_off`).
    """

    async def start(self, held: Held, node: str, delivery: str) -> JobSpec:
        """Commit that a delivery has begun, and no other; asked again it hears the same.

        Raises:
            Conflict: `fence_stale`, the ticket is to be dropped.
        """

    async def beat(self, node: NodeBeat) -> NodeHeard:
        """Note that a node is here, and all that it has; what it is to stop."""

    async def tell(self, delivery: str, number: int, body: AttemptEventBody) -> str:
        """Take in what a node tells, once for each number; why the job is to stop, or nothing.

        Raises:
            NotFound: `job_unknown`, no node ever had this grant.
            Conflict: `fence_stale`; an outcome is kept as a late result.
            BadInput: `result_invalid`, `event_too_large`; nothing has changed.
        """

    async def progress(self, held: Held, progress: Progress) -> str:
        """Pass on how far a job is; why it is to stop, or nothing.

        Raises:
            Conflict: `fence_stale`.
        """

    async def question(self, question_id: QuestionId, wait_seconds: float) -> Question:
        """Wait for the answer to a question that the fleet has asked.

        Raises:
            NotFound: `question_unknown`.
        """

    async def look(self) -> FleetSeen:
        """Look at the broker, the queues and the nodes."""

    async def drain(self, node: str) -> FleetNode:
        """Let a node take nothing new; it hears of it at its next beat. Idempotent.

        Raises:
            NotFound: `fleet_node_unknown`.
        """


Inbox = Callable[[Inbound], Awaitable[tuple[View, ...]]]
"""Where frontends put what people say; the views are the immediate answer to it.

With `Inbound.answer_waits` it returns nothing, and raises AppError when the store cannot be
written: what was said is then not noted as heard, and should be handed in again.
"""


class HealthState(StrEnum):
    OK = "ok"
    STARTING = "starting"
    TROUBLED = "troubled"
    """Working on it: will try again by itself."""
    FAILED = "failed"
    """Its work ended by a fault: whoever runs it starts it again."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    state: HealthState
    since: datetime
    error: str = ""
    hint: str = ""
    """What the operator can do."""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Names a rendered message within its frontend, so that it can be edited."""

    value: str


class Taps(Protocol):
    """Short names for what buttons say, for platforms that carry only a few bytes per button."""

    async def names(self, conversation: ConversationId, says: Sequence[str]) -> tuple[str, ...]:
        """Name what each button says: up to 64 bytes of [A-Za-z0-9_-], the same every time.

        The name is committed before this returns, and bound to the conversation.
        """

    async def said(self, conversation: ConversationId, name: str) -> str | None:
        """What a name stands for; None when it is unknown here, or too old."""


class Files(Protocol):
    """Files on their way from a worker to the person who asked for them."""

    async def path(self, sha256: str) -> Path:
        """Where the content lies on the hub's disk until it was sent.

        Raises:
            NotFound: `file_gone`. Views name a file only once it is here.
        """


async def nobody(sender: Sender) -> bool:
    """Know nobody."""
    del sender
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontendSetup:
    """What the hub gives a frontend when it makes one.

    Third parties register a function `(FrontendSetup) -> Frontend | None` under the entry-point
    group `deskhand.frontends`; None when it is not configured. The entry point's name is the
    frontend's name and the first part of its conversations' ids. The function is called in a
    thread of its own, without a running loop, and again after each failure.
    """

    environment: Environment
    hub_name: str
    hub_url: str
    """As told to people."""
    settings: Mapping[str, str] = field(repr=False)
    """The variables HUB_<NAME>_*, without that prefix, in lower case: {"token": "…"}."""
    folder: Path
    """The frontend's own, for what it has to keep; made when first used."""
    taps: Taps
    files: Files
    arrived: Callable[[ConversationId], None]
    """To be called when a conversation can be reached again."""
    knows: Callable[[Sender], Awaitable[bool]] = nobody
    """Whether an account speaks for a person of this hub, where a platform has to know that
    before anything is said: whose invitations to accept."""


class Frontend(Protocol):
    """Anything people talk or look through.

    One that serves HTTP itself (a webhook) may have an attribute `asgi`, a mapping of paths
    outside of /api/ to ASGI applications; a path that ends with "/" stands for all below it.
    """

    name: str
    capabilities: FrontendCapabilities

    async def start(self, inbox: Inbox) -> None:
        """Begin to listen; returns once it does."""

    async def stop(self) -> None:
        """Stop listening; idempotent."""

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        """Show a view, in place of an earlier message when `replace` names one.

        Raises:
            AppError: retryable when trying again may help (`retry_after_seconds`).
        """

    def status(self) -> Health:
        """How it is doing, with a hint when something is wrong."""


ProgressListener = Callable[[JobId, WorkerId, Progress], None]
"""Told of transient progress; must not wait."""

NewsListener = Callable[[PersonId, str], None]
"""Told whose pages should look again at what; must not wait."""


class FleetHost(Protocol):
    """Where nodes are started and stopped. Each call may be repeated after a failure."""

    name: str

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        """All of a pool that are there; those that have ended are left out."""

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        """Start that many more; return their names.

        Raises:
            AppError: `host_unreachable`, `host_refused`; retryable when trying again may help.
        """

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        """End those that were drained: the polite signal first, with time to finish.

        One that is gone already is no error.
        """

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
