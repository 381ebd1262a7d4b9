"""Parts of a job are made a few at a time, none twice, and live no longer than their maker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop.alone import Alone
from desktop.core.attempt import Attempt, AttemptState
from desktop.core.outcome import Following, PartsWanted
from desktop.core.outcome_event import Names
from desktop.core.parts import OPEN_MAX
from desktop.parts import Parts
from desktop.store import copied, facts, kept
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from desktop.store.journal import OpenQuestion
from desktop.store.minder import Minder
from desktop.store.parts import PartEnd
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, ErrorBody, NotAllowed
from shared.events import JobCancelled, JobFailed, JobSucceeded, TaskRequested
from shared.ids import JobId, TaskId, WorkerId
from shared.jobs import JobSpec, JobState, Origin
from shared.kinds import Kind
from tests.flows.play_parts import KINDS

ENVIRONMENT = Environment()
ME = WorkerId(ENVIRONMENT.new_id())
ODD = ErrorBody(code="odd", message="It is odd.")


@dataclass
class Floor:
    """A worker without a line and without children: what it is told to do is noted."""

    hands: Hands
    refused: dict[JobId, str] = field(default_factory=dict)
    stopped: list[JobId] = field(default_factory=list)
    ends: dict[JobId, Mapping[PartEnd, int]] = field(default_factory=dict)
    told: asyncio.Event = field(default_factory=asyncio.Event)
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

    def refuse(self, job_id: JobId, error: ErrorBody) -> None:
        self.refused[job_id] = error.code

    def stop(self, job_id: JobId) -> None:
        self.stopped.append(job_id)

    def start_waiting(self) -> None:
        self.told.set()

    def parts_ended(self, job_id: JobId, ends: Mapping[PartEnd, int]) -> None:
        self.ends[job_id] = ends
        self.told.set()


class Place:
    """One life of a worker's program, on a store that outlives it."""

    def __init__(self, database: Database) -> None:
        self.hands = Hands(database, ENVIRONMENT, lambda: None)
        self.floor = Floor(self.hands)
        self.alone = Alone(self.hands, self.floor, ENVIRONMENT)
        minder = Minder(database, ENVIRONMENT)
        self.parts = Parts(self.hands, self.alone, self.floor, minder, ENVIRONMENT)

    async def a_maker(self, *, is_kept: bool = True, kind: str = "play.run") -> JobId:
        """A job that runs here."""
        body = TaskRequested(
            task_id=TaskId(ENVIRONMENT.new_id()), job_id=JobId(ENVIRONMENT.new_id()), kind=kind,
            worker_id=ME, is_kept=True, session_id=ENVIRONMENT.new_id(),
        )  # fmt: skip
        spec = kept.spec_for(body, origin=Origin.CHAT)
        if is_kept:
            await self.hands.keep(body, spec)
        else:
            await self.hands.accept(spec, 1)
        assert await self.hands.start(spec.job_id, 1, 1)
        return spec.job_id

    async def want(self, maker: JobId, *indexes: int) -> None:
        self.parts.want(maker, PartsWanted("play.part", {"text": "x"}, indexes))
        await self.parts.run_once()

    async def end(self, part: Attempt, outcome: type = JobSucceeded) -> None:
        """Start a part, and end it in one way or another."""
        job_id = part.spec.job_id
        if not part.is_alive:
            assert await self.hands.start(job_id, part.number, part.fence)

        def body(names: Names) -> JobSucceeded | JobFailed | JobCancelled:
            if outcome is JobSucceeded:
                return JobSucceeded(**names, result={"headline": "Done."}, running_seconds=1)
            return JobFailed(**names, error=ODD) if outcome is JobFailed else JobCancelled(**names)

        await self.hands.end(job_id, body)
        await self.parts.run_once()

    def indexes(self, maker: JobId) -> list[int]:
        """Of the parts in hand."""
        return sorted(int(str(a.spec.inputs["index"])) for a in self.hands.parts_of(maker))

    def part(self, maker: JobId, index: int) -> Attempt:
        [found] = [a for a in self.hands.parts_of(maker) if a.spec.inputs["index"] == index]
        return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "store.sqlite3") as database:
        pairing = Pairing(
            hub_url="http://hub",
            worker_id=ME,
            worker_name="anna-pc",
            hub_name="hub",
            person_name="anna",
        )
        database.submit(lambda c: facts.save_pairing(c, pairing)).result(10)
        yield database


@pytest.fixture
def place(database: Database) -> Place:
    return Place(database)


async def reborn(database: Database) -> Place:
    """The program died and starts again."""
    place = Place(database)
    await place.hands.recover(KINDS, "anna-pc restarted while it ran.")
    return place


async def test_no_more_parts_are_in_hand_than_fit_and_all_are_made_in_the_end(
    place: Place,
) -> None:
    maker, count = await place.a_maker(), OPEN_MAX + 100
    await place.want(maker, *range(count))
    assert len(place.hands.parts_of()) == OPEN_MAX
    while found := place.hands.parts_of(maker):
        await place.end(found[0])
        assert len(place.hands.parts_of()) <= OPEN_MAX
    assert place.floor.ends == {maker: {PartEnd.SUCCEEDED: count}}


async def test_jobs_with_parts_share_the_room(place: Place) -> None:
    first, second = await place.a_maker(), await place.a_maker()
    for maker in (first, second):
        place.parts.want(maker, PartsWanted("play.part", {}, tuple(range(OPEN_MAX))))
    await place.parts.run_once()
    assert len(place.hands.parts_of(first)) == len(place.hands.parts_of(second)) == OPEN_MAX // 2


async def test_what_is_open_after_a_crash_is_not_made_twice(
    place: Place, database: Database
) -> None:
    maker = await place.a_maker()
    await place.want(maker, 0, 1, 2, 3)
    await place.end(place.part(maker, 0))
    await place.end(place.part(maker, 1), JobFailed)
    before = {a.spec.job_id for a in place.hands.parts_of(maker)}

    again = await reborn(database)
    assert {a.spec.job_id for a in again.hands.parts_of(maker)} == before
    assert await again.hands.start(maker, 1, 1)
    await again.want(maker, 0, 1, 2, 3)
    assert again.indexes(maker) == [1, 2, 3], "0 ended well, and 1 is made anew"
    assert before < {a.spec.job_id for a in again.hands.parts_of(maker)}
    for index in (1, 2, 3):
        await again.end(again.part(maker, index))
    assert again.floor.ends == {maker: {PartEnd.SUCCEEDED: 4}}


async def test_a_maker_that_asks_for_nothing_waits_for_what_is_open(
    place: Place, database: Database
) -> None:
    maker = await place.a_maker()
    await place.want(maker, 7)
    again = await reborn(database)
    assert await again.hands.start(maker, 1, 1)
    await again.want(maker)
    assert not again.floor.ends
    await again.end(again.part(maker, 7))
    assert maker in again.floor.ends


@pytest.mark.parametrize("outcome", [JobFailed, JobCancelled])
async def test_how_parts_came_out_is_counted(place: Place, outcome: type) -> None:
    maker = await place.a_maker()
    await place.want(maker, 0, 1)
    await place.end(place.part(maker, 0))
    await place.end(place.part(maker, 1), outcome)
    told = PartEnd.FAILED if outcome is JobFailed else PartEnd.CANCELLED
    assert place.floor.ends == {maker: {PartEnd.SUCCEEDED: 1, told: 1}}


async def test_parts_end_with_their_maker(place: Place, database: Database) -> None:
    maker = await place.a_maker()
    await place.want(maker, 0, 1, 2)
    running = place.part(maker, 1)
    assert await place.hands.start(running.spec.job_id, 1, 1)
    await place.hands.end(maker, lambda names: JobCancelled(**names))
    await place.parts.run_once()
    assert place.indexes(maker) == [1], "what waited is cancelled already"
    assert place.floor.stopped == [running.spec.job_id]
    await place.end(place.part(maker, 1), JobCancelled)
    counts = await database.read(lambda c: copied.part_counts(c, maker))
    assert counts == {JobState.CANCELLED: 3}


async def test_parts_that_outlived_their_maker_end_at_the_next_start(
    place: Place, database: Database
) -> None:
    maker = await place.a_maker()
    await place.want(maker, 0, 1)
    await place.hands.end(
        maker, lambda names: JobCancelled(**names)
    )  # and dies before it clears up
    again = await reborn(database)
    assert not again.hands.parts_of()
    counts = await database.read(lambda c: copied.part_counts(c, maker))
    assert counts == {JobState.CANCELLED: 2}
    rows = await database.read(lambda c: c.execute("select count(*) from part").fetchone())
    assert rows == (0,)


async def test_no_part_is_made_of_a_job_that_has_just_ended(place: Place) -> None:
    maker = await place.a_maker()
    place.parts.want(maker, PartsWanted("play.part", {}, (0, 1)))
    await place.hands.end(maker, lambda names: JobCancelled(**names))
    await place.parts.run_once()
    assert not place.hands.parts_of()
    assert not place.floor.ends


@pytest.mark.parametrize("is_kept", [True, False], ids=["asked for here", "given by a hub"])
async def test_what_has_parts_is_begun_again_where_it_was(
    place: Place, database: Database, is_kept: bool
) -> None:
    maker = await place.a_maker(is_kept=is_kept)
    await place.want(maker, 0)
    for _ in range(kept.RESUMED_MAX):
        place = await reborn(database)
        attempt = place.hands.get(maker, 1)
        assert attempt is not None
        assert attempt.state is AttemptState.GRANTED
        assert await place.hands.start(maker, 1, 1)
    assert place.indexes(maker) == [0]


async def test_a_part_that_always_stops_the_program_fails_in_the_end(
    place: Place, database: Database
) -> None:
    maker = await place.a_maker()
    await place.want(maker, 0, 1)
    culprit = place.part(maker, 0).spec.job_id
    for _ in range(kept.RESUMED_MAX + 1):
        assert await place.hands.start(culprit, 1, 1)
        place = await reborn(database)
    assert place.indexes(maker) == [1]
    assert (await database.read(lambda c: copied.part_counts(c, maker)))[JobState.FAILED] == 1


async def test_a_job_has_made_only_what_its_kind_may(place: Place) -> None:
    maker = await place.a_maker(kind="play.greedy")
    place.parts.want(maker, PartsWanted("play.after", {}, (0,)))
    assert place.floor.refused == {maker: "job_makes_not"}
    with pytest.raises(NotAllowed, match=r"play\.after"):
        place.parts.following(maker, (Following("play.after", {}),))


async def test_what_the_owner_does_not_allow_is_refused_once_and_not_for_each_part(
    place: Place,
) -> None:
    maker = await place.a_maker()
    place.floor.barred = NotAllowed("policy_refuses", "Not from there.")
    await place.want(maker, *range(100))
    assert place.floor.refused == {maker: "policy_refuses"}
    assert not place.hands.parts_of()


async def test_what_follows_is_written_with_a_good_end_and_with_that_alone(
    place: Place, database: Database
) -> None:
    for outcome, count in ((JobFailed, 0), (JobSucceeded, 1)):
        maker = await place.a_maker()
        requests = place.parts.following(maker, (Following("play.after", {"number": 1}),))

        def body(names: Names, outcome: type = outcome) -> JobSucceeded | JobFailed:
            if outcome is JobFailed:
                return JobFailed(**names, error=ODD)
            return JobSucceeded(**names, result={"headline": "Done."}, running_seconds=1)

        for _ in range(2):
            await place.hands.end(maker, body, following=requests)
        again = await reborn(database)
        [*after] = [a for a in again.hands.waiting if a.spec.kind == "play.after"]
        assert len(after) == count
        for attempt in after:
            assert (attempt.spec.origin, attempt.is_kept) == (Origin.CHAT, True)
