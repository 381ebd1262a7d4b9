"""A purge in the worker's store reaches the transcripts, whatever dies in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.store import copies, facts, forgotten, outbox, saying
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.minder import Minder
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.forgetter import FOLDERS, Forgetter
from desktop.store.transcripts.transcripts import Transcripts
from shared.database import Database
from shared.environment import Environment
from shared.errors import NotFound
from shared.events import PurgeAsked, TaskRequested
from shared.ids import JobId, TaskId, WorkerId
from tests.desktop.store.transcripts.world import NOW, OTHER, RUN, new_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    """A worker's store that knows the jobs of both runs."""
    with open_store(tmp_path / "worker.sqlite3") as database:
        pairing = Pairing(
            hub_url="http://127.0.0.1",
            worker_id=WorkerId("here"),
            worker_name="anna-pc",
            hub_name="hub",
            person_name="Anna",
        )
        database.submit(lambda c: facts.save_pairing(c, pairing)).result()
        for run_id in (RUN, OTHER):
            body = TaskRequested(
                task_id=TaskId(f"of-{run_id}"), job_id=JobId(run_id), kind="llm.run"
            )
            database.submit(
                lambda c, b=body: copies.wrote(c, outbox.append(c, b, at=NOW))  # type: ignore[misc]
            ).result()
        yield database


async def keep_runs(folder: Path) -> None:
    transcripts = Transcripts(folder)
    await transcripts.make_run(new_run())
    await transcripts.make_run(new_run(OTHER, at=NOW + timedelta(hours=1)))
    await transcripts.aclose()


def runs(folder: Path) -> list[str]:
    try:
        with opening.reading(folder) as connection:
            return [run.run_id for run in reading.runs(connection)]
    except NotFound:
        return []


def folders_left(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.rglob("words.txt")}


def purge(store: Database, run_id: str) -> None:
    asked = PurgeAsked(task_id=TaskId(f"of-{run_id}"))
    store.submit(lambda connection: saying.say(connection, asked, at=NOW)).result()


async def test_a_purged_task_takes_its_run_along(store: Database, tmp_path: Path) -> None:
    await keep_runs(tmp_path)
    environment = Environment()
    forgetter = Forgetter(store, tmp_path, Minder(store, environment), environment)
    purge(store, RUN)
    assert runs(tmp_path) == [OTHER, RUN]

    await forgetter.run_once()

    assert runs(tmp_path) == [OTHER]
    assert await store.read(forgotten.waiting) == []


async def test_without_transcripts_there_is_nothing_to_do(store: Database, tmp_path: Path) -> None:
    environment = Environment()
    purge(store, RUN)

    await Forgetter(store, tmp_path, Minder(store, environment), environment).run_once()

    assert runs(tmp_path) == []
    assert await store.read(forgotten.waiting) == []


async def test_what_the_disk_does_not_let_go_waits(store: Database, tmp_path: Path) -> None:
    await keep_runs(tmp_path)
    (tmp_path / "transcripts.forget").write_text("in the way")
    environment = Environment()
    forgetter = Forgetter(store, tmp_path, Minder(store, environment), environment)
    purge(store, RUN)

    await forgetter.run_once()
    assert await store.read(forgotten.waiting) == [RUN]

    (tmp_path / "transcripts.forget").unlink()
    await forgetter.run_once()
    assert runs(tmp_path) == [OTHER]


async def test_what_a_job_kept_beside_the_store_goes_with_its_task(
    store: Database, tmp_path: Path
) -> None:
    for name in FOLDERS:
        for job_id in (RUN, OTHER):
            folder = tmp_path / name / job_id
            folder.mkdir(parents=True)
            (folder / "words.txt").write_text("private")
    environment = Environment()
    purge(store, RUN)

    await Forgetter(store, tmp_path, Minder(store, environment), environment).run_once()

    assert folders_left(tmp_path) == {OTHER}
    assert await store.read(forgotten.waiting) == []
