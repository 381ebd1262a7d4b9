"""The log read backwards."""

from __future__ import annotations

import sqlite3
from functools import partial

from hub.store import chronicle
from hub.store.chronicle import SCANNED_MAX, Wanted
from hub.store.ledger import Entry
from shared.events import JobLogged, JobQueued, WorkerPaired, WorkerRevoked
from shared.ids import JobId, PersonId, TaskId, WorkerId
from tests.hub.worlds import World

ANNA, BEN = PersonId("anna"), PersonId("ben")
QUEUED = JobQueued(job_id=JobId("j"), task_id=TaskId("t"), kind="k", title="", attempt=1)
LOGGED = JobLogged(job_id=JobId("j"), attempt=1, fence=1, lines=("x",))


def paired(name: str) -> WorkerPaired:
    return WorkerPaired(worker_id=WorkerId(name), name=name)


async def test_what_is_rare_is_looked_for_a_stretch_at_a_time(world: World) -> None:
    def fill(entry: Entry) -> None:
        entry.tell(ANNA, paired("first"))
        for _ in range(SCANNED_MAX):
            entry.tell(ANNA, QUEUED)

    await world.ledger.write(fill)
    wanted = Wanted(person_id=ANNA, types=("worker_paired",))
    near = await world.ledger.look(lambda c: chronicle.stretch(c, wanted, 50))
    assert near.facts == ()
    assert near.older == 2
    further = Wanted(person_id=ANNA, types=("worker_paired",), before=near.older)
    far = await world.ledger.look(lambda c: chronicle.stretch(c, further, 50))
    assert [fact.type for fact in far.facts] == ["worker_paired"]
    assert far.older is None


async def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    def fill(entry: Entry) -> None:
        for number in range(7):
            entry.tell(ANNA, paired(f"w{number}"))
            entry.tell(ANNA, LOGGED)
            entry.tell(BEN, QUEUED)

    await world.ledger.write(fill)
    seen: list[int] = []
    before: int | None = None
    for _ in range(10):
        wanted = Wanted(person_id=ANNA, before=before)
        page = await world.ledger.look(partial(chronicle.stretch, wanted=wanted, limit=3))
        seen += [fact.hub_seq for fact in page.facts]
        before = page.older
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 7


async def test_only_what_people_did_is_in_the_audit_by_its_index(world: World) -> None:
    def fill(entry: Entry) -> None:
        entry.tell(ANNA, QUEUED)
        entry.tell(ANNA, WorkerRevoked(worker_id=WorkerId("w"), name="w", by="anna on the web"))
        entry.tell(BEN, paired("bens"))

    await world.ledger.write(fill)

    def look(connection: sqlite3.Connection) -> tuple[list[str], list[str], str]:
        mine = chronicle.by_people(connection, Wanted(person_id=ANNA), 50)
        all_of_them = chronicle.by_people(connection, Wanted(), 50)
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM events WHERE person_id = ? AND hub_seq < ? AND"
            f" {chronicle._BY_PEOPLE} ORDER BY hub_seq DESC LIMIT 51",
            (ANNA, 10**6),
        ).fetchall()
        return (
            [fact.type for fact in mine.facts],
            [fact.type for fact in all_of_them.facts],
            str(plan),
        )

    mine, everybodys, _ = await world.ledger.look(look)
    assert mine == ["worker_revoked"]
    assert everybodys == ["worker_paired", "worker_revoked"]


async def test_a_computers_events_are_those_it_wrote_and_those_about_it(world: World) -> None:
    anna = await world.person()
    desk = await world.desk(anna)
    await world.request(anna)
    await desk.take()
    wanted = Wanted(person_id=anna.person_id, worker_id=desk.worker_id)
    found = await world.ledger.look(lambda c: chronicle.stretch(c, wanted, 50))
    assert {"worker_paired", "job_granted"} <= {fact.type for fact in found.facts}
    assert "task_created" not in {fact.type for fact in found.facts}
