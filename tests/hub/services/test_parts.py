"""Parts of a job that its worker had made: taken in, told to nobody, offered to nobody."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.fact import Fact
from hub.core.task_row import RowFilter, RowSort
from hub.core.webhook_message import type_of
from hub.frontends.web.live import topics_of
from hub.store import chronicle, jobs, task_rows
from hub.store.chronicle import Wanted
from shared.errors import Conflict
from shared.events import (
    AttemptEventBody,
    JobCancelled,
    JobDied,
    JobFailed,
    JobQueued,
    JobStarted,
    JobSucceeded,
    RequestRefused,
    SessionOpened,
    TaskPurged,
    TaskRequested,
)
from shared.ids import JobId, PersonId, WorkerId
from shared.jobs import JobState, Origin, Priority
from shared.messages import Grant
from tests.hub.reports import started
from tests.hub.worlds import Desk, World
from tests.makers import PASSING

LONG_SECONDS = 3600.0
PROBED = {
    "headline": "Answered.", "run": "r", "index": 3, "scenario": "s", "model": "m",
    "state": "answered", "turns": 1, "total_ms": 5.0,
}  # fmt: skip


async def a_run(world: World) -> tuple[Desk, Grant]:
    """A worker that runs a job of the kind that has parts."""
    anna = await world.person()
    pc = await world.desk(anna)
    await world.request(anna, "llm.run", origin=Origin.CHAT, priority=Priority.HIGH)
    grant = await pc.take()
    await pc.report(started(grant))
    return pc, grant


async def part_of(
    world: World, grant: Grant, worker_id: WorkerId, **fields: object
) -> TaskRequested:
    task_id = (await world.job(grant.job_id)).task_id
    return TaskRequested.model_validate(
        {"task_id": task_id, "job_id": str(uuid.uuid4()), "kind": "llm.probe", "is_kept": True,
         "inputs": {"run": "r", "index": 3}, "title": "Probe 4 of 9", "worker_id": worker_id,
         "part_of": grant.job_id, **fields}
    )  # fmt: skip


def names(part: TaskRequested) -> dict[str, object]:
    return {"job_id": part.job_id, "attempt": 1, "fence": 1, "part_of": part.part_of}


def run_ended(grant: Grant) -> JobSucceeded:
    told = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    result = {"headline": "Done.", "run": "r", "name": "n", "total": 9}
    return JobSucceeded.model_validate({**told, "result": result, "running_seconds": 1})


def ended(part: TaskRequested, **fields: object) -> tuple[AttemptEventBody, ...]:
    told = {**names(part), "result": PROBED, "running_seconds": 1, **fields}
    return JobStarted.model_validate(names(part)), JobSucceeded.model_validate(told)


async def facts(world: World) -> list[Fact]:
    return await world.services.feed.after(0, 1000)


async def test_a_part_is_taken_in_with_the_rights_and_the_urgency_of_its_maker(
    world: World,
) -> None:
    pc, grant = await a_run(world)
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part)

    job = await world.job(part.job_id)
    assert (job.part_of, job.life.state, job.life.worker_id) == (
        grant.job_id, JobState.GRANTED, pc.worker_id,
    )  # fmt: skip
    card = await world.services.views.job(pc.person_id, part.job_id)
    assert (card.origin, card.title) == (Origin.CHAT, "Probe 4 of 9")
    assert job.priority is Priority.HIGH
    assert not await pc.offers()
    assert (await world.job(grant.job_id)).pinned_to == pc.worker_id

    await pc.report(*ended(part))
    assert (await world.job(part.job_id)).life.state is JobState.SUCCEEDED
    opened = [fact for fact in await facts(world) if isinstance(fact.body, SessionOpened)]
    assert len(opened) == 1, "its maker sits in the session for it"


@pytest.mark.parametrize("what", ["another task", "another's job", "no job", "a part", "not kept"])
async def test_a_worker_has_parts_made_only_of_what_it_holds(world: World, what: str) -> None:
    pc, grant = await a_run(world)
    mac = await world.desk(await world.person("ben"), "studio-mac")
    sound = await part_of(world, grant, pc.worker_id)
    await pc.report(sound)
    teller, changes = pc, dict[str, object]()
    match what:
        case "another task":
            changes = {"task_id": str(uuid.uuid4())}
        case "another's job":
            teller = mac
        case "no job":
            changes = {"part_of": str(uuid.uuid4())}
        case "a part":
            changes = {"part_of": sound.job_id}
        case _:
            changes = {"is_kept": False}
    part = await part_of(world, grant, teller.worker_id, **changes)
    await teller.report(part, *ended(part))
    refused = [f.body for f in await facts(world) if isinstance(f.body, RequestRefused)]
    assert [body.job_id for body in refused] == [part.job_id]
    assert await world.services.views.part_counts(grant.job_id) == {JobState.GRANTED: 1}


async def test_what_is_told_of_a_part_is_nobodys_news(world: World) -> None:
    pc, grant = await a_run(world)
    before = len(await facts(world))
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part, *ended(part))
    told = (await facts(world))[before:]
    assert [fact.type for fact in told] == [
        "task_requested", "job_granted", "job_started", "job_succeeded",
    ]  # fmt: skip
    assert all(fact.is_of_part for fact in told)
    assert {type_of(fact) for fact in told} == {None}, "no program is told"
    assert {topic for fact in told for topic in topics_of(fact)} == {
        f"job:{part.job_id}", f"parts:{grant.job_id}",
    }  # fmt: skip
    seen = await world.ledger.read(lambda c: chronicle.stretch(c, Wanted(), 100))
    done = await world.ledger.read(lambda c: chronicle.by_people(c, Wanted(), 100))
    assert part.job_id not in {fact.entity for fact in (*seen.facts, *done.facts)}


async def test_parts_take_no_place_of_other_jobs(world: World) -> None:
    pc, grant = await a_run(world)
    for _ in range(5):
        await pc.report(await part_of(world, grant, pc.worker_id))
    status = await world.services.views.queue_status(pc.person_id)
    assert (status.running, sum(status.waiting.values())) == (1, 0)
    [row] = (await world.services.views.task_rows(RowFilter(person_id=pc.person_id))).rows
    assert (row.job.job_id, row.jobs) == (grant.job_id, 1)
    anna = next(p for p in await world.services.registry.people() if p.person_id == pc.person_id)
    for _ in range(pc.slots):
        await world.request(anna)
    assert len(await pc.offers()) == pc.slots - 1, "the run has one, as far as this board knows"


async def test_a_part_that_fails_is_tried_by_its_maker_alone(world: World) -> None:
    pc, grant = await a_run(world)
    part = await part_of(world, grant, pc.worker_id)
    failed = JobFailed.model_validate({**names(part), "error": PASSING})
    await pc.report(part, failed)
    assert (await world.job(part.job_id)).life.state is JobState.FAILED
    bodies = [type(fact.body) for fact in await facts(world) if fact.entity == part.job_id]
    assert JobQueued not in bodies
    assert JobDied not in bodies
    with pytest.raises(Conflict, match="part of"):
        await world.services.intake.retry(pc.person_id, part.job_id, "anna")
    assert await world.services.views.dead_count(pc.person_id) == 0


async def test_a_run_and_its_parts_stay_where_they_are_while_their_computer_is_away(
    world: World,
) -> None:
    pc, grant = await a_run(world)
    mac = await world.desk(next(iter(await world.services.registry.people())), "studio-mac")
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part)
    pc.go(was_silent=True)
    world.clock.advance(LONG_SECONDS)
    await world.rescue()
    assert not await mac.offers()
    for job_id in (grant.job_id, part.job_id):
        life = (await world.job(job_id)).life
        assert life.is_held
        assert life.worker_id == pc.worker_id


async def test_a_part_that_its_computer_comes_back_without_is_over(world: World) -> None:
    pc, grant = await a_run(world)
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part)
    pc.go()
    await pc.come()
    assert (await world.job(part.job_id)).life.state is JobState.CANCELLED
    told = [f for f in await facts(world) if f.entity == part.job_id]
    assert isinstance(told[-1].body, JobCancelled)
    assert told[-1].is_of_part


async def test_a_part_that_ended_while_away_counts_although_nothing_holds_it_any_more(
    world: World,
) -> None:
    pc, grant = await a_run(world)
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part)
    pc.go()
    events = pc.events(*ended(part))
    await pc.come()  # its hello names the number that its log has come to
    await pc.push(events)
    await world.rescue()
    assert (await world.job(part.job_id)).life.state is JobState.SUCCEEDED


async def test_what_follows_a_run_has_the_runs_origin(world: World) -> None:
    pc, grant = await a_run(world)
    task_id = (await world.job(grant.job_id)).task_id
    after = TaskRequested(
        task_id=task_id, job_id=JobId(str(uuid.uuid4())), kind="llm.stats", is_kept=True,
        worker_id=pc.worker_id, follows=grant.job_id,
    )  # fmt: skip
    await pc.report(run_ended(grant), after)
    card = await world.services.views.job(pc.person_id, after.job_id)
    assert (card.origin, card.state, card.job.part_of) == (Origin.CHAT, JobState.GRANTED, None)


async def test_a_purged_task_takes_its_parts_along_and_names_them_not_one_by_one(
    world: World,
) -> None:
    pc, grant = await a_run(world)
    part = await part_of(world, grant, pc.worker_id)
    await pc.report(part, *ended(part), run_ended(grant))
    task_id = (await world.job(grant.job_id)).task_id
    await world.services.intake.purge(pc.person_id, task_id, "anna")
    [told] = [f.body for f in await facts(world) if isinstance(f.body, TaskPurged)]
    assert told.job_ids == (grant.job_id,)
    left = await world.ledger.read(lambda c: c.execute("select count(*) from jobs").fetchone())
    assert left == (0,)


PARTS = 3000


@pytest.fixture
def store(tmp_path: Path, world: World) -> Iterator[sqlite3.Connection]:
    """A store with a run of many parts, and a few other tasks before it."""
    connection = sqlite3.connect(world.database.path, isolation_level=None)
    row = {
        "short": "AAAA", "person_id": "anna", "priority": "default", "tools": "[]",
        "title": "x", "inputs": "{}", "origin": "chat", "traceparent": "", "attempt": 1,
        "fence": 1, "failures": 0, "losses": 0, "is_held": 0, "cancel_by": "",
    }  # fmt: skip

    def add(number: int, task: str, kind: str, state: str, part_of: str | None) -> None:
        job = {
            **row, "job_id": f"{number:08x}-0000-7000-8000-000000000000", "task_id": task,
            "kind": kind, "state": state, "part_of": part_of, "created_ms": number,
            "updated_ms": number, "worker_id": "pc",
        }  # fmt: skip
        marks = ", ".join("?" * len(job))
        connection.execute(
            f"insert into jobs ({', '.join(job)}) values ({marks})", tuple(job.values())
        )

    connection.execute("insert into people (person_id, name, created_ms) values ('anna', 'a', 1)")
    connection.execute("begin")
    for number in range(20):
        connection.execute("insert into tasks values (?, 'anna', 'x', '', 1)", (f"t{number}",))
        add(number, f"t{number}", "ml.train", "failed" if number % 2 else "succeeded", None)
    connection.execute("insert into tasks values ('run', 'anna', 'x', '', 1)")
    add(100, "run", "llm.run", "succeeded", None)
    maker = "00000064-0000-7000-8000-000000000000"
    for number in range(PARTS):
        add(1000 + number, "run", "llm.probe", "failed" if number % 2 else "succeeded", maker)
    connection.execute("commit")
    yield connection
    connection.close()


@pytest.mark.parametrize("sort", RowSort)
@pytest.mark.parametrize(
    "wanted",
    [
        RowFilter(),
        RowFilter(states=frozenset({JobState.FAILED})),
        RowFilter(kind="llm.run"),
        RowFilter(worker_id=WorkerId("pc")),
    ],
    ids=["all", "failed", "kind", "worker"],
)
def test_no_list_of_tasks_walks_through_parts(
    store: sqlite3.Connection, wanted: RowFilter, sort: RowSort
) -> None:
    # So few entries may be looked through that a single part among them would show.
    page = task_rows.page(store, wanted, sort, None, 50, looked_max=30)
    assert page.rows
    assert not page.is_partial
    assert {row.job.part_of for row in page.rows} == {None}


def test_lists_of_jobs_and_counts_are_found_by_indexes_without_parts(
    store: sqlite3.Connection,
) -> None:
    asked: list[str] = []
    store.set_trace_callback(asked.append)
    person = jobs.Filter(person_id=_anna())
    assert len(jobs.page(store, person, 100)) == 21
    jobs.page(store, jobs.Filter(), 10)
    jobs.set_aside(store, _anna())
    maker = JobId("00000064-0000-7000-8000-000000000000")
    counts = jobs.part_counts(store, maker)
    assert counts == {JobState.SUCCEEDED: PARTS // 2, JobState.FAILED: PARTS // 2}
    assert len(jobs.page(store, jobs.Filter(part_of=maker), 10)) == 10
    store.set_trace_callback(None)
    for statement in asked:
        plan = [row[3] for row in store.execute(f"explain query plan {statement}")]
        assert not [step for step in plan if step.startswith("SCAN j") and "USING" not in step], (
            statement, json.dumps(plan),
        )  # fmt: skip


def _anna() -> PersonId:
    return PersonId("anna")
