"""Schedules as a computer knows them: the hub's last word on each, and what waits for the hub."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from desktop.store import copies, outbox, rebuilt, schedules
from desktop.store.database import open_store
from shared.database import Database
from shared.events import EventBody, ScheduleAsked, ScheduleChanged, ScheduleRan, write_event
from shared.ids import ScheduleId, TaskId
from shared.messages import Numbered
from shared.schedules import ScheduleAction, ScheduleChange, ScheduleFacts
from tests.makers import NOON

DAILY = ScheduleFacts(
    schedule_id=ScheduleId("01900000-0000-7000-8000-00000000e001"),
    words="/models", when="every day at 8:00", cron="0 8 * * *", zone="Europe/Vienna",
)  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_store(tmp_path / "worker.sqlite") as database:
        yield database


def hear(database: Database, number: int, body: EventBody) -> None:
    event = write_event(body, device="hub", epoch=1, seq=number, at=NOON)
    told = Numbered(hub_seq=number, event=event)
    database.submit(lambda c: copies.hear(c, told)).result()


def ask(database: Database, action: ScheduleAction, **fields: str) -> None:
    body = ScheduleAsked(schedule_id=DAILY.schedule_id, action=action, **fields)
    database.submit(lambda c: copies.apply(c, outbox.append(c, body, at=NOON))).result()


def rows(database: Database) -> tuple[schedules.ScheduleRow, ...]:
    return database.submit(schedules.rows).result()


def changed(change: ScheduleChange, **told: object) -> ScheduleChanged:
    return ScheduleChanged(schedule=DAILY.model_copy(update=told), change=change, by="anna")


def test_the_hubs_last_word_counts_in_whatever_order_it_comes(database: Database) -> None:
    ran = ScheduleRan(
        schedule=DAILY.model_copy(update={"failures": 2}), task_id=TaskId("t"), due_at=NOON
    )
    hear(database, 3, ran)
    hear(database, 1, changed("created"))
    hear(database, 2, changed("paused", paused="person"))
    [row] = rows(database)
    assert (row.facts.failures, row.is_paused, row.waiting) == (2, False, None)
    assert database.submit(rebuilt.compare).result() == []


def test_what_was_deleted_is_gone(database: Database) -> None:
    hear(database, 1, changed("created"))
    hear(database, 2, changed("deleted"))
    assert rows(database) == ()


def test_what_is_asked_for_here_is_shown_until_the_hub_knows(database: Database) -> None:
    ask(database, "create", words="/models", when="every day 8:00", zone="Asia/Tokyo")
    [row] = rows(database)
    assert (row.waiting, row.facts.words, row.facts.when) == ("create", "/models", "every day 8:00")
    hear(database, 1, changed("created"))
    ask(database, "pause")
    [row] = rows(database)
    assert (row.waiting, row.is_paused, row.facts.cron) == ("pause", True, "0 8 * * *")
    ask(database, "delete")
    assert rows(database) == ()


def test_one_is_found_by_its_four_characters(database: Database) -> None:
    hear(database, 1, changed("created"))
    [row] = rows(database)
    for name in (row.short, f"#{row.short.lower()}", row.schedule_id):
        assert database.submit(partial(schedules.named, name=name)).result() == row
    assert database.submit(lambda c: schedules.named(c, "")).result() is None
    assert database.submit(lambda c: schedules.named(c, "ZZZZ")).result() is None


def test_what_makes_no_sense_is_passed_over(database: Database) -> None:
    event = write_event(changed("created"), device="hub", epoch=1, seq=1, at=NOON)
    strange = event.model_copy(update={"body": {"schedule": {"words": 5}}})
    told = Numbered(hub_seq=1, event=strange)
    database.submit(lambda c: copies.hear(c, told)).result()
    assert rows(database) == ()
