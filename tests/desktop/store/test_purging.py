"""What is purged is gone: from what is shown, from what is found, and from the file's bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.store import copied_lines, copies, facts, known, outbox, purging, rebuilt, saying
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from shared.database import Database
from shared.errors import Conflict, NotFound
from shared.events import (
    EventBody,
    JobLogged,
    JobStarted,
    JobSucceeded,
    PurgeAsked,
    TaskPurged,
    TaskRequested,
    write_event,
)
from shared.ids import JobId, TaskId, WorkerId
from shared.messages import Numbered

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "mandelbrot"
HERE = WorkerId("here")
PAIRING = Pairing(
    hub_url="http://127.0.0.1", worker_id=HERE, worker_name="anna-pc",
    hub_name="hub", person_name="Anna",
)  # fmt: skip


def story(job: str, word: str) -> tuple[EventBody, ...]:
    names = {"job_id": JobId(job), "attempt": 1, "fence": 1}
    return (
        TaskRequested(
            task_id=TaskId(f"task-{job}"), job_id=JobId(job), kind="ml.train",
            text=f"train {word}", title=f"about {word}", inputs={"file": f"{word}.csv"},
        ),
        JobStarted.model_validate(names),
        *(JobLogged.model_validate({**names, "lines": [f"{word} {n}"] * 50}) for n in range(20)),
        JobSucceeded.model_validate(
            {**names, "result": {"headline": f"Found {word}."}, "running_seconds": 1}
        ),
    )  # fmt: skip


def fill(store: Database) -> None:
    store.submit(lambda c: facts.save_pairing(c, PAIRING)).result()
    for body in (*story("job-1", SECRET), *story("job-2", "harmless")):
        store.submit(
            lambda c, b=body: copies.wrote(c, outbox.append(c, b, at=NOON))  # type: ignore[misc]
        ).result()


def words_in(folder: Path) -> bool:
    return any(SECRET.encode() in file.read_bytes().lower() for file in folder.iterdir())


def test_nothing_is_left_of_it_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite3"
    with open_store(path) as store:
        fill(store)
    assert words_in(tmp_path), "else this test shows nothing"
    with open_store(path) as store:
        asked = PurgeAsked(task_id=TaskId("task-job-1"))
        store.submit(lambda c: saying.say(c, asked, at=NOON)).result()
        assert store.submit(lambda c: copied_lines.hits(c, SECRET)).result() == ()
        assert len(store.submit(lambda c: copied_lines.hits(c, "harmless")).result()) == 1000
        assert store.submit(rebuilt.compare).result() == []
        [left] = store.submit(
            lambda c: c.execute("select job_id from copy_job").fetchall()
        ).result()
        assert left == ("job-2",)
    assert not words_in(tmp_path)


def test_another_machine_empties_its_own_when_the_hub_says_so(tmp_path: Path) -> None:
    path = tmp_path / "worker.sqlite3"
    with open_store(path) as store:
        fill(store)
        told = write_event(
            TaskPurged(task_id=TaskId("task-job-1"), job_ids=(JobId("job-1"),), by="anna"),
            device="hub", epoch=1, seq=1, at=NOON + timedelta(days=1),
        )  # fmt: skip
        store.submit(lambda c: copies.hear(c, Numbered(hub_seq=1, event=told))).result()
        store.submit(lambda c: purging.obey(c, told)).result()
        assert store.submit(rebuilt.compare).result() == []
    assert not words_in(tmp_path)


def test_its_own_log_has_no_gap_after_that(tmp_path: Path) -> None:
    with open_store(tmp_path / "worker.sqlite3") as store:
        fill(store)
        asked = PurgeAsked(task_id=TaskId("task-job-1"))
        store.submit(lambda c: saying.say(c, asked, at=NOON)).result()
        events = store.submit(lambda c: known.own(c, HERE, 1, 1, 1000)).result()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert events[-1].body == {"task_id": "task-job-1"}
        assert events[0].body == {}


def test_what_is_not_over_is_not_purged(tmp_path: Path) -> None:
    with open_store(tmp_path / "worker.sqlite3") as store:
        fill(store)
        wish = TaskRequested(task_id=TaskId("task-3"), job_id=JobId("job-3"), kind="ml.train")
        store.submit(lambda c: saying.say(c, wish, at=NOON)).result()
        with pytest.raises(Conflict, match="not over"):
            store.submit(lambda c: purging.check(c, TaskId("task-3"))).result()
        with pytest.raises(NotFound):
            store.submit(lambda c: purging.check(c, TaskId("none"))).result()


def test_a_task_is_not_purged_before_the_hub_has_heard_how_it_ended(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite3") as store:
        fill(store)
        with pytest.raises(Conflict, match="not heard yet"):
            store.submit(lambda c: purging.check(c, TaskId("task-job-1"))).result()

        store.submit(lambda c: outbox.acknowledge(c, 1000)).result()

        store.submit(lambda c: purging.check(c, TaskId("task-job-1"))).result()


def test_a_store_whose_last_event_was_emptied_is_not_taken_for_a_copy(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite3") as store:
        fill(store)
        last = store.submit(lambda c: outbox.read(c, start=1, count_max=100)).result()[-1]
        told = write_event(
            TaskPurged(task_id=TaskId("task-job-2"), job_ids=(JobId("job-2"),), by="anna on mac"),
            device="hub", epoch=1, seq=1, at=NOON,
        )  # fmt: skip
        store.submit(lambda c: purging.obey(c, told)).result()
        emptied = store.submit(lambda c: outbox.read(c, start=last.seq, count_max=1)).result()[0]
        assert emptied.body == {}

        assert store.submit(lambda c: outbox.continues(c, last.seq, last.digest)).result()
        assert not store.submit(lambda c: outbox.continues(c, last.seq, "another")).result()
