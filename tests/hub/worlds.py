"""A hub without its sockets, and desks (workers) that talk to its services."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.core.access import Person
from hub.core.board import Board
from hub.core.job import Job, JobCard
from hub.core.webhook_target import NOWHERE, Allowed
from hub.frontends.scheduled import read_words
from hub.services import Services
from hub.services.absences import Absences
from hub.services.admissions import Admissions
from hub.services.chats import Chats
from hub.services.chronicle import Chronicle
from hub.services.deeds import Deeds
from hub.services.dispatcher import Dispatcher
from hub.services.feed import Feed
from hub.services.files import Files
from hub.services.fleet import Fleet
from hub.services.gauge import Gauge
from hub.services.intake import Intake
from hub.services.keys import Keys
from hub.services.machines import Machines
from hub.services.once import Once
from hub.services.pairing import Pairing
from hub.services.pullers import Pullers
from hub.services.recorder import Recorded, Recorder
from hub.services.registry import Registry
from hub.services.requests import Request
from hub.services.rescuer import Rescuer
from hub.services.runs import Runs
from hub.services.schedule_deeds import ScheduleDeeds
from hub.services.schedule_steps import ReadWords
from hub.services.schedules import Schedules
from hub.services.sessions import Sessions
from hub.services.sign_ins import SignIns
from hub.services.views import Views
from hub.services.webhook_lanes import WebhookLanes
from hub.services.webhooks import Webhooks
from hub.store import queue
from hub.store.database import CARE, open_store
from hub.store.ledger import Ledger
from shared.capabilities import Capability, Lacking
from shared.events import Event, EventBody, write_event
from shared.ids import JobId, PersonId, WorkerId
from shared.messages import (
    Accept,
    Cancel,
    Decline,
    Grant,
    Held,
    HeldState,
    Hello,
    Offer,
    Verdict,
)
from shared.store_file import Care
from tests.fresh_stores import lay_hub_store
from tests.makers import ABLE, KINDS, LASTING, PASSING, HandClock, hand_environment
from tests.pairing import Computer

HUB_ZONE = "Europe/Vienna"
Carried = Offer | Grant | Cancel


class PigeonHoles:
    """An Engine that keeps what is sent until a desk fetches it."""

    name = "pigeon holes"

    def __init__(self) -> None:
        self.holes: dict[WorkerId, list[Carried]] = {}

    def connected(self) -> frozenset[WorkerId]:
        return frozenset(self.holes)

    def send(self, worker_id: WorkerId, message: Carried) -> bool:
        if worker_id not in self.holes:
            return False
        self.holes[worker_id].append(message)
        return True


@dataclass
class World:
    """Services on a real store, with a clock set by hand."""

    folder: Path
    care: Care = CARE
    allowed: Allowed = NOWHERE
    """Where webhooks may go beside the internet."""
    read_words: ReadWords = read_words
    """How schedules read what they say."""
    clock: HandClock = field(init=False)
    engine: PigeonHoles = field(init=False)
    services: Services = field(init=False)
    board: Board = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.environment, self.clock = hand_environment()
        self._open()

    def _open(self) -> None:
        if self.care is CARE:
            lay_hub_store(self.folder)
        self.database = open_store(self.folder, care=self.care)
        self.ledger = ledger = Ledger(self.database, self.environment)
        self.board = board = Board()
        self.engine = PigeonHoles()
        keys = Keys(ledger)
        registry = Registry(ledger, board)
        pairing = Pairing(ledger, b"pepper")
        registry.revocation_listeners.append(keys.forget_worker)
        pairing.token_listeners.append(keys.forget)
        feed = Feed(ledger)
        doing = Deeds(ledger.environment, board, KINDS)
        scheduling = ScheduleDeeds(ledger.environment, doing, self.read_words, hub_zone=HUB_ZONE)
        recorder = Recorder(ledger, board, KINDS, scheduling)
        dispatcher = Dispatcher(ledger, board)
        self.services = Services(
            feed=feed,
            intake=Intake(ledger, board, KINDS, dispatcher.stir),
            once=Once(ledger, b"pepper"),
            views=Views(ledger, board),
            keys=keys,
            pairing=pairing,
            admissions=Admissions(ledger),
            sign_ins=SignIns(ledger),
            registry=registry,
            pullers=Pullers(ledger, board, KINDS),
            dispatcher=dispatcher,
            recorder=recorder,
            fleet=Fleet(ledger, board, KINDS, recorder),
            rescuer=Rescuer(ledger, board, KINDS),
            absences=Absences(ledger, board),
            sessions=Sessions(ledger),
            schedules=Schedules(ledger, scheduling),
            runs=Runs(ledger, feed),
            files=Files(ledger, self.folder / "files"),
            chats=Chats(ledger),
            machines=Machines(ledger, board),
            gauge=Gauge(ledger, board),
            chronicle=Chronicle(ledger),
            webhooks=Webhooks(ledger, b"pepper", self.allowed),
            webhook_lanes=WebhookLanes(ledger, b"pepper"),
        )
        self.services.dispatcher.add_engine(self.engine)

    async def restart(self) -> None:
        """Stop at once and start again on the same store."""
        self.database.close()
        self._open()
        await self.services.dispatcher.rebuild()
        await self.services.rescuer.rebuild()
        await self.services.absences.rebuild()
        await self.services.sessions.rebuild()
        await self.services.schedules.rebuild()

    async def person(self, name: str = "anna") -> Person:
        return await self.services.registry.add_person(name)

    async def desk(
        self,
        person: Person,
        name: str = "anna-pc",
        capabilities: tuple[Capability, ...] = ABLE,
        slots: int = 2,
    ) -> Desk:
        """Pair a worker and let it come."""
        computer = Computer(name, capabilities=capabilities)
        paired = await computer.pair(self.services, person.person_id)
        desk = Desk(self, paired.worker_id, person.person_id, name, capabilities, slots)
        desk.token, desk.key = paired.token, computer.key
        await desk.come()
        return desk

    async def request(self, person: Person, kind: str = "probe.run", **fields: object) -> JobCard:
        request = Request(person_id=person.person_id, kind=kind, **fields)  # type: ignore[arg-type]
        return (await self.services.intake.request(request)).card

    async def job(self, job_id: JobId) -> Job:
        job = await self.ledger.read(lambda c: queue.load(c, job_id))
        assert job is not None
        return job

    async def committed(self) -> None:
        """Return once all that was posted before is committed and known."""
        await self.ledger.write(lambda entry: None)

    async def types_of(self, card: JobCard) -> list[str]:
        facts = await self.services.views.history(card.job.person_id, card.job_id)
        return [fact.type for fact in facts]

    async def rescue(self) -> None:
        await self.services.rescuer.run_once()


@dataclass
class Desk:
    """A worker: keeps its own log and what it holds."""

    world: World
    worker_id: WorkerId
    person_id: PersonId
    name: str
    capabilities: tuple[Capability, ...]
    slots: int
    token: str = ""
    epoch: int = 1
    seq: int = 0
    lacking: tuple[Lacking, ...] = ()
    zone: str = ""
    key: Ed25519PrivateKey | None = None
    """Its own; it signs only when a test lets it."""

    async def come(self, *held: Held, outbox_seq: int | None = None) -> tuple[Verdict, ...]:
        services = self.world.services
        hello = Hello(
            device=self.worker_id,
            epoch=self.epoch,
            name=self.name,
            capabilities=self.capabilities,
            slots=self.slots,
            lacking=self.lacking,
            zone=self.zone,
            outbox_seq=self.seq if outbox_seq is None else outbox_seq,
            hub_seq=0,
            held=held,
        )
        worker = await services.registry.introduce(self.worker_id, hello)
        _, verdicts = await services.rescuer.take_inventory(hello, self.person_id)
        self.world.engine.holes.setdefault(self.worker_id, [])
        services.registry.arrive(worker, hello)
        return verdicts

    def go(self, *, was_silent: bool = False, was_stopped: bool = False) -> None:
        self.world.engine.holes.pop(self.worker_id, None)
        self.world.services.registry.depart(
            self.worker_id, was_silent=was_silent, was_stopped=was_stopped
        )

    def fetch(self) -> list[Carried]:
        fetched = self.world.engine.holes[self.worker_id]
        self.world.engine.holes[self.worker_id] = []
        return fetched

    async def offers(self) -> list[Offer]:
        await self.world.services.dispatcher.run_once()
        return [message for message in self.fetch() if isinstance(message, Offer)]

    async def accept(self, offer: Offer) -> Carried:
        """Say yes; return the answer, which must be there once the commit is."""
        accept = Accept(job_id=offer.job.job_id, attempt=offer.attempt)
        self.world.services.dispatcher.accept(self.worker_id, accept)
        await self.world.committed()
        [answer] = self.fetch()
        return answer

    async def decline(self, offer: Offer, *, is_for_now: bool) -> None:
        error = PASSING if is_for_now else LASTING
        decline = Decline(job_id=offer.job.job_id, attempt=offer.attempt, error=error)
        self.world.services.dispatcher.decline(self.worker_id, decline)
        await self.world.committed()

    async def take(self) -> Grant:
        """Take the next job."""
        [offer] = await self.offers()
        grant = await self.accept(offer)
        assert isinstance(grant, Grant)
        return grant

    def event(self, body: EventBody) -> Event:
        self.seq += 1
        return write_event(
            body,
            device=self.worker_id,
            epoch=self.epoch,
            seq=self.seq,
            at=self.world.clock.now(),
        )

    def events(self, *bodies: EventBody) -> tuple[Event, ...]:
        """Write bodies down in its log, now; they are not pushed."""
        return tuple(self.event(body) for body in bodies)

    async def report(self, *bodies: EventBody) -> Recorded:
        return await self.push(self.events(*bodies))

    async def push(self, pushed: tuple[Event, ...]) -> Recorded:
        return await self.world.services.recorder.record(self.worker_id, self.person_id, pushed)


def held(grant: Grant, state: HeldState) -> Held:
    return Held(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, state=state)
