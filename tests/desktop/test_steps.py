"""Steps of a job: each number is one job, kept here or lent, and is not run again by mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop.alone import Alone
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome_event import Names
from desktop.core.steps import OPEN_MAX, StepWanted
from desktop.steps import Steps
from desktop.store import facts, kept
from desktop.store.copies import HUB
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from desktop.store.journal import OpenQuestion
from desktop.store.minder import Minder
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, BadInput, ErrorBody, LimitReached, NotAllowed
from shared.events import (
    EventBody,
    JobCancelled,
    JobFailed,
    JobInterrupted,
    JobStarted,
    JobSucceeded,
    PartSettled,
    QuestionAnswered,
    QuestionParked,
    RequestRefused,
    TaskRequested,
    write_event,
)
from shared.ids import JobId, TaskId, WorkerId
from shared.jobs import JobSpec, JobState, Origin
from shared.kinds import Kind
from shared.messages import Events, Numbered
from shared.plan import StepEnded
from shared.questions import Answer
from tests.flows.play_steps import KINDS
from tests.makers import HandClock, make_asking

ME, LAB = WorkerId("0192f000-0000-7000-8000-000000000001"), WorkerId("lab")
ODD = ErrorBody(code="odd", message="It is odd.")
PASSING = ErrorBody(code="away", message="It is away.", retryable=True)
SAFE, ONCE = "play.step_tell", "play.step_stride"
REFUSED = NotAllowed("policy_refuses", "The owner does not allow it.")


@dataclass
class Floor:
    """A worker without children: what it is told to do is noted."""

    hands: Hands
    stopped: list[JobId] = field(default_factory=list)
    told: dict[int, StepEnded] = field(default_factory=dict)
    barred: AppError | None = None

    worker_id = ME
    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    is_online = is_offline = False

    def refusal_of_own(self, spec: JobSpec) -> AppError | None:
        return self.barred

    def is_due(self, attempt: Attempt) -> bool:
        return True

    def is_light(self, attempt: Attempt) -> bool:
        return True

    async def begin(self, attempt: Attempt) -> None:
        await self.hands.start(attempt.spec.job_id, attempt.number, attempt.fence)

    def pass_on(self, question: OpenQuestion, value: str) -> None:
        raise AssertionError("nobody asks")

    def stop(self, job_id: JobId) -> None:
        self.stopped.append(job_id)

    def start_waiting(self) -> None:
        return

    def step_ended(self, job_id: JobId, number: int, ended: StepEnded) -> None:
        self.told[number] = ended


class Place:
    """One life of a worker's program, on a store that outlives it."""

    def __init__(self, database: Database) -> None:
        self.clock = HandClock()
        self.environment = Environment(clock=self.clock)
        self.hands = Hands(
            database, self.environment, lambda: None, makers=frozenset({"play.plan"})
        )
        self.floor = Floor(self.hands)
        alone = Alone(self.hands, self.floor, self.environment)
        minder = Minder(database, self.environment)
        self.steps = Steps(self.hands, alone, self.floor, minder, self.environment)
        self.heard = 0

    async def a_plan(self, kind: str = "play.plan") -> JobId:
        """A job that runs here."""
        new_id = self.environment.new_id
        body = TaskRequested(
            task_id=TaskId(new_id()), job_id=JobId(new_id()), kind=kind, worker_id=ME,
            is_kept=True, session_id=new_id(),
        )  # fmt: skip
        spec = kept.spec_for(body, origin=Origin.CHAT)
        await self.hands.keep(body, spec)
        assert await self.hands.start(spec.job_id, 1, 1)
        return spec.job_id

    async def want(self, maker: JobId, *numbers: int, kind: str = SAFE) -> None:
        for number in numbers:
            wanted = StepWanted(number=number, kind=kind, inputs={}, title=f"Step {number}")
            self.steps.want(maker, wanted)
        await self.steps.run_once()

    def part(self, maker: JobId) -> Attempt:
        [found] = self.hands.parts_of(maker)
        return found

    async def end(self, part: Attempt, outcome: type, error: ErrorBody = ODD) -> None:
        """Start a part, and end it in one way or another."""
        job_id = part.spec.job_id
        if not part.is_alive:
            assert await self.hands.start(job_id, part.number, part.fence)

        def body(names: Names) -> JobSucceeded | JobFailed | JobInterrupted | JobCancelled:
            if outcome is JobSucceeded:
                result = {"headline": "Done.", "text": "it"}
                return JobSucceeded(**names, result=result, running_seconds=1)
            if outcome is JobFailed:
                return JobFailed(**names, error=error)
            return (
                JobInterrupted(**names, reason="Cut.")
                if outcome is JobInterrupted
                else (JobCancelled(**names))
            )

        await self.hands.end(job_id, body)
        await self.steps.run_once()

    async def hear(self, *bodies: EventBody, device: str = HUB) -> None:
        """Hear of the hub's log."""
        events = []
        for body in bodies:
            self.heard += 1
            event = write_event(
                body, device=device, epoch=1, seq=self.heard, at=self.environment.now()
            )
            events.append(Numbered(hub_seq=self.heard, hlc=self.heard, event=event))
        after = self.heard - len(bodies)
        told = await self.hands.hear(
            "hub", Events(after=after, events=tuple(events), upto=self.heard)
        )
        self.steps.heard(told.settled)
        await self.steps.run_once()

    async def requests(self, database: Database) -> list[TaskRequested]:
        """What this machine has asked for as parts."""
        rows = await database.read(
            lambda c: c.execute(
                "select body from event where type = 'task_requested' order by step_id"
            ).fetchall()
        )
        bodies = [TaskRequested.model_validate_json(body) for (body,) in rows]
        return [body for body in bodies if body.part_of]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "store.sqlite3") as database:
        pairing = Pairing(
            hub_url="http://hub", worker_id=ME, worker_name="anna-pc", hub_name="hub",
            person_name="anna",
        )  # fmt: skip
        database.submit(lambda c: facts.save_pairing(c, pairing)).result(10)
        yield database


@pytest.fixture
def place(database: Database) -> Place:
    return Place(database)


async def reborn(database: Database, maker: JobId) -> Place:
    """The program died and starts again, and the plan with it."""
    place = Place(database)
    await place.hands.recover(KINDS, "anna-pc restarted while it ran.")
    assert await place.hands.start(maker, 1, 1)
    return place


async def test_a_step_is_of_its_makers_task_session_and_origin(
    place: Place, database: Database
) -> None:
    maker = await place.a_plan()
    await place.want(maker, 3)
    spec, of = place.part(maker).spec, place.hands.alive(maker)
    assert of is not None
    assert (spec.task_id, spec.session_id, spec.origin, spec.title) == (
        of.spec.task_id, of.spec.session_id, Origin.CHAT, "Step 3",
    )  # fmt: skip
    [asked] = await place.requests(database)
    assert (asked.is_kept, asked.worker_id, asked.step) == (True, ME, 3)


async def test_its_output_goes_to_the_plan(place: Place) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    job_id = place.part(maker).spec.job_id
    await place.end(place.part(maker), JobSucceeded)
    told = place.floor.told[0]
    assert (told.job_id, told.state, told.seconds) == (job_id, "succeeded", 1)
    assert (told.output or {})["text"] == "it"


async def test_what_is_open_after_a_crash_is_waited_for(place: Place, database: Database) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    before = place.part(maker).spec.job_id
    again = await reborn(database, maker)
    await again.want(maker, 0)
    assert again.part(maker).spec.job_id == before
    await again.end(again.part(maker), JobSucceeded)
    assert again.floor.told[0].job_id == before


async def test_what_ended_well_is_told_from_the_log(place: Place, database: Database) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    await place.end(place.part(maker), JobSucceeded)
    first = place.floor.told[0]
    again = await reborn(database, maker)
    await again.want(maker, 0)
    assert again.floor.told == {0: first}
    await database.write(lambda c: c.execute("delete from part"))
    await again.want(maker, 0)
    assert again.floor.told == {0: first}, "also when only the log knows"
    assert not again.hands.parts_of()


async def test_what_failed_is_made_anew_when_it_is_asked_for_again(
    place: Place, database: Database
) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0, kind=ONCE)
    await place.end(place.part(maker), JobFailed)
    assert place.floor.told[0].code == "odd"
    await place.want(maker, 0, kind=ONCE)
    assert place.hands.parts_of(maker)


async def test_what_was_cut_off_and_may_not_run_twice_is_told_and_never_run_again(
    place: Place, database: Database
) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0, kind=ONCE)
    part = place.part(maker)
    assert await place.hands.start(part.spec.job_id, 1, 1)
    again = await reborn(database, maker)
    for _ in range(2):
        await again.want(maker, 0, kind=ONCE)
        told = again.floor.told.pop(0)
        assert (told.job_id, told.state, told.code) == (part.spec.job_id, "failed", "interrupted")
    assert not again.hands.parts_of()


async def test_a_step_that_a_store_taken_back_forgot_is_not_run_again(
    place: Place, database: Database
) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0, kind=ONCE)
    await database.write(lambda c: c.execute("delete from attempt where part_of != ''"))
    again = await reborn(database, maker)
    await again.want(maker, 0, kind=ONCE)
    assert again.floor.told[0].code == "interrupted"
    assert not again.hands.parts_of()


async def test_a_passing_failure_is_tried_again_as_often_as_the_hub_would(place: Place) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    for _ in range(2):
        await place.end(place.part(maker), JobFailed, PASSING)
        assert not place.hands.parts_of(), "it waits"
        place.clock.advance(3600)
        await place.steps.run_once()
    await place.end(place.part(maker), JobFailed, PASSING)
    assert place.floor.told[0].code == "away"


async def test_a_step_that_is_dropped_before_its_start_is_cancelled(place: Place) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    place.steps.drop(maker, 0)
    await place.steps.run_once()
    assert not place.hands.parts_of()
    assert not place.floor.told


async def test_a_step_that_is_dropped_and_wanted_again_is_made_anew(place: Place) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0)
    first = place.part(maker)
    assert await place.hands.start(first.spec.job_id, 1, 1)
    place.steps.drop(maker, 0)
    await place.want(maker, 0)
    assert place.floor.stopped == [first.spec.job_id]
    alive = place.hands.alive(first.spec.job_id)
    assert alive is not None
    await place.end(alive, JobCancelled)
    await place.steps.run_once()
    assert place.part(maker).spec.job_id != first.spec.job_id
    assert not place.floor.told


async def test_a_job_without_steps_and_a_kind_that_is_no_step_are_refused(place: Place) -> None:
    plan, other = await place.a_plan(), await place.a_plan(SAFE)
    await place.want(plan, 0, kind="play.plan")
    assert place.floor.told.pop(0).code == "job_makes_not"
    await place.want(other, 0)
    assert place.floor.told.pop(0).code == "job_makes_not"


async def test_so_many_steps_may_be_open_and_no_more(place: Place) -> None:
    maker = await place.a_plan()
    await place.want(maker, *range(OPEN_MAX + 1))
    assert place.floor.told[OPEN_MAX].code == "too_many_steps"
    assert len(place.hands.parts_of(maker)) == OPEN_MAX


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(REFUSED, False), (LimitReached("slots_busy", "Busy.", "", retryable=True), True)],
    ids=["not here", "not now"],
)
async def test_a_step_goes_elsewhere_only_when_it_never_runs_here(
    place: Place, database: Database, error: AppError, is_kept: bool
) -> None:
    maker = await place.a_plan()
    place.floor.barred = error
    await place.want(maker, 0)
    [asked] = await place.requests(database)
    assert (asked.is_kept, asked.worker_id, bool(asked.session_id)) == (
        is_kept, ME if is_kept else None, is_kept,
    )  # fmt: skip
    assert bool(place.hands.parts_of(maker)) is is_kept


async def test_inputs_that_nobody_takes_are_no_wish_to_others(place: Place) -> None:
    maker = await place.a_plan()
    place.floor.barred = BadInput("inputs_invalid", "It takes no such input.")
    await place.want(maker, 0)
    assert place.floor.told[0].code == "inputs_invalid"


async def a_lent_step(place: Place, database: Database) -> tuple[JobId, JobId]:
    maker = await place.a_plan()
    place.floor.barred = REFUSED
    await place.want(maker, 0, kind=ONCE)
    [asked] = await place.requests(database)
    return maker, asked.job_id


async def test_a_step_elsewhere_is_over_once_the_hub_says_so(
    place: Place, database: Database
) -> None:
    maker, lent = await a_lent_step(place, database)
    await place.hear(JobStarted(job_id=lent, attempt=1, fence=1), device=LAB)
    await place.hear(JobFailed(job_id=lent, attempt=1, fence=1, error=PASSING), device=LAB)
    await place.want(maker, 0, kind=ONCE)
    assert not place.floor.told, "the hub may have it tried again"
    assert len(await place.requests(database)) == 1
    done = JobSucceeded(
        job_id=lent, attempt=2, fence=2, result={"headline": "Done.", "text": "far"},
        running_seconds=2,
    )  # fmt: skip
    await place.hear(done, device=LAB)
    assert not place.floor.told
    await place.hear(PartSettled(job_id=lent, part_of=maker, state=JobState.SUCCEEDED))
    assert (place.floor.told[0].output or {})["text"] == "far"


async def test_a_step_elsewhere_that_is_given_up_is_told_with_its_reason(
    place: Place, database: Database
) -> None:
    maker, lent = await a_lent_step(place, database)
    settled = PartSettled(job_id=lent, part_of=maker, state=JobState.DEAD, error=ODD)
    await place.hear(settled)
    assert (place.floor.told[0].state, place.floor.told[0].code) == ("failed", "odd")


async def test_a_step_that_the_hub_refuses_is_told(place: Place, database: Database) -> None:
    _, lent = await a_lent_step(place, database)
    refused = RequestRefused(job_id=lent, request="task_requested", error=ODD, by=ME)
    await place.hear(refused)
    assert place.floor.told[0].code == "odd"


async def test_only_the_hub_settles_a_step_elsewhere(place: Place, database: Database) -> None:
    maker, lent = await a_lent_step(place, database)
    settled = PartSettled(job_id=lent, part_of=maker, state=JobState.SUCCEEDED)
    await place.hear(settled, device=LAB)
    await place.steps.run_once()
    assert not place.floor.told


async def test_a_step_elsewhere_that_ended_while_the_program_was_down_is_told(
    place: Place, database: Database
) -> None:
    maker, lent = await a_lent_step(place, database)
    again = await reborn(database, maker)
    again.heard = place.heard
    await again.hear(PartSettled(job_id=lent, part_of=maker, state=JobState.CANCELLED))
    again.floor.barred = REFUSED
    await again.want(maker, 0)
    [first, anew] = await again.requests(database)
    assert (first.job_id, anew.step) == (lent, 0), "what was stopped is made anew"


async def test_a_step_elsewhere_that_is_open_after_a_crash_is_not_asked_for_twice(
    place: Place, database: Database
) -> None:
    maker, lent = await a_lent_step(place, database)
    again = await reborn(database, maker)
    again.floor.barred = REFUSED
    await again.want(maker, 0, kind=ONCE)
    assert [asked.job_id for asked in await again.requests(database)] == [lent]


async def test_a_step_elsewhere_that_is_dropped_is_to_be_stopped(
    place: Place, database: Database
) -> None:
    maker, lent = await a_lent_step(place, database)
    place.steps.drop(maker, 0)
    await place.steps.run_once()
    rows = await database.read(
        lambda c: c.execute("select job_id from event where type = 'cancel_asked'").fetchall()
    )
    assert rows == [(lent,)]


async def test_a_part_waits_for_its_answer_where_it_is(place: Place, database: Database) -> None:
    maker = await place.a_plan()
    await place.want(maker, 0, kind=ONCE)
    job_id = place.part(maker).spec.job_id
    assert await place.hands.start(job_id, 1, 1)
    await place.hands.ask(job_id, make_asking())
    [(question,)] = await database.read(
        lambda c: c.execute("select question_id from question").fetchall()
    )
    await place.hear(QuestionParked(question_id=question, job_id=job_id))
    assert place.part(maker).state is AttemptState.ASKING
    answer = Answer(value="/data/sales.csv", by="anna")
    await place.hear(QuestionAnswered(question_id=question, job_id=job_id, answer=answer))
    assert place.part(maker).state is AttemptState.RUNNING
    assert not place.floor.told


async def test_it_waits_in_run_without_looking_all_the_time(place: Place) -> None:
    maker = await place.a_plan()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(place.steps.run())
        place.steps.want(maker, StepWanted(number=0, kind=SAFE, inputs={}, title="x"))
        while not place.hands.parts_of(maker):  # noqa: ASYNC110 (hands have no bell)
            await asyncio.sleep(0.01)
        running.cancel()
    assert place.part(maker).state is AttemptState.GRANTED
