"""Sessions on a real store, by a clock set by hand: opened, followed, renewed and ended."""

from __future__ import annotations

import pytest

from hub.core.access import Person
from hub.core.job import JobCard
from hub.core.session import AGE_SECONDS, IDLE_SECONDS, EndReason
from hub.services.absences import LOST_SECONDS
from hub.services.requests import Request
from hub.services.sessions import SessionCard
from hub.store import events
from shared.errors import BadInput, Conflict, NotFound
from shared.events import (
    EventBody,
    JobFailed,
    JobLogged,
    JobStarted,
    JobSucceeded,
    SessionEnded,
    SessionOpened,
    TaskRequested,
)
from shared.ids import SessionId, TaskId
from shared.jobs import JobSpec, JobState, Origin
from shared.messages import Grant, Offer
from tests.hub.worlds import Desk, World
from tests.makers import LASTING

MINUTE = 60.0
TICK = 0.001


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


@pytest.fixture
async def desk(world: World, anna: Person) -> Desk:
    return await world.desk(anna)


async def begin(world: World, desk: Desk, card: JobCard) -> tuple[SessionCard, Grant]:
    """Let a worker take a job and start it; return its session."""
    grant = await desk.take()
    assert grant.job_id == card.job_id
    await desk.report(JobStarted(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence))
    return await session_of(world, card), grant


async def finish(desk: Desk, grant: Grant) -> None:
    await desk.report(
        JobSucceeded(
            job_id=grant.job_id,
            attempt=grant.attempt,
            fence=grant.fence,
            result={"headline": "Done."},
            running_seconds=1,
        )
    )


async def run(world: World, desk: Desk, card: JobCard) -> SessionCard:
    _, grant = await begin(world, desk, card)
    await finish(desk, grant)
    return await session_of(world, card)


async def session_of(world: World, card: JobCard) -> SessionCard:
    job = await world.job(card.job_id)
    assert job.session_id is not None
    return await world.services.sessions.get(card.job.person_id, job.session_id)


async def again(world: World, session: SessionCard) -> SessionCard:
    return await world.services.sessions.get(None, session.session_id)


async def sweep(world: World, seconds: float = 0.0) -> float:
    world.clock.advance(seconds)
    return await world.services.sessions.run_once()


async def told(world: World) -> list[EventBody]:
    facts = await world.services.feed.after(0, 1000)
    return [f.body for f in facts if isinstance(f.body, SessionOpened | SessionEnded)]


async def follow(world: World, session: SessionCard, **fields: object) -> JobCard:
    person_id = session.session.person_id
    fields = {"kind": "probe.run", "task_id": session.session.task_id, **fields}
    request = Request(person_id=person_id, **fields)  # type: ignore[arg-type]
    return (await world.services.intake.request(request)).card


# Opened.


async def test_a_grant_opens_the_session_that_its_offer_named(
    world: World, anna: Person, desk: Desk
) -> None:
    card = await world.request(anna)
    [offer] = await desk.offers()
    assert offer.job.session_id
    assert (await world.services.sessions.page(None)) == ()

    assert isinstance(await desk.accept(offer), Grant)
    session = await session_of(world, card)
    assert session.session_id == offer.job.session_id
    assert (session.session.task_id, session.worker_id) == (card.job.task_id, desk.worker_id)
    assert (session.worker_name, session.jobs, session.is_busy) == ("anna-pc", 1, True)
    [opened] = await told(world)
    assert opened == SessionOpened(
        session_id=session.session_id, task_id=card.job.task_id, worker_id=desk.worker_id
    )


async def test_another_try_on_the_same_worker_stays_in_its_session(
    world: World, anna: Person, desk: Desk
) -> None:
    card = await world.request(anna)
    session, grant = await begin(world, desk, card)
    failed = JobFailed(
        job_id=grant.job_id,
        attempt=grant.attempt,
        fence=grant.fence,
        error=LASTING.model_copy(update={"retryable": True}),
    )
    await desk.report(failed)
    world.clock.advance(MINUTE)
    [offer] = await desk.offers()
    assert offer.job.session_id == session.session_id
    await desk.accept(offer)
    assert len(await told(world)) == 1


async def test_another_worker_gets_a_session_of_its_own(
    world: World, anna: Person, desk: Desk
) -> None:
    card = await world.request(anna)
    session, _ = await begin(world, desk, card)
    mac = await world.desk(anna, "studio-mac")
    desk.go(was_silent=True)
    await world.rescue()
    [offer] = await mac.offers()
    assert offer.job.session_id not in ("", session.session_id)
    await mac.accept(offer)
    assert (await session_of(world, card)).worker_id == mac.worker_id


async def test_a_job_that_a_computer_kept_is_adopted_with_its_session(
    world: World, anna: Person, desk: Desk
) -> None:
    new_id = world.environment.new_id
    session_id = new_id()
    body = TaskRequested(
        task_id=TaskId(new_id()),
        job_id=(job_id := new_id()),
        kind="probe.run",
        worker_id=desk.worker_id,
        is_kept=True,
        session_id=session_id,
    )
    await desk.report(body)
    job = await world.job(job_id)  # type: ignore[arg-type]
    assert job.session_id == session_id
    session = await world.services.sessions.get(anna.person_id, SessionId(session_id))
    assert (session.worker_id, session.is_busy) == (desk.worker_id, True)


async def test_a_computer_cannot_take_a_job_of_its_own_into_a_foreign_session(
    world: World, anna: Person, desk: Desk
) -> None:
    bob = await world.person("bob")
    theirs = await world.desk(bob, "bobs-pc")
    taken = await run(world, theirs, await world.request(bob))
    new_id = world.environment.new_id
    spec = JobSpec(
        job_id=new_id(),
        task_id=TaskId(new_id()),
        kind="probe.run",
        title="probe",
        origin=Origin.LOCAL,
        session_id=taken.session_id,
    )
    recorded = await desk.report(JobStarted(job_id=spec.job_id, attempt=1, fence=1, job=spec))
    assert recorded.refused == []
    job = await world.job(spec.job_id)
    assert job.session_id not in (None, taken.session_id)
    assert (await again(world, taken)).jobs == 1


# Followed.


async def test_a_follow_up_goes_to_the_same_worker_and_session_although_others_are_idle(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    mac = await world.desk(anna, "studio-mac", slots=9)
    card = await follow(world, session)
    assert card.job.task_id == session.session.task_id
    assert await mac.offers() == []
    [offer] = [m for m in desk.fetch() if isinstance(m, Offer)]
    assert offer.job.session_id == session.session_id
    await desk.accept(offer)
    assert (await again(world, session)).jobs == 2
    assert len(await told(world)) == 1


async def test_a_named_computer_goes_before_the_session(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    mac = await world.desk(anna, "studio-mac")
    card = await follow(world, session, worker_name="studio-mac")
    assert (card.job.task_id, card.job.session_id) == (session.session.task_id, None)
    [offer] = await mac.offers()
    assert offer.job.session_id != session.session_id


async def test_a_session_that_is_over_is_told_and_the_job_goes_the_ordinary_way(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    world.clock.advance(IDLE_SECONDS + 1)
    # Nobody has swept it yet: the border counts, and not who came by.
    request = Request(person_id=anna.person_id, kind="probe.run", task_id=session.session.task_id)
    receipt = await world.services.intake.request(request)
    assert receipt.ended is not None
    assert receipt.ended.session_id == session.session_id
    assert receipt.card.job.pinned_to is None
    [offer] = await desk.offers()
    assert offer.job.session_id != session.session_id


async def test_a_named_session_that_is_over_is_an_error(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    await follow(world, session, session_id=session.session_id, task_id=None)
    await sweep(world, AGE_SECONDS + 1)
    with pytest.raises(Conflict) as caught:
        await follow(world, session, session_id=session.session_id)
    assert caught.value.code == "session_ended"


async def test_what_is_another_persons_does_not_exist(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    bob = await world.person("bob")
    for fields in (
        {"session_id": session.session_id},
        {"task_id": session.session.task_id},
        {"session_id": SessionId(world.environment.new_id())},
        {"task_id": TaskId(world.environment.new_id())},
    ):
        with pytest.raises(NotFound) as caught:
            await world.request(bob, **fields)
        assert caught.value.code in ("session_unknown", "task_unknown")
    for deed in (
        world.services.sessions.get(bob.person_id, session.session_id),
        world.services.sessions.renew(bob.person_id, session.session_id),
        world.services.sessions.terminate(bob.person_id, session.session_id, "bob"),
        world.services.sessions.open(bob.person_id, session.session.task_id, "anna-pc"),
    ):
        with pytest.raises(NotFound):
            await deed
    assert await again(world, session) == session, "nothing was changed"
    untouched = await world.request(anna)
    with pytest.raises(NotFound):
        await world.request(bob, task_id=untouched.job.task_id)
    assert await world.services.sessions.page(bob.person_id) == ()
    assert await world.services.sessions.of_task(bob.person_id, session.session.task_id) is None


async def test_a_session_and_another_task_do_not_go_together(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    other = await run(world, desk, await world.request(anna))
    with pytest.raises(BadInput) as caught:
        await follow(world, session, session_id=session.session_id, task_id=other.session.task_id)
    assert caught.value.code == "session_foreign"


async def test_a_follow_up_that_is_moved_begins_a_session_there(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    mac = await world.desk(anna, "studio-mac")
    card = await follow(world, session)
    await world.services.intake.move(anna.person_id, card.job_id, "studio-mac", "anna")
    grant = await mac.take()
    assert grant.job_id == card.job_id
    moved = await session_of(world, card)
    assert (moved.worker_id, moved.session.task_id) == (mac.worker_id, card.job.task_id)
    assert (await again(world, session)).jobs == 1


async def test_a_failed_job_is_tried_again_in_its_place(
    world: World, anna: Person, desk: Desk
) -> None:
    card = await world.request(anna)
    session, grant = await begin(world, desk, card)
    await desk.report(
        JobFailed(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, error=LASTING)
    )
    mac = await world.desk(anna, "studio-mac", slots=9)
    made = await world.services.intake.retry_there(anna.person_id, card.job_id, "anna")
    assert made.ended is None
    assert await mac.offers() == []
    [offer] = [m for m in desk.fetch() if isinstance(m, Offer)]
    assert offer.job.session_id == session.session_id


# Ended.


async def test_half_an_hour_without_work_ends_it_and_exactly_then_it_lives(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    await sweep(world, IDLE_SECONDS)
    assert (await again(world, session)).takes_follow_ups
    await sweep(world, TICK)
    ended = (await again(world, session)).session
    assert (ended.reason, ended.ended_at) == (EndReason.IDLE, world.clock.now())
    assert (await told(world))[-1] == SessionEnded(
        session_id=session.session_id,
        task_id=session.session.task_id,
        worker_id=desk.worker_id,
        reason="idle",
    )


async def test_what_happens_in_it_puts_off_idleness_and_never_age(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    for _ in range(2):
        await sweep(world, 25 * MINUTE)
        await run(world, desk, await follow(world, session))
        assert (await again(world, session)).takes_follow_ups
    await sweep(world, 10 * MINUTE)
    assert (await again(world, session)).takes_follow_ups
    await sweep(world, TICK)
    assert (await again(world, session)).session.reason is EndReason.AGE


async def test_what_runs_keeps_it_open_and_past_its_age_it_ends_with_the_work(
    world: World, anna: Person, desk: Desk
) -> None:
    session, grant = await begin(world, desk, await world.request(anna))
    await sweep(world, 45 * MINUTE)
    assert (await again(world, session)).takes_follow_ups
    await sweep(world, 16 * MINUTE)
    late = await again(world, session)
    assert (late.session.is_open, late.takes_follow_ups, late.lives_until) == (True, False, None)
    with pytest.raises(Conflict):
        await follow(world, session, session_id=session.session_id)

    await finish(desk, grant)
    assert world.services.sessions._stirred.is_set()
    await sweep(world)
    assert (await again(world, session)).session.reason is EndReason.AGE


async def test_renewing_by_hand_counts_as_activity(world: World, anna: Person, desk: Desk) -> None:
    session = await run(world, desk, await world.request(anna))
    await sweep(world, 20 * MINUTE)
    renewed = await world.services.sessions.renew(anna.person_id, session.session_id)
    assert renewed.lives_until is not None
    await sweep(world, 25 * MINUTE)
    assert (await again(world, session)).takes_follow_ups
    await sweep(world, 6 * MINUTE)
    with pytest.raises(Conflict):
        await world.services.sessions.renew(anna.person_id, session.session_id)


async def test_a_person_ends_it_and_what_waits_in_it_begins_another(
    world: World, anna: Person
) -> None:
    small = await world.desk(anna, "small-box", slots=1)
    first = await world.request(anna, worker_name="small-box")
    session, grant = await begin(world, small, first)
    card = await follow(world, session)
    end = world.services.sessions.terminate
    await end(None, session.session_id, "anna on web")
    ended = await end(None, session.session_id, "somebody later")
    assert (ended.session.reason, ended.session.ended_by) == (EndReason.PERSON, "anna on web")
    assert sum(isinstance(body, SessionEnded) for body in await told(world)) == 1
    assert (await world.job(card.job_id)).session_id is None

    await finish(small, grant)
    [offer] = await small.offers()
    assert offer.job.job_id == card.job_id
    assert offer.job.session_id not in ("", session.session_id)
    assert isinstance(await small.accept(offer), Grant)


async def test_a_session_that_ends_between_yes_and_grant_makes_the_offer_void(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    card = await follow(world, session)
    [stale] = await desk.offers()
    await world.services.sessions.terminate(None, session.session_id, "anna")
    answer = await desk.accept(stale)
    assert not isinstance(answer, Grant)
    assert (await world.job(card.job_id)).life.state is JobState.QUEUED
    [fresh] = await desk.offers()
    assert fresh.job.session_id != stale.job.session_id
    assert isinstance(await desk.accept(fresh), Grant)


async def test_showing_a_worker_out_ends_all_its_sessions(
    world: World, anna: Person, desk: Desk
) -> None:
    idle = await run(world, desk, await world.request(anna))
    busy, _ = await begin(world, desk, await world.request(anna))
    await world.services.registry.revoke(anna.person_id, desk.worker_id, "anna on web")
    for session in (idle, busy):
        ended = (await again(world, session)).session
        assert (ended.reason, ended.ended_by) == (EndReason.WORKER_REVOKED, "anna on web")


async def test_losing_a_worker_ends_those_in_which_it_has_nothing_in_hand(
    world: World, anna: Person, desk: Desk
) -> None:
    await world.services.absences.run_once()
    idle = await run(world, desk, await world.request(anna))
    busy, _ = await begin(world, desk, await world.request(anna, kind="code.push"))
    desk.go()
    await world.services.absences.run_once()
    world.clock.advance(LOST_SECONDS)
    await world.services.absences.run_once()
    assert (await again(world, idle)).session.reason is EndReason.WORKER_LOST
    assert (await again(world, busy)).session.is_open


async def test_a_purged_task_leaves_no_session(world: World, anna: Person, desk: Desk) -> None:
    from hub.services import deeds

    session = await run(world, desk, await world.request(anna))
    task_id = session.session.task_id
    await world.ledger.write(lambda entry: deeds.purge(entry, anna.person_id, task_id, "anna"))
    with pytest.raises(NotFound):
        await again(world, session)
    ended = (await told(world))[-1]
    assert isinstance(ended, SessionEnded)
    assert ended.reason == "task_purged"
    kept = await world.ledger.read(lambda c: events.after(c, 0, 1000))
    of_session = [fact.type for fact in kept if fact.entity == session.session_id]
    assert of_session == ["session_ended"]


@pytest.mark.parametrize("minutes", [5, 45])
async def test_a_restart_forgets_nothing_of_it(
    world: World, anna: Person, desk: Desk, minutes: int
) -> None:
    session, grant = await begin(world, desk, await world.request(anna))
    world.clock.advance(minutes * MINUTE)
    before = await again(world, session)
    await world.restart()
    assert await again(world, session) == before
    await sweep(world, (61 - minutes) * MINUTE)
    await world.restart()
    await finish(desk, grant)
    assert world.services.sessions._stirred.is_set()
    await sweep(world)
    assert (await again(world, session)).session.reason is EndReason.AGE


async def test_the_loop_sleeps_until_the_next_may_be_over(
    world: World, anna: Person, desk: Desk
) -> None:
    from hub.services.sessions import LOOK_SECONDS_MAX, STEP_SECONDS

    assert await sweep(world) == LOOK_SECONDS_MAX
    await run(world, desk, await world.request(anna))
    assert await sweep(world, 28 * MINUTE) == pytest.approx(2 * MINUTE + STEP_SECONDS)


async def test_a_clock_set_back_by_a_day_lets_it_live_an_hour_more_and_no_longer(
    world: World, anna: Person, desk: Desk
) -> None:
    session = await run(world, desk, await world.request(anna))
    await sweep(world, MINUTE)
    world.clock.jump(-24 * 3600)
    await sweep(world)
    assert (await again(world, session)).session.is_open
    for _ in range(2):
        await sweep(world, IDLE_SECONDS + 1)
    # What its jobs did lies in the future still; its age does not.
    assert (await again(world, session)).session.reason is EndReason.AGE


async def test_many_end_at_once_and_each_is_told(world: World, anna: Person) -> None:
    desk = await world.desk(anna, "big-box", slots=50)
    cards = [await world.request(anna) for _ in range(30)]
    for offer in await desk.offers():
        await desk.accept(offer)
    for card in cards:
        await desk.report(
            JobSucceeded(
                job_id=card.job_id, attempt=1, fence=1, result={"headline": "ok"},
                running_seconds=1,
            )
        )  # fmt: skip
    await sweep(world, IDLE_SECONDS + 1)
    assert sum(isinstance(body, SessionEnded) for body in await told(world)) == 30
    assert await world.services.sessions.page(None, is_open=True) == ()


# Opened by hand, and looked at.


async def test_one_opened_by_hand_waits_for_its_job(world: World, anna: Person, desk: Desk) -> None:
    session = await run(world, desk, await world.request(anna))
    mac = await world.desk(anna, "studio-mac")
    task_id = session.session.task_id
    opened = await world.services.sessions.open(anna.person_id, task_id, "studio-mac")
    same = await world.services.sessions.open(anna.person_id, task_id, mac.worker_id)
    assert (opened.session_id, opened.jobs, opened.is_busy) == (same.session_id, 0, False)
    card = await follow(world, opened, session_id=opened.session_id)
    assert card.job.pinned_to == mac.worker_id


async def test_lists_are_pages_by_task_worker_and_whether_open(
    world: World, anna: Person, desk: Desk
) -> None:
    made = []
    for _ in range(5):
        world.clock.advance(1)
        made.append(await run(world, desk, await world.request(anna)))
    await world.services.sessions.terminate(None, made[0].session_id, "anna")
    ids = [session.session_id for session in reversed(made)]
    sessions = world.services.sessions
    first = await sessions.page(anna.person_id, limit=3)
    rest = await sessions.page(anna.person_id, limit=3, before=first[-1].session_id)
    assert [card.session_id for card in (*first, *rest)] == ids
    assert [c.session_id for c in await sessions.page(None, is_open=False)] == [ids[-1]]
    assert len(await sessions.page(None, is_open=True)) == 4
    assert [c.session_id for c in await sessions.page(None, task_id=made[2].session.task_id)] == [
        made[2].session_id
    ]
    assert len(await sessions.page(None, worker_id=desk.worker_id)) == 5
    assert first[0].title
    assert first[0].task_text


async def test_log_lines_do_not_write_to_the_session(
    world: World, anna: Person, desk: Desk
) -> None:
    session, grant = await begin(world, desk, await world.request(anna))
    before = (await again(world, session)).session
    world.clock.advance(5)
    await desk.report(
        JobLogged(job_id=grant.job_id, attempt=grant.attempt, fence=grant.fence, lines=("hm",))
    )
    assert (await again(world, session)).session == before
