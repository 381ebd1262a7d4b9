"""A real hub on loopback for the tests of its frontends, and a worker that does as it is told.

The worker speaks the real protocol over the real socket; only what a job does is up to the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hub.app import Hub, running
from hub.core.view import View
from hub.frontends.console_client import ChatClient, open_chat
from hub.frontends.console_frames import Answered, Fault, Message
from hub.settings import Settings
from shared.capabilities import Capability
from shared.environment import Environment, SystemClock
from shared.errors import AppError, ErrorBody
from shared.events import (
    AttemptEventBody,
    Event,
    JobCancelled,
    JobFailed,
    JobPlanned,
    JobStarted,
    JobSucceeded,
    OwnEventBody,
    QuestionAsked,
    RequestEventBody,
    write_event,
)
from shared.ids import JobId, QuestionId, WorkerId
from shared.kinds import JsonObject
from shared.messages import Accept, Cancel, Grant, Hello, Offer, Progress
from shared.plan import PlanStage, ShownPlan
from shared.protocol import Phase, WorkerEnd
from shared.questions import Asking
from tests.fresh_stores import lay_hub_store
from tests.pairing import Computer

WAIT_SECONDS = 60.0
"""For what takes a moment, on a machine that has much else to do."""
CAPABILITIES = tuple(
    Capability(kind=kind)
    for kind in ("ml.train", "ml.predict", "ml.models", "data.describe", "files.send")
)

CODING = tuple(Capability(kind=kind) for kind in ("code.bugfix", "code.review", "code.diff"))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for a condition, bounded."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - many sorts of conditions, none of which rings
            await asyncio.sleep(0.005)


class HastyClock(SystemClock):
    """The real time, and as much ahead of it as a test says."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_seconds


@dataclass(slots=True)
class PuppetWorker:
    """A paired machine whose jobs are played by the test."""

    worker_id: WorkerId
    token: str
    url: str
    name: str
    epoch: int = 0
    slots: int = 2
    capabilities: tuple[Capability, ...] = CAPABILITIES
    """What it says it can do, when it connects."""
    log: list[Event] = field(default_factory=list)
    grants: dict[JobId, Grant] = field(default_factory=dict)
    cancels: list[Cancel] = field(default_factory=list)
    _end: WorkerEnd | None = None
    _socket: ClientConnection | None = None

    @contextlib.asynccontextmanager
    async def online(self) -> AsyncIterator[PuppetWorker]:
        """Be connected inside the block."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            connect(self.url, additional_headers=headers, compression=None, proxy=None) as socket,
            asyncio.TaskGroup() as tasks,
        ):
            self._socket = socket
            self._end = WorkerEnd(hub_epoch="", hub_seq=0, outbox_seq=len(self.log), now=0)
            self._end.hello(
                Hello(
                    device=self.worker_id,
                    epoch=self.epoch,
                    name=self.name,
                    platform="Linux",
                    app_version="1",
                    capabilities=self.capabilities,
                    slots=self.slots,
                    outbox_seq=len(self.log),
                    hub_seq=0,
                )
            )
            await self._flush()
            listening = tasks.create_task(self._listen(socket, self._end))
            await until(lambda: self._end is not None and self._end.phase is Phase.OPEN)
            await self._push()
            try:
                yield self
            finally:
                listening.cancel()

    @property
    def acked(self) -> int:
        """How many of its events the hub has committed."""
        return self._end.acked_seq if self._end else 0

    async def grant_of(self, job_id: JobId) -> Grant:
        await until(lambda: job_id in self.grants)
        return self.grants[job_id]

    async def any_grant(self) -> Grant:
        """The newest grant there is, once there is one."""
        await until(lambda: bool(self.grants))
        return list(self.grants.values())[-1]

    async def starts(self, grant: Grant) -> None:
        await self._report(
            JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence)
        )

    async def asks(self, grant: Grant, asking: Asking, question_id: QuestionId) -> None:
        await self._report(
            QuestionAsked(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                question_id=question_id,
                asking=asking,
            )
        )

    async def plans(self, grant: Grant, stage: PlanStage, plan: ShownPlan) -> None:
        await self._report(
            JobPlanned(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                stage=stage,
                plan=plan,
            )
        )

    async def succeeds(self, grant: Grant, result: JsonObject) -> None:
        await self._report(
            JobSucceeded(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                result=result,
                running_seconds=1.0,
            )
        )

    async def fails(self, grant: Grant, error: ErrorBody) -> None:
        await self._report(
            JobFailed(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, error=error)
        )

    async def stops(self, grant: Grant) -> None:
        await self._report(
            JobCancelled(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence)
        )

    async def tells(self, grant: Grant, done: float, total: float = 10) -> None:
        """Tell progress."""
        assert self._end is not None
        self._end.send(
            Progress(
                job_id=grant.job_id,
                attempt=grant.attempt,
                stage="models",
                done=done,
                total=total,
            )
        )
        await self._flush()

    async def says(self, body: RequestEventBody) -> None:
        """Tell what its person asked for there."""
        self.writes(body)
        await self._push()

    async def _report(self, body: AttemptEventBody) -> None:
        self.writes(body)
        await self._push()

    def writes(self, body: OwnEventBody, *, minutes_ago: float = 0) -> None:
        """Journal an event; it is pushed with the next one, or on the next connection."""
        event = write_event(
            body,
            device=self.worker_id,
            epoch=self.epoch,
            seq=len(self.log) + 1,
            at=datetime.now(UTC) - timedelta(minutes=minutes_ago),
        )
        self.log.append(event)

    async def _push(self) -> None:
        assert self._end is not None
        waiting = self.log[self._end.next_seq - 1 :]
        if waiting and self._end.room:
            self._end.push(waiting)
        await self._flush()

    async def _listen(self, socket: ClientConnection, end: WorkerEnd) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                match end.receive(frame, 0):
                    case Offer() as offer:
                        end.send(Accept(job_id=offer.job.job_id, attempt=offer.attempt))
                    case Grant() as grant:
                        self.grants[grant.job_id] = grant
                    case Cancel() as cancel:
                        self.cancels.append(cancel)
                    case _:
                        pass
                await self._flush()

    async def _flush(self) -> None:
        assert self._end is not None
        assert self._socket is not None
        for frame in self._end.frames_to_send():
            await self._socket.send(frame)


@dataclass(slots=True)
class Chat:
    """A terminal that remembers all it was shown."""

    client: ChatClient
    shown: list[tuple[str, View]] = field(default_factory=list)
    """Ref and view of every message, in the order they came."""
    answered: set[str] = field(default_factory=set)
    faults: list[AppError] = field(default_factory=list)
    looked_at: int = 0

    @property
    def texts(self) -> list[str]:
        return [view.text for _, view in self.shown]

    @property
    def finals(self) -> list[View]:
        return [view for _, view in self.shown if view.final]

    async def say(self, text: str, words_id: str = "") -> list[View]:
        """Say something; the immediate answers to it."""
        words_id = words_id or uuid.uuid4().hex
        before = len(self.shown)
        self.answered.discard(words_id)
        await self.client.say(words_id, text)
        await until(lambda: words_id in self.answered)
        return [view for _, view in self.shown[before:]]

    async def view(self, is_it: Callable[[View], bool]) -> View:
        """The next view of that sort, shown already or still to come."""
        found: list[View] = []

        def look() -> bool:
            while self.looked_at < len(self.shown) and not found:
                view = self.shown[self.looked_at][1]
                self.looked_at += 1
                if is_it(view):
                    found.append(view)
            return bool(found)

        await until(look)
        return found[0]

    async def listen(self) -> None:
        with contextlib.suppress(AppError):
            while True:
                match await self.client.next():
                    case Message() as message:
                        self.shown.append((message.ref, message.view))
                        await self.client.seen(message)
                    case Answered(id=words_id):
                        self.answered.add(words_id)
                    case Fault(error=error):
                        self.faults.append(AppError.from_body(error))
                    case _:
                        pass


@dataclass(slots=True)
class World:
    """A running hub and its doors."""

    hub: Hub
    rest: httpx.AsyncClient
    around: dict[str, object] = field(default_factory=dict)
    """The servers of platforms that the hub talks to, by frontend."""

    @property
    def url(self) -> str:
        return self.hub.settings.local_url

    @property
    def admin_key(self) -> str:
        return self.hub.settings.admin_key_file.read_text().strip()

    async def pair(self, name: str = "anna-pc") -> PuppetWorker:
        """Pair a machine of the hub's owner."""
        owner = (await self.hub.services.registry.people())[0]
        computer = Computer(name, capabilities=CAPABILITIES)
        paired = await computer.pair(self.hub.services, owner.person_id)
        url = self.url.replace("http", "ws", 1) + "/api/v1/worker"
        return PuppetWorker(paired.worker_id, paired.token, url, name)

    @contextlib.asynccontextmanager
    async def chat(self, key: str = "") -> AsyncIterator[Chat]:
        """Sit at a terminal inside the block."""
        async with (
            open_chat(self.url, key or self.admin_key) as client,
            at_terminal(client) as chat,
        ):
            yield chat


@contextlib.asynccontextmanager
async def at_terminal(client: ChatClient) -> AsyncIterator[Chat]:
    """Read along inside the block."""
    async with asyncio.TaskGroup() as tasks:
        chat = Chat(client)
        listening = tasks.create_task(chat.listen())
        try:
            yield chat
        finally:
            listening.cancel()


@contextlib.asynccontextmanager
async def open_world(
    folder: Path, environment: Environment | None = None, *, port: int = 0, **more: Any
) -> AsyncIterator[World]:
    """Run a hub with its data in a folder; `more` settings are those of `hub.settings`."""
    settings = Settings.model_validate({"host": "127.0.0.1", "port": port, "data": folder, **more})
    lay_hub_store(folder)
    async with running(settings, environment) as hub:
        headers = {"Authorization": f"Bearer {hub.settings.admin_key_file.read_text().strip()}"}
        url = f"{hub.settings.local_url}/api/v1"
        # Plain HTTP: the certificates that a client reads otherwise cost it 30 ms.
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, verify=False, timeout=WAIT_SECONDS
        ) as rest:
            yield World(hub, rest)
