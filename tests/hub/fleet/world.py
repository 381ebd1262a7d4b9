"""A real hub with a real broker, and nodes that do as a test says: they take, ask, and tell."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from kombu import Connection

from hub.app import Hub, running
from hub.core.access import Person, Scope
from hub.core.job import JobCard
from hub.core.worker import Worker
from hub.services.requests import Request
from hub.settings import Settings
from shared.api.fleet import (
    AttemptStarted,
    FleetBeat,
    FleetEvent,
    FleetHeard,
    HeldAttempt,
    StartAttempt,
)
from shared.api.fleet_client import FleetClient
from shared.api.queue import Told
from shared.environment import Environment
from shared.events import (
    JobCancelled,
    JobFailed,
    JobLogged,
    JobParked,
    JobResumed,
    JobSucceeded,
    QuestionAsked,
)
from shared.fleet import Ticket
from shared.ids import JobId, PersonId
from shared.jobs import JobState
from shared.kinds import Kind
from tests.fresh_stores import lay_hub_store
from tests.hub.frontends.world import HastyClock, until
from tests.makers import KINDS, PROBE, PUSH

Report = (
    JobLogged | QuestionAsked | JobResumed | JobParked | JobSucceeded | JobFailed | JobCancelled
)
WAIT_SECONDS = 20.0
RUN = replace(PROBE, is_for_fleet=True, home_inputs=("branch",))
"""Harmless twice."""
WRITE = replace(PUSH, is_for_fleet=True, timeout_seconds=60)
"""Not harmless twice."""
FLEET_KINDS: Mapping[str, Kind] = {**KINDS, RUN.name: RUN, WRITE.name: WRITE}
NAMES = f"{RUN.name},{WRITE.name}"


@dataclass(slots=True)
class Node:
    """A node whose every step is a test's."""

    name: str
    broker: str
    client: FleetClient
    instance: str = "box"
    numbers: dict[str, int] = field(default_factory=dict)
    """By delivery: the last report's."""

    async def take(self, queue: str, wait_seconds: float = WAIT_SECONDS) -> Ticket:
        """Take the next message of a queue, and acknowledge it."""
        tickets = await asyncio.to_thread(taken, self.broker, queue, wait_seconds)
        assert len(tickets) == 1, f"nothing came in {queue}"
        return tickets[0]

    async def start(self, ticket: Ticket, delivery: str = "") -> tuple[AttemptStarted, str]:
        """Ask to begin; what is to be done, and the delivery's name."""
        delivery = delivery or uuid.uuid4().hex
        start = StartAttempt(
            attempt=ticket.attempt, fence=ticket.fence, node=self.name, delivery=delivery
        )
        return await asyncio.to_thread(self.client.start_attempt, ticket.job_id, start), delivery

    async def tell(self, delivery: str, event: Report, number: int | None = None) -> Told:
        """Report, under the next number unless another is said."""
        number = self.numbers.get(delivery, 0) + 1 if number is None else number
        self.numbers[delivery] = number
        told = FleetEvent(delivery=delivery, number=number, event=event)
        return await asyncio.to_thread(self.client.tell_attempt, event.job_id, told)

    async def succeed(self, ticket: Ticket, delivery: str) -> Told:
        return await self.tell(delivery, done(ticket))

    async def beat(self, *held: Ticket, is_draining: bool = False) -> FleetHeard:
        beat = FleetBeat(
            node=self.name,
            instance=self.instance,
            kinds=(RUN.name, WRITE.name),
            slots=2,
            held=tuple(
                HeldAttempt(job_id=one.job_id, attempt=one.attempt, fence=one.fence) for one in held
            ),
            is_draining=is_draining,
        )
        return await asyncio.to_thread(self.client.beat_fleet, beat)


def done(ticket: Ticket) -> JobSucceeded:
    return JobSucceeded(
        job_id=ticket.job_id,
        attempt=ticket.attempt,
        fence=ticket.fence,
        result={"headline": "Done."},
        running_seconds=0.1,
    )


def taken(broker: str, queue: str, wait_seconds: float, count: int = 1) -> list[Ticket]:
    """Take up to so many messages of a queue, as Celery writes them."""
    tickets: list[Ticket] = []
    with Connection(broker, connect_timeout=5) as line, line.SimpleQueue(queue) as waiting:
        while len(tickets) < count:
            try:
                message = waiting.get(timeout=wait_seconds)
            except waiting.Empty:
                break
            ticket = Ticket.model_validate(message.payload[1])
            assert message.headers["id"] == ticket.task_id
            assert message.headers["task"] == ticket.task
            tickets.append(ticket)
            message.ack()
    return tickets


@dataclass(slots=True)
class FleetWorld:
    hub: Hub
    owner: Person
    rest: httpx.AsyncClient
    """With the operator's key."""
    broker: str
    key: str
    clock: HastyClock

    def node(self, name: str = "node-1") -> Node:
        return Node(name, self.broker, FleetClient(self.hub.settings.local_url, self.key))

    async def ask(
        self, kind: str = RUN.name, person_id: PersonId | None = None, **more: Any
    ) -> JobCard:
        request = Request(person_id=person_id or self.owner.person_id, kind=kind, **more)
        return (await self.hub.services.intake.request(request)).card

    async def card(self, job_id: JobId, person_id: PersonId | None = None) -> JobCard:
        return await self.hub.services.views.job(person_id or self.owner.person_id, job_id)

    async def state(self, job_id: JobId) -> JobState:
        return (await self.card(job_id)).state

    async def becomes(self, job_id: JobId, state: JobState) -> JobCard:
        """Wait for a job to be in a state."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (card := await self.card(job_id)).state is not state:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return card

    async def fleet(self, person_id: PersonId | None = None) -> Worker | None:
        """The worker that stands for the fleet for somebody."""
        cards = await self.hub.services.views.workers(person_id or self.owner.person_id)
        return next((card.worker for card in cards if card.worker.is_fleet), None)

    def pass_time(self, seconds: float) -> None:
        """Let the hub believe that time has passed."""
        self.clock.ahead_seconds += seconds

    @property
    def is_broker_up(self) -> bool:
        assert self.hub.fleet is not None
        return bool(self.hub.fleet.connected())

    async def until_up(self, *, is_up: bool = True) -> None:
        await until(lambda: self.is_broker_up is is_up)

    async def waits(self, is_so: Callable[[], bool]) -> None:
        await until(is_so)


@contextlib.asynccontextmanager
async def fleet_world(
    folder: Path,
    broker: str,
    *,
    kinds: str = NAMES,
    people: str = "",
    clock: HastyClock | None = None,
) -> AsyncIterator[FleetWorld]:
    """Run a hub with a fleet for a block; the broker is somebody else's."""
    clock = clock or HastyClock()
    settings = Settings.model_validate(
        {
            "host": "127.0.0.1",
            "port": 0,
            "data": folder,
            "fleet_broker": broker,
            "fleet_kinds": kinds,
            "fleet_people": people,
        }
    )
    lay_hub_store(folder)
    async with running(settings, Environment(clock=clock), FLEET_KINDS) as hub:
        owner = (await hub.services.registry.people())[0]
        headers = {"Authorization": f"Bearer {hub.settings.admin_key_file.read_text().strip()}"}
        url = f"{hub.settings.local_url}/api/v1"
        key = await hub.services.keys.issue(owner.person_id, Scope.FLEET)
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, verify=False, timeout=WAIT_SECONDS
        ) as rest:
            yield FleetWorld(hub, owner, rest, broker, key, clock)
