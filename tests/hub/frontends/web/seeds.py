"""Things to look at, one of each sort: a computer at work, a dead letter, a key, a webhook."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core import schedule as core
from hub.core.access import Access, Scope
from hub.core.job import JobCard
from hub.core.joining import JoinRequest
from hub.core.schedule import Paused, Schedule
from hub.core.webhook import Webhook
from hub.services.requests import Request
from hub.services.schedule_deeds import NewSchedule
from hub.services.webhooks import NewWebhook
from hub.store import queue, schedules
from hub.store.ledger import Entry, Ledger
from shared.errors import ErrorBody
from shared.events import JobDied, JobFailed
from shared.ids import PersonId
from shared.jobs import JobState
from tests.hub.frontends.world import PuppetWorker, World
from tests.pairing import Computer

BUSY = ErrorBody(code="disk_busy", message="The disk was busy.", retryable=True)
URL = "https://hooks.example.org/deskhand"


async def owner_of(world: World) -> PersonId:
    return (await world.hub.services.registry.people())[0].person_id


def ledger_of(world: World) -> Ledger:
    return world.hub.services.machines._ledger


async def dead_letter(world: World, file: str, person_id: PersonId | None = None) -> JobCard:
    """A job that has used up its tries; what a worker would need minutes for is written down."""
    person_id = person_id or await owner_of(world)
    services = world.hub.services
    request = Request(person_id=person_id, kind="data.describe", inputs={"file": file})
    card = (await services.intake.request(request)).card

    def bury(entry: Entry) -> None:
        job = queue.load_in(entry, card.job_id)
        assert job is not None
        for attempt in (1, 2):
            body = JobFailed(job_id=job.job_id, attempt=attempt, fence=attempt, error=BUSY)
            entry.tell(person_id, body)
        queue.save(entry, job, job.life._replace(state=JobState.DEAD, failures=3))
        queue.set_error(entry, job.job_id, BUSY)
        entry.tell(person_id, JobDied(job_id=job.job_id, error=BUSY))

    await ledger_of(world).write(bury)
    return await services.views.job(person_id, card.job_id)


async def joining(world: World, name: str = "tablet") -> JoinRequest:
    """A computer that waits to be let in by the hub's owner."""
    services, owner = world.hub.services, await owner_of(world)
    invitation = await services.pairing.invite(owner)
    asked = await Computer(name, platform="Windows 11").ask(services, invitation.code)
    return await services.admissions.find(owner, asked.join_id)


async def webhook(world: World) -> Webhook:
    new = NewWebhook(person_id=await owner_of(world), url=URL, types=("job.dead",), by="me")
    made, _ = await world.hub.services.webhooks.create(new)
    return made


async def scheduled(world: World) -> Schedule:
    """Make three schedules: one that waits, one that its person holds, one that the hub does."""
    service, owner = world.hub.services.schedules, await owner_of(world)

    async def make(when: str, words: str, zone: str = "") -> Schedule:
        return await service.create(
            NewSchedule(person_id=owner, words=words, when=when, zone=zone, by="anna on the web")
        )

    first = await make("every weekday 8:00", "/predict churn new.csv", "Europe/Vienna")
    held = await make("every 2 hours", "summarize what changed in Documents/acme since last time")
    await service.pause(owner, held.schedule_id, "anna on the web")
    failing = await make("last friday 17:00", "/probe everyday-life.yaml")
    why = core.paused(failing, Paused.FAILING, "It failed 3 times in a row.")
    await ledger_of(world).write(lambda entry: schedules.save(entry, why))
    return first


@dataclass(frozen=True)
class Belongings:
    """One of each, of the hub's owner."""

    worker: str
    job: str
    dead: str
    session: str
    schedule: str
    join: str
    key: str
    webhook: str
    delivery: str

    def path(self, pattern: str) -> str:
        return pattern.format(**self.__dict__)


async def belongings(world: World, worker: PuppetWorker) -> Belongings:
    """Make one of each; the worker is online."""
    services, owner = world.hub.services, await owner_of(world)
    made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
    grant = await worker.grant_of(made["job_id"])
    await worker.starts(grant)
    [session] = await services.sessions.page(owner)
    access = Access(person_id=owner, scope=Scope.ADMIN, key_id="test")
    told = await services.keys.create(access, owner, Scope.READ, name="Grafana", by="me")
    hook = await webhook(world)
    delivery = await services.webhooks.test(owner, hook.webhook_id)
    return Belongings(
        worker=worker.worker_id,
        job=made["job_id"],
        dead=(await dead_letter(world, "old.csv")).job_id,
        session=session.session_id,
        schedule=(await scheduled(world)).schedule_id,
        join=(await joining(world)).join_id,
        key=told.key.key_id,
        webhook=hook.webhook_id,
        delivery=delivery.delivery_id,
    )
