"""Jobs that are granted without an offer: their workers have said yes ahead, and may give back."""

from __future__ import annotations

import asyncio

import pytest

from hub.core.access import Person
from hub.core.placement import WaitingReason
from hub.services.requests import Request
from shared.capabilities import Capability
from shared.errors import AppError, Unavailable
from shared.ids import ConversationId
from shared.jobs import JobState, Origin
from shared.messages import Decline, Grant, Offer
from tests.hub.reports import started, succeeded
from tests.hub.worlds import Desk, World
from tests.makers import LASTING, PASSING

CHAT = ConversationId("telegram:1")
READY = (
    Capability(kind="probe.run", unasked=(Origin.CHAT, Origin.API)),
    Capability(kind="code.push"),
)
"""It takes probes unasked; whether it pushes it wants to be asked."""


async def ready_desk(world: World, anna: Person, name: str = "anna-pc", slots: int = 2) -> Desk:
    return await world.desk(anna, name, READY, slots)


async def told(desk: Desk) -> list[Grant | Offer]:
    """What the hub has for a worker now, once all is committed."""
    await desk.world.services.dispatcher.run_once()
    await desk.world.committed()
    await desk.world.committed()
    return [message for message in desk.fetch() if isinstance(message, Grant | Offer)]


async def give_back(desk: Desk, grant: Grant, *, is_for_now: bool) -> None:
    error = PASSING if is_for_now else LASTING
    decline = Decline(job_id=grant.job_id, attempt=grant.attempt, error=error)
    desk.world.services.dispatcher.decline(desk.worker_id, decline)
    await desk.world.committed()


async def test_a_request_and_its_grant_are_one_commit(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    commits: list[list[str]] = []
    world.ledger.listeners.append(lambda entry: commits.append([f.type for f in entry.facts]))
    card = await world.request(anna, inputs={})
    assert commits == [["task_created", "job_queued", "session_opened", "job_granted"]]
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    assert grant.job is not None
    assert (grant.job.job_id, grant.job.kind) == (card.job_id, "probe.run")
    assert (grant.attempt, grant.fence) == (1, 1)
    life = (await world.job(card.job_id)).life
    assert (life.state, life.worker_id) == (JobState.GRANTED, pc.worker_id)
    await pc.report(started(grant), succeeded(grant))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_its_session_is_the_one_the_worker_is_told_of(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    assert grant.job is not None
    assert grant.job.session_id == (await world.job(card.job_id)).session_id != ""


async def test_what_the_worker_wants_to_be_asked_about_is_offered(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    await world.request(anna, "code.push")
    [offer] = await told(pc)
    assert isinstance(offer, Offer)


async def test_where_a_job_comes_from_counts(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    await world.request(anna, origin=Origin.GROUP)
    [offer] = await told(pc)
    assert isinstance(offer, Offer)


async def test_a_job_that_waited_for_a_slot_is_granted_unasked_too(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna, slots=1)
    await world.request(anna)
    second = await world.request(anna)
    [grant] = await told(pc)
    assert (await world.job(second.job_id)).life.state is JobState.QUEUED
    assert isinstance(grant, Grant)
    await pc.report(started(grant), succeeded(grant))
    [next_one] = await told(pc)
    assert isinstance(next_one, Grant)
    assert next_one.job is not None
    assert next_one.job.job_id == second.job_id
    assert (await world.job(second.job_id)).life.state is JobState.GRANTED


async def test_nobody_is_passed_by(world: World) -> None:
    """Whatever waits already comes first, also when it waits for something else."""
    anna = await world.person()
    laptop = await world.desk(anna, "laptop", READY)
    pc = await ready_desk(world, anna)
    pc.go()
    first = await world.request(anna, "code.push", worker_name="anna-pc")
    card = await world.request(anna)
    assert card.state is JobState.QUEUED
    [grant] = await told(laptop)
    assert isinstance(grant, Grant)
    assert grant.job_id == card.job_id
    assert (await world.job(first.job_id)).life.state is JobState.QUEUED


async def test_a_computer_that_is_named_is_the_one(world: World) -> None:
    anna = await world.person()
    laptop, pc = await world.desk(anna, "laptop", READY, 9), await ready_desk(world, anna)
    await world.request(anna, worker_name="anna-pc")
    assert await told(laptop) == []
    [grant] = await told(pc)
    assert isinstance(grant, Grant)


async def test_what_is_given_back_for_now_waits_and_its_worker_is_asked_first(
    world: World,
) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    await give_back(pc, grant, is_for_now=True)
    life = (await world.job(card.job_id)).life
    assert (life.state, life.attempt, life.losses, life.failures) == (JobState.QUEUED, 2, 0, 0)
    assert await told(pc) == [], "it is left alone for a while"
    world.clock.advance(31)
    [offer] = await told(pc)
    assert isinstance(offer, Offer), "it is asked now"
    again = await pc.accept(offer)
    assert isinstance(again, Grant)
    assert again.job is None
    assert again.fence == 2
    await world.request(anna)
    [third] = await told(pc)
    assert isinstance(third, Grant), "it has said yes again"


async def test_what_is_given_back_for_good_goes_elsewhere_and_says_why(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    await give_back(pc, grant, is_for_now=False)
    world.clock.advance(3600)
    assert await told(pc) == []
    why = await world.services.views.why_waiting(card.job_id)
    assert why is not None
    assert (why.reason, why.detail) == (WaitingReason.DECLINED, LASTING.message)
    laptop = await world.desk(anna, "laptop", READY)
    [other] = await told(laptop)
    assert other.attempt == 2


async def test_what_has_begun_is_not_given_back(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    await pc.report(started(grant))
    await give_back(pc, grant, is_for_now=True)
    assert (await world.job(card.job_id)).life.state is JobState.RUNNING
    await pc.report(succeeded(grant))
    assert (await world.job(card.job_id)).life.state is JobState.SUCCEEDED


async def test_a_strangers_no_takes_nothing_back(world: World) -> None:
    anna, ben = await world.person(), await world.person("ben")
    pc, other = await ready_desk(world, anna), await world.desk(ben, "ben-pc", READY)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    await give_back(other, grant, is_for_now=True)
    assert (await world.job(card.job_id)).life.state is JobState.GRANTED


async def test_a_grant_that_is_cancelled_and_given_back_is_over(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    await give_back(pc, grant, is_for_now=True)
    assert (await world.job(card.job_id)).life.state is JobState.CANCELLED


async def test_a_worker_that_went_in_between_has_nothing(world: World) -> None:
    """Its line is gone when the grant is committed: the job is queued again at once."""
    anna = await world.person()
    pc = await ready_desk(world, anna)
    world.engine.holes.pop(pc.worker_id)
    card = await world.request(anna)
    for _ in range(5):
        await world.services.dispatcher.run_once()
        await world.committed()
    assert await world.types_of(card) == ["job_queued", "job_granted", "job_queued"]
    life = (await world.job(card.job_id)).life
    assert (life.state, life.losses) == (JobState.QUEUED, 0)
    await pc.come()
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    assert grant.job is not None


async def test_a_grant_that_never_came_is_given_anew(world: World) -> None:
    """It was sent and lost with the line: the worker's next hello does not name it."""
    anna = await world.person()
    pc = await ready_desk(world, anna)
    card = await world.request(anna)
    await told(pc)
    pc.go()
    await pc.come()
    await world.rescue()
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    assert (grant.job_id, grant.fence) == (card.job_id, 2)


async def test_a_request_that_fails_leaves_its_seat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna, slots=1)

    def fail(*_: object) -> None:
        raise Unavailable("store_failed", "The disk is away.")

    with monkeypatch.context() as patched:
        patched.setattr("hub.store.queue.insert_granted", fail)
        with pytest.raises(AppError, match="away"):
            await world.request(anna)
    await world.request(anna)
    [grant] = await told(pc)
    assert isinstance(grant, Grant)
    assert grant.job is not None


async def test_a_repeated_request_is_granted_once(world: World) -> None:
    anna = await world.person()
    pc = await ready_desk(world, anna)
    request = Request(person_id=anna.person_id, kind="probe.run", dedupe="one")
    first = await world.services.intake.request(request)
    again = await world.services.intake.request(request)
    assert again.is_repeat
    assert again.card.job_id == first.card.job_id
    assert len(await told(pc)) == 1
    assert world.board.rooms.room(world.board.present[pc.worker_id]) == 1, "one slot is left"


async def train_on(desk: Desk, anna: Person) -> None:
    """From now on what the conversation predicts belongs to a computer."""
    await desk.world.request(anna, "ml.train", worker_name=desk.name, conversation=CHAT)
    [training] = await told(desk)
    await desk.world.ledger.write(
        lambda entry: entry.connection.execute(
            "UPDATE jobs SET state = 'succeeded' WHERE job_id = ?",
            (training.job_id,),  # type: ignore[union-attr]
        )
    )


async def test_who_found_a_seat_taken_is_served_when_it_is_left(world: World) -> None:
    """Two at once, one slot: the first turns out to belong to a computer that is away."""
    anna = await world.person()
    able = tuple(
        Capability(kind=kind, unasked=(Origin.CHAT,)) for kind in ("ml.train", "ml.predict")
    )
    laptop = await world.desk(anna, "laptop", able)
    await train_on(laptop, anna)
    laptop.go()
    pc = await world.desk(anna, "anna-pc", able, 1)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.services.dispatcher.run())
        away, here = await asyncio.gather(
            world.request(anna, "ml.predict", conversation=CHAT),
            world.request(anna, "ml.predict"),
        )
        for _ in range(5):
            await world.committed()
        running.cancel()
    assert away.job.pinned_to == laptop.worker_id
    assert (await world.job(here.job_id)).life.worker_id == pc.worker_id


async def test_a_job_that_belongs_to_another_computer_goes_there(world: World) -> None:
    """Where a model was trained only the store knows; the seat was kept with somebody else."""
    anna = await world.person()
    able = tuple(
        Capability(kind=kind, unasked=(Origin.CHAT,)) for kind in ("ml.train", "ml.predict")
    )
    laptop = await world.desk(anna, "laptop", able, 2)
    await train_on(laptop, anna)
    pc = await world.desk(anna, "anna-pc", able, 9)
    card = await world.request(anna, "ml.predict", conversation=CHAT)
    assert card.job.pinned_to == laptop.worker_id
    assert await told(pc) == []
    [grant] = await told(laptop)
    assert isinstance(grant, Grant)
    assert grant.job_id == card.job_id
    assert world.board.rooms.room(world.board.present[pc.worker_id]) == 9, "its seat was left"
