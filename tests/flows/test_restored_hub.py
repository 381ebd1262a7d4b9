"""The hub is restored from a backup: nothing runs twice, and machines bring back what they know."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from desktop.store import copied, facts
from hub.restore import Restored, bring_back
from hub.restore import restore as command
from hub.settings import Settings
from hub.store import backup_folder
from hub.store.aftermath import record_of
from shared.environment import Environment
from shared.errors import Conflict, NotFound
from shared.ids import JobId
from shared.jobs import JobState
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring, farewell
from tests.flows.test_bad_days import marks, starts

pytestmark = pytest.mark.flow


async def back_up(folder: Path) -> Path:
    """Back the running hub up, as its own command does."""
    target = folder / "one.backup"
    now = Environment().now()
    await asyncio.to_thread(backup_folder.back_up, folder / "hub", target, at=now, version="test")
    return target


async def restore(folder: Path, backup: Path) -> Restored:
    return await asyncio.to_thread(bring_back, folder / "hub", backup, Environment())


async def hub_epoch_at(worker: Worker) -> tuple[str, int]:
    return await worker.database.read(facts.hub_cursor)


async def until_known(ring: Ring, job_id: JobId) -> None:
    """Wait until the hub knows a job that it has forgotten."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            position = ring.hub.services.feed.position()
            try:
                await ring.card(job_id)
            except NotFound:
                await ring.hub.services.feed.wait(position)
            else:
                return


async def until_caught_up(ring: Ring, worker: Worker) -> None:
    """Wait until a worker has taken in all that the hub has, and the hub all of the worker's."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            position = ring.hub.services.feed.position()
            epoch, seq = await hub_epoch_at(worker)
            if epoch == ring.hub.hub_epoch and seq >= position - 1:
                return
            await asyncio.sleep(0.02)


async def test_what_ran_after_the_backup_is_not_run_again(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        worker = await ring.pair("anna-pc")
        port = ring.hub.settings.port
        once = await ring.ask_for("effect", text=str(tmp_path / "marks"))
        often = await ring.ask_for("count", number=3)
        backup = await back_up(tmp_path)
        worker.start()
        await ring.until(once, JobState.SUCCEEDED)
        await ring.until(often, JobState.SUCCEEDED)
    await restore(tmp_path, backup)
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        # The worker tells what it did; nobody needs to be asked any more.
        await ring.until(once, JobState.SUCCEEDED)
        await ring.until(often, JobState.SUCCEEDED)
        assert marks(tmp_path) == 1
        assert await starts(ring, once) == 1
        assert not await ring.hub.services.views.open_questions(ring.person_id)
    await farewell(workers)


async def test_what_may_have_run_asks_its_person_while_nobody_knows(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        worker = await ring.pair("anna-pc")
        port = ring.hub.settings.port
        once = await ring.ask_for("effect", text=str(tmp_path / "marks"))
        often = await ring.ask_for("count", number=3)
        backup = await back_up(tmp_path)
    await restore(tmp_path, backup)
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        question = await ring.question(once)
        assert "The hub was restored from a backup of" in question.asking.text
        assert [choice.label for choice in question.asking.choices] == [
            "Run again",
            "Mark done",
            "Give up",
        ]
        assert (await ring.card(often)).state is JobState.QUEUED
        worker.start()
        await ring.until(often, JobState.SUCCEEDED)
        assert (await ring.card(once)).state is JobState.INTERRUPTED
        assert marks(tmp_path) == 0
        await ring.answer(once, "Run again")
        await ring.until(once, JobState.SUCCEEDED)
        assert marks(tmp_path) == 1
    # Asked once, not at every start.
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        assert (await ring.card(once)).state is JobState.SUCCEEDED
    await farewell(workers)


async def test_a_job_made_and_begun_after_the_backup_is_taken_over(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        worker = await ring.join()
        port = ring.hub.settings.port
        backup = await back_up(tmp_path)
        done = await ring.ask_for("effect", text=str(tmp_path / "marks"))
        await ring.until(done, JobState.SUCCEEDED)
        under_way = await ring.ask_for("hang_once", text=str(tmp_path / "once"))
        await ring.until(under_way, JobState.RUNNING)
        before = await hub_epoch_at(worker)
    restored = await restore(tmp_path, backup)
    assert restored.after is not None
    assert restored.after.jobs == 2
    assert dict(restored.after.coming_back)["anna-pc"] > 0
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        await until_known(ring, done)
        await until_known(ring, under_way)
        await ring.until(done, JobState.SUCCEEDED)
        card = await ring.until(under_way, JobState.RUNNING)
        assert card.job.life.is_held
        await until_caught_up(ring, worker)
        epoch, _ = await hub_epoch_at(worker)
        assert epoch != before[0]
        assert marks(tmp_path) == 1
    await farewell(workers)


async def test_a_worker_revoked_after_the_backup_stays_out(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        worker = await ring.join()
        port = ring.hub.settings.port
        backup = await back_up(tmp_path)
        worker_id = worker.setup.pairing.worker_id
        await ring.hub.services.registry.revoke(ring.person_id, worker_id, "anna")
        await worker.stop()
    restored = await restore(tmp_path, backup)
    assert restored.after is not None
    assert restored.after.revoked == ("anna-pc",)
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        worker.start()
        assert worker.task is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            await worker.task
        assert worker.statuses[-1].error is not None
    await farewell(workers)


async def test_a_restore_keeps_what_stood_there_and_is_refused_while_a_hub_runs(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        backup = await back_up(tmp_path)
        settings = Settings(data=tmp_path / "hub", port=ring.hub.settings.port)
        with pytest.raises(Conflict) as refused:
            await asyncio.to_thread(command, settings, backup, is_latest=False)
        assert refused.value.code == "hub_running"
        job_id = await ring.ask_for("count", number=1)
    done = await restore(tmp_path, backup)
    assert done.kept_in is not None
    kept = sorted(path.name for path in done.kept_in.iterdir())
    assert "hub.sqlite3" in kept
    assert "admin.key" in kept
    assert await asyncio.to_thread(jobs_in, done.kept_in / "hub.sqlite3") == {job_id}
    assert await asyncio.to_thread(jobs_in, tmp_path / "hub" / "hub.sqlite3") == set()


def jobs_in(store: Path) -> set[JobId]:
    record = record_of(store)
    assert record is not None
    return {JobId(job_id) for job_id in record.jobs}


async def test_a_job_that_only_a_copy_knows_is_shown_as_lost(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        worker = await ring.join()
        await ring.pair("studio-mac")  # it never comes, so that its job waits
        port = ring.hub.settings.port
        backup = await back_up(tmp_path)
        job_id = await ring.ask_for("count", worker="studio-mac", number=1)
        await until_caught_up(ring, worker)
        before = await worker.database.read(lambda c: copied.job(c, job_id))
        assert before is not None
        assert before.row.state is JobState.QUEUED
    await restore(tmp_path, backup)
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        await until_caught_up(ring, worker)
        after = await worker.database.read(lambda c: copied.job(c, job_id))
        assert after is not None
        assert after.row.state is JobState.INTERRUPTED
        assert after.row.error is not None
        assert after.row.error.code == "hub_restored"
        assert after.row.title == before.row.title
    await farewell(workers)
