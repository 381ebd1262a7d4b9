"""Schedules on a real store, by a clock set by hand: what is due, missed, held and told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.core.job import JobCard
from hub.core.schedule import FAILURES_MAX, SCHEDULES_MAX, Missed, Paused, Schedule
from hub.frontends.scheduled import read_words
from hub.services.requests import Request
from hub.services.schedule_deeds import NewSchedule
from hub.services.schedule_steps import Said
from hub.services.schedules import LOOK_SECONDS_MAX
from hub.store import events, schedules
from shared.errors import BadInput, Conflict, LimitReached, NotAllowed, NotFound
from shared.events import (
    EventBody,
    JobFailed,
    JobStarted,
    JobSucceeded,
    RequestRefused,
    ScheduleAsked,
    ScheduleChanged,
    ScheduleMissed,
    ScheduleRan,
)
from shared.ids import ConversationId, ScheduleId, uuid7
from shared.jobs import JobState, Origin
from shared.schedules import ScheduleAction
from tests.hub.worlds import Desk, World
from tests.makers import LASTING

HOUR = 3600.0
DAY = 24 * HOUR
CHAT = ConversationId("telegram:4711")
HERE = ScheduleId(uuid7(1, b"0123456789"))
DAY_AFTER = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NINE = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
"""Nine o'clock in Vienna, the day after the clock begins (a Friday, at noon UTC)."""


PROBE = "/probe it"


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


def probe_or(words: str) -> Said:
    """A word of the tests' own, whose job may end with any result."""
    return Said(kind="probe.run") if words == PROBE else read_words(words)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, read_words=probe_or)
    yield made
    made.database.close()


async def make(world: World, person: Person, when: str = "day 9:00", **fields: object) -> Schedule:
    new = {
        "person_id": person.person_id, "words": "/predict churn new.csv", "when": when,
        "conversation": CHAT, "by": "anna on Telegram", **fields,
    }  # fmt: skip
    return await world.services.schedules.create(NewSchedule(**new))  # type: ignore[arg-type]


async def again(world: World, schedule: Schedule) -> Schedule:
    return await world.services.schedules.get(None, schedule.schedule_id)


async def pass_time(world: World, seconds: float) -> None:
    """Let time pass, and the loop look as often as it says it will, where that matters."""
    end = world.clock.seconds + seconds
    while True:
        wait = await world.services.schedules.run_once()
        due_at = await world.ledger.read(schedules.next_due)
        if due_at is not None and wait == LOOK_SECONDS_MAX:
            wait = max(wait, (due_at - world.clock.now()).total_seconds() - wait)
        if world.clock.seconds + wait > end:
            break
        world.clock.advance(wait)
    world.clock.advance(end - world.clock.seconds)
    await world.services.schedules.run_once()


async def jobs(world: World, person: Person) -> list[JobCard]:
    return list(reversed(await world.services.views.jobs(person.person_id, limit=100)))


async def told(world: World, *sorts: type[EventBody]) -> list[EventBody]:
    facts = await world.ledger.read(lambda c: events.after(c, 0, 10_000))
    return [fact.body for fact in facts if isinstance(fact.body, sorts)]


async def end(world: World, desk: Desk, *, fails: bool = False) -> None:
    """Run the job that waits to its end."""
    grant = await desk.take()
    names = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await desk.report(JobStarted(**names))
    if fails:
        await desk.report(JobFailed(**names, error=LASTING))
    else:
        result = {"headline": "Done."}
        await desk.report(JobSucceeded(**names, result=result, running_seconds=1))


async def test_what_is_due_makes_the_task_that_its_words_would_have_made(
    world: World, anna: Person
) -> None:
    made = await make(world, anna)
    assert made.next_at == NINE

    await pass_time(world, 21 * HOUR)

    [card] = await jobs(world, anna)
    assert (card.kind, card.conversation, card.origin) == ("ml.predict", CHAT, Origin.CHAT)
    assert (card.text, card.title) == (
        "/predict churn new.csv",
        "predict churn new.csv · every day at 9:00",
    )
    said = await world.request(
        anna, "ml.predict", inputs=card.inputs, text=card.text, conversation=CHAT
    )
    assert (card.inputs, card.job.tools) == (said.inputs, said.job.tools)
    after = await again(world, made)
    assert (after.last_at, after.last_job_id) == (card.job.created_at, card.job_id)
    assert after.next_at == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


async def test_it_is_run_within_a_moment_of_its_time(world: World, anna: Person) -> None:
    await make(world, anna)
    await pass_time(world, 21 * HOUR)
    [ran] = await told(world, ScheduleRan)
    assert isinstance(ran, ScheduleRan)
    [card] = await jobs(world, anna)
    assert 0 <= (card.job.created_at - NINE).total_seconds() < 0.1
    assert (ran.due_at, ran.missed, ran.schedule.last_job_id) == (NINE, 0, card.job_id)


async def test_nothing_is_run_twice_when_the_loop_looks_again_and_again(
    world: World, anna: Person
) -> None:
    await make(world, anna)
    await pass_time(world, 21 * HOUR)
    for _ in range(5):
        await world.services.schedules.run_once()
    await world.restart()
    await world.services.schedules.run_once()
    assert len(await jobs(world, anna)) == 1


class Killed(Exception):
    """The hub dies here."""


@pytest.mark.parametrize("survives", range(5))
async def test_a_hub_that_dies_while_it_runs_one_runs_it_once(
    world: World, anna: Person, survives: int
) -> None:
    """The ids of the task and of its job are made in the middle of the transaction."""
    made = await make(world, anna, words=PROBE)
    world.clock.jump((NINE - world.clock.now()).total_seconds())
    entropy, left = world.environment.entropy, survives

    def dying(count: int) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return entropy(count)

    world.environment = replace(world.environment, entropy=dying)
    await world.restart()
    with contextlib.suppress(Killed):
        await world.services.schedules.run_once()
    died = left < 0
    world.environment = replace(world.environment, entropy=entropy)
    await world.restart()
    before = await jobs(world, anna)
    assert len(before) == (0 if died else 1)
    assert (await again(world, made)).next_at == (made.next_at if died else DAY_AFTER)
    await world.services.schedules.run_once()
    await world.services.schedules.run_once()
    [card] = await jobs(world, anna)
    [ran] = await told(world, ScheduleRan)
    assert isinstance(ran, ScheduleRan)
    after = await again(world, made)
    assert (after.last_job_id, after.next_at) == (card.job_id, DAY_AFTER)
    assert died == (survives < 2)


async def test_of_what_was_missed_one_is_run_and_told(world: World, anna: Person) -> None:
    await make(world, anna, "hour")
    world.clock.advance(3.5 * HOUR)  # the hub is off
    await world.restart()
    await world.services.schedules.run_once()

    assert len(await jobs(world, anna)) == 1
    [ran] = await told(world, ScheduleRan)
    assert isinstance(ran, ScheduleRan)
    assert (ran.missed, ran.because) == (3, "hub_off")


async def test_what_is_to_be_skipped_is_skipped_and_told(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", missed=Missed.SKIP)
    world.clock.advance(3.5 * HOUR)
    await world.services.schedules.run_once()

    assert await jobs(world, anna) == []
    [missed] = await told(world, ScheduleMissed)
    assert isinstance(missed, ScheduleMissed)
    assert (missed.missed, missed.reason) == (3, "hub_off")
    assert (await again(world, made)).next_at == datetime(2026, 11, 20, 16, 0, tzinfo=UTC)


async def test_what_was_missed_more_than_a_day_ago_is_not_made_up_for(
    world: World, anna: Person
) -> None:
    await make(world, anna, "saturday 9:00")
    world.clock.advance(3 * DAY)
    await world.services.schedules.run_once()
    assert await jobs(world, anna) == []
    [missed] = await told(world, ScheduleMissed)
    assert isinstance(missed, ScheduleMissed)
    assert missed.missed == 1


async def test_a_run_that_goes_on_is_not_begun_twice(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", words=PROBE)
    await pass_time(world, 4.5 * HOUR)

    [card] = await jobs(world, anna)  # nobody has taken it: the computer is away
    [held] = await told(world, ScheduleMissed)  # told once, not each time
    assert isinstance(held, ScheduleMissed)
    assert (held.reason, held.schedule.last_job_id) == ("running", card.job_id)
    assert (await again(world, made)).skipped == 3

    desk = await world.desk(anna)
    await end(world, desk)
    await pass_time(world, HOUR)
    assert len(await jobs(world, anna)) == 2
    ran = (await told(world, ScheduleRan))[-1]
    assert isinstance(ran, ScheduleRan)
    assert (ran.missed, ran.because) == (3, "running")


async def test_one_that_fails_again_and_again_is_paused(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", words=PROBE)
    desk = await world.desk(anna)
    for _ in range(FAILURES_MAX):
        assert (await again(world, made)).paused is None
        await pass_time(world, HOUR)
        await end(world, desk, fails=True)
    await world.services.schedules.run_once()

    held = await again(world, made)
    assert (held.paused, held.next_at, held.failures) == (Paused.FAILING, None, FAILURES_MAX)
    [*_, last] = await told(world, ScheduleChanged)
    assert isinstance(last, ScheduleChanged)
    assert (last.change, last.by, last.schedule.why) == (
        "paused", "", "It failed 3 times in a row.",
    )  # fmt: skip
    await pass_time(world, 5 * HOUR)
    assert len(await jobs(world, anna)) == FAILURES_MAX


async def test_a_run_that_succeeds_begins_the_count_anew(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", words=PROBE)
    desk = await world.desk(anna)
    for fails in (True, True, False):
        await pass_time(world, HOUR)
        await end(world, desk, fails=fails)
    await world.services.schedules.run_once()
    assert ((await again(world, made)).failures, (await again(world, made)).paused) == (0, None)


async def test_an_end_wakes_the_loop(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", words=PROBE)
    desk = await world.desk(anna)
    await pass_time(world, HOUR)
    await world.restart()
    await desk.come()
    await world.services.schedules.run_once()
    await end(world, desk, fails=True)
    assert world.services.schedules.is_stirred
    await world.services.schedules.run_once()
    assert (await again(world, made)).failures == 1


async def test_whose_account_is_locked_has_nothing_run(world: World, anna: Person) -> None:
    made = await make(world, anna)
    await world.services.registry.lock(anna.person_id, "anna on Telegram")
    await pass_time(world, 21 * HOUR)
    held = await again(world, made)
    assert held.paused is Paused.LOCKED
    assert "locked" in held.why
    assert await jobs(world, anna) == []
    with pytest.raises(NotAllowed):
        await world.services.schedules.resume(anna.person_id, made.schedule_id, "anna")
    with pytest.raises(NotAllowed):
        await make(world, anna)


async def test_an_account_that_was_unlinked_has_nothing_run(world: World, anna: Person) -> None:
    made = await make(world, anna, frontend="telegram", account="4711")
    await pass_time(world, 21 * HOUR)
    assert (await again(world, made)).paused is Paused.UNLINKED
    assert await jobs(world, anna) == []


async def test_a_computer_that_is_gone_is_said(world: World, anna: Person) -> None:
    made = await make(world, anna, words="/predict churn new.csv @attic-pc")
    await pass_time(world, 21 * HOUR)
    held = await again(world, made)
    assert held.paused is Paused.REFUSED
    assert "attic-pc" in held.why


async def test_it_waits_while_paused_and_goes_on_from_then(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour")
    service, who = world.services.schedules, (anna.person_id, made.schedule_id, "anna on the web")
    assert (await service.pause(*who)).next_at is None
    await pass_time(world, 5.5 * HOUR)
    assert await jobs(world, anna) == []
    resumed = await service.resume(*who)
    assert resumed.next_at == datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    await service.resume(*who)
    changes = [one.change for one in await told(world, ScheduleChanged)]  # type: ignore[union-attr]
    assert changes == ["created", "paused", "resumed"]


async def test_run_now_changes_no_time_and_begins_none_twice(world: World, anna: Person) -> None:
    made = await make(world, anna)
    service = world.services.schedules
    job_id = await service.run_now(anna.person_id, made.schedule_id, "anna on the web")
    after = await again(world, made)
    assert (after.last_job_id, after.next_at) == (job_id, made.next_at)
    with pytest.raises(Conflict, match="has not ended"):
        await service.run_now(anna.person_id, made.schedule_id, "anna on the web")


async def test_what_was_removed_is_not_run(world: World, anna: Person) -> None:
    made = await make(world, anna)
    await world.services.schedules.delete(anna.person_id, made.schedule_id, "anna")
    await pass_time(world, 21 * HOUR)
    assert await jobs(world, anna) == []
    with pytest.raises(NotFound):
        await world.services.schedules.delete(anna.person_id, made.schedule_id, "anna")


async def test_nobody_else_has_a_say(world: World, anna: Person) -> None:
    made = await make(world, anna)
    ben = await world.person("ben")
    service = world.services.schedules
    for deed in (service.pause, service.resume, service.delete, service.run_now):
        with pytest.raises(NotFound):
            await deed(ben.person_id, made.schedule_id, "ben")
    with pytest.raises(NotFound):
        await service.named(ben.person_id, made.short)
    assert (await service.named(anna.person_id, f"#{made.short.lower()}")) == made
    assert await service.page(ben.person_id) == ()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"when": "every 2 minutes"}, "schedule_too_often"),
        ({"when": "0,2 8 * * *"}, "schedule_too_often"),
        ({"when": "soon"}, "schedule_words"),
        ({"zone": "Mars/Olympus"}, "zone_unknown"),
        ({"zone": "../../etc/passwd"}, "zone_unknown"),
        ({"words": "  "}, "schedule_words_missing"),
        ({"words": "x" * 4001}, "schedule_words_long"),
        ({"words": "/jobs"}, "schedule_makes_no_job"),
        ({"words": "/every day 8:00 /describe a.csv"}, "schedule_makes_no_job"),
        ({"words": "/nonsense"}, "command_unknown"),
    ],
)
async def test_what_cannot_be_scheduled_is_said_at_once(
    world: World, anna: Person, fields: dict[str, str], code: str
) -> None:
    with pytest.raises((BadInput, LimitReached)) as caught:
        await make(world, anna, **fields)
    assert caught.value.code == code
    assert await world.services.schedules.page(anna.person_id) == ()


async def test_nobody_has_more_than_so_many(world: World, anna: Person) -> None:
    for _ in range(SCHEDULES_MAX):
        await make(world, anna)
    with pytest.raises(LimitReached, match="100 schedules"):
        await make(world, anna)


async def test_it_keeps_the_zone_it_was_made_in(world: World, anna: Person) -> None:
    first = await make(world, anna)
    service = world.services.schedules
    assert await service.set_zone(anna.person_id, "Asia/Kathmandu") == "Asia/Kathmandu"
    second = await make(world, anna)
    assert (first.zone, second.zone) == ("Europe/Vienna", "Asia/Kathmandu")
    assert second.next_at == datetime(2026, 11, 21, 3, 15, tzinfo=UTC)
    assert (await again(world, first)).next_at == NINE
    assert await service.set_zone(anna.person_id, "") == "Europe/Vienna"
    with pytest.raises(BadInput):
        await service.set_zone(anna.person_id, "Nowhere")


async def test_the_zone_is_that_of_the_persons_computer(world: World, anna: Person) -> None:
    desk = await world.desk(anna)
    desk.zone = "America/New_York"
    await desk.come()
    assert (await make(world, anna)).zone == "America/New_York"


async def test_a_clock_that_is_set_back_brings_nothing_twice(world: World, anna: Person) -> None:
    made = await make(world, anna)
    await pass_time(world, 21 * HOUR)
    world.clock.jump(-2 * HOUR)
    world.clock.advance(10)
    await pass_time(world, 3 * HOUR)
    assert len(await jobs(world, anna)) == 1
    assert (await again(world, made)).next_at == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_clock_that_was_years_ahead_stops_nothing(
    world: World, anna: Person, restarts: bool
) -> None:
    made = await make(world, anna, missed=Missed.SKIP)
    world.clock.jump(1000 * DAY)
    await world.services.schedules.run_once()
    assert (await again(world, made)).next_at > datetime(2028, 1, 1, tzinfo=UTC)  # type: ignore[operator]
    world.clock.jump(-1000 * DAY)
    world.clock.advance(10)
    if restarts:
        await world.restart()
    await world.services.schedules.run_once()
    assert (await again(world, made)).next_at == NINE


async def test_what_is_asked_for_at_a_computer_is_done_when_it_arrives(
    world: World, anna: Person
) -> None:
    desk = await world.desk(anna)

    async def ask(action: ScheduleAction, **fields: str) -> None:
        await desk.report(ScheduleAsked(schedule_id=HERE, action=action, **fields))

    service = world.services.schedules
    await ask("create", words="/describe a.csv", when="every 2 hours", zone="Asia/Tokyo")
    made = await service.get(anna.person_id, HERE)
    assert (made.cron, made.zone, made.made_by) == ("0 */2 * * *", "Asia/Tokyo", "anna on anna-pc")
    await ask("pause")
    assert (await service.get(anna.person_id, HERE)).paused is Paused.PERSON
    await ask("resume")
    await ask("run")
    [card] = await jobs(world, anna)
    assert card.kind == "data.describe"
    await ask("delete")
    await ask("delete")
    [refused] = await told(world, RequestRefused)
    assert isinstance(refused, RequestRefused)
    assert (refused.error.code, refused.request) == ("schedule_unknown", "schedule_asked")


async def test_a_computer_names_its_schedule_by_an_id(world: World, anna: Person) -> None:
    desk = await world.desk(anna)
    name = ScheduleId("../" + "x" * 10_000)
    await desk.report(
        ScheduleAsked(schedule_id=name, action="create", words="/describe a.csv", when="every day")
    )
    [refused] = await told(world, RequestRefused)
    assert isinstance(refused, RequestRefused)
    assert refused.error.code == "schedule_id_invalid"
    assert await world.services.schedules.page(anna.person_id) == ()


async def test_a_run_whose_task_was_forgotten_counts_as_ended(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour", words=PROBE)
    desk = await world.desk(anna)
    await pass_time(world, HOUR)
    await end(world, desk)
    [card] = await jobs(world, anna)
    await world.services.intake.purge(anna.person_id, card.job.task_id, "anna")
    await pass_time(world, HOUR)
    assert (await world.job((await jobs(world, anna))[0].job_id)).life.state is JobState.QUEUED
    assert (await again(world, made)).failures == 0


async def test_a_full_queue_is_told_and_tried_again(world: World, anna: Person) -> None:
    made = await make(world, anna, "hour")
    world.board.ready_count = lambda person_id: 10**6  # type: ignore[method-assign]
    await pass_time(world, HOUR)
    [missed] = await told(world, ScheduleMissed)
    assert isinstance(missed, ScheduleMissed)
    assert missed.error is not None
    assert (missed.reason, missed.error.code) == ("refused", "too_many_jobs")
    assert (await again(world, made)).paused is None
    await pass_time(world, 2 * HOUR)
    assert (await again(world, made)).paused is Paused.FAILING


async def test_a_request_of_the_same_name_is_made_once(world: World, anna: Person) -> None:
    """As when a clock went back by more than a day, or a backup came back."""
    made = await make(world, anna)
    dedupe = f"schedule:{made.schedule_id}:{NINE.timestamp():.0f}"
    inputs = world.read_words(made.words).inputs
    await world.services.intake.request(
        Request(person_id=anna.person_id, kind="ml.predict", inputs=inputs, dedupe=dedupe)
    )
    await pass_time(world, 21 * HOUR)
    assert len(await jobs(world, anna)) == 1
    assert await told(world, ScheduleRan) == []
