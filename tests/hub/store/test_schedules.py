"""Schedules by the thousand: what is due is found by its index, and rows come back as they went."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from hub.core.schedule import Missed, Paused, Schedule
from hub.store import schedules
from hub.store.ledger import Entry
from shared.ids import ConversationId, JobId, PersonId, ScheduleId
from shared.jobs import Origin
from tests.hub.worlds import World
from tests.makers import NOON

ONE = Schedule(
    schedule_id=ScheduleId("s"), person_id=PersonId("anna"), words="/models", cron="0 8 * * *",
    zone="Europe/Vienna", missed=Missed.SKIP, conversation=ConversationId("telegram:1"),
    origin=Origin.GROUP, frontend="telegram", account="1", made_by="anna on Telegram",
    created_at=NOON, next_at=NOON + timedelta(hours=1),
)  # fmt: skip


async def test_a_row_comes_back_as_it_went(world: World) -> None:
    changed = replace(
        ONE, next_at=None, paused=Paused.FAILING, why="It failed.", due_at=NOON, last_at=NOON,
        last_job_id=JobId("j"), is_open=True, failures=3, skipped=2,
    )  # fmt: skip
    for schedule in (ONE, changed):
        await world.ledger.write(partial(schedules.save, schedule=schedule))
        assert await world.ledger.read(lambda c: schedules.load(c, ONE.schedule_id)) == schedule


async def test_of_thousands_those_that_are_due_are_found_in_their_order(world: World) -> None:
    def fill(entry: Entry) -> None:
        for n in range(3000):
            schedules.save(
                entry,
                replace(
                    ONE, schedule_id=ScheduleId(f"s{n:04}"),
                    next_at=NOON + timedelta(minutes=(n * 7919) % 3000),
                ),
            )  # fmt: skip

    await world.ledger.write(fill)
    moment = NOON + timedelta(minutes=9)
    found = await world.ledger.read(lambda c: schedules.due(c, moment, 5))
    assert [(one.next_at - NOON) / timedelta(minutes=1) for one in found if one.next_at] == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
    assert await world.ledger.read(schedules.next_due) == NOON


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda c: schedules.due(c, NOON, 20), "schedules_due"),
        (schedules.next_due, "schedules_due"),
        (lambda c: schedules.ended(c, 20), "schedules_open"),
        (lambda c: schedules.of_person(c, PersonId("anna"), limit=50), "schedules_of_person"),
    ],
)
async def test_no_question_of_the_loop_reads_all_of_them(
    world: World, read: object, index: str
) -> None:
    def plans(connection: object) -> str:
        said: list[str] = []
        connection.set_trace_callback(said.append)  # type: ignore[attr-defined]
        read(connection)  # type: ignore[operator]
        connection.set_trace_callback(None)  # type: ignore[attr-defined]
        rows = connection.execute(f"EXPLAIN QUERY PLAN {said[-1]}")  # type: ignore[attr-defined]
        return " | ".join(str(row[3]) for row in rows)

    told = await world.ledger.read(plans)
    assert f"USING INDEX {index}" in told or f"USING COVERING INDEX {index}" in told
    assert "TEMP B-TREE" not in told
