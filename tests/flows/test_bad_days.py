"""Lines are cut, hubs restart, workers vanish: nothing is lost, nothing starts twice."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from shared.environment import Environment
from shared.ids import JobId
from shared.jobs import JobState
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring, farewell
from tests.flows.wire import Wire

pytestmark = pytest.mark.flow


async def starts(ring: Ring, job_id: JobId) -> int:
    """How often a job was started, by the word of workers."""
    return [fact.type for fact in await ring.history(job_id)].count("job_started")


def marks(folder: Path) -> int:
    """How often the job had its visible effect."""
    path = folder / "marks"
    return len(path.read_text().splitlines()) if path.exists() else 0


async def until_marked(folder: Path) -> None:
    """Wait until a job has had its visible effect."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not marks(folder):  # noqa: ASYNC110 (files have no bell)
            await asyncio.sleep(0.02)


async def test_a_cut_line_does_not_stop_the_job_and_starts_it_only_once(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, Wire(ring.hub.settings.port) as wire:
        worker = await ring.pair("anna-pc", through=wire.url)
        worker.start()
        await worker.until(LinkState.ONLINE)
        job_id = await ring.ask_for("effect", text=str(tmp_path / "marks"), number=800)
        await ring.until(job_id, JobState.RUNNING)
        wire.cut()
        await worker.until(LinkState.OFFLINE)
        assert (await ring.card(job_id)).state is JobState.RUNNING
        wire.mend()
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.job.life.fence == 1
        assert await starts(ring, job_id) == marks(tmp_path) == 1


async def test_a_result_made_without_a_line_is_told_when_it_is_back(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, Wire(ring.hub.settings.port) as wire:
        worker = await ring.pair("anna-pc", through=wire.url)
        worker.start()
        await worker.until(LinkState.ONLINE)
        job_id = await ring.ask_for("effect", text=str(tmp_path / "marks"), number=300)
        await ring.until(job_id, JobState.RUNNING)
        wire.cut()
        await worker.until_idle()
        wire.mend()
        await ring.until(job_id, JobState.SUCCEEDED)
        assert marks(tmp_path) == 1


async def test_a_hub_that_restarts_finds_its_jobs_still_running(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        await ring.join()
        port = ring.hub.settings.port
        running = await ring.ask_for("effect", text=str(tmp_path / "marks"), number=1200)
        asking = await ring.ask_for("ask")
        await ring.until(running, JobState.RUNNING)
        await ring.question(asking)
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        card = await ring.until(running, JobState.SUCCEEDED)
        assert card.job.life.fence == 1
        assert await starts(ring, running) == marks(tmp_path) == 1
        await ring.answer(asking, "red")
        await ring.until(asking, JobState.SUCCEEDED)
        assert await starts(ring, asking) == 1
    await farewell(workers)


async def test_a_killed_worker_runs_again_what_may_run_again(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("hang")
        await ring.until(job_id, JobState.RUNNING)
        await worker.stop()
        worker.start()
        card = await ring.until_card(
            job_id, lambda card: card.state is JobState.RUNNING and card.job.life.fence == 2
        )
        assert card.job.life.losses == 1
        assert await starts(ring, job_id) == 2


async def test_a_question_outlives_the_worker_that_asked_it(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("ask")
        before = await ring.question(job_id)
        await worker.stop()
        worker.start()
        await ring.until_card(job_id, lambda card: not card.job.life.is_held)
        assert (await ring.question(job_id)).question_id == before.question_id
        await ring.answer(job_id, "red")
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.job.life.losses == 0
        told = [fact.type for fact in await ring.history(job_id)]
        assert told.count("question_asked") == 1


async def test_a_question_answered_while_its_worker_was_away_counts(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("ask")
        await ring.question(job_id)
        await worker.stop()
        await ring.answer(job_id, "blue")
        worker.start()
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["headline"] == "It is blue."


async def test_a_killed_worker_asks_about_what_must_not_run_twice(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("effect", text=str(tmp_path / "marks"), number=60_000)
        await until_marked(tmp_path)
        await worker.stop()
        worker.start()
        question = await ring.question(job_id)
        assert "anna-pc restarted while it ran." in question.asking.text
        assert [choice.label for choice in question.asking.choices] == [
            "Run again",
            "Mark done",
            "Give up",
        ]
        await ring.answer(job_id, "Mark done")
        await ring.until(job_id, JobState.SUCCEEDED)
        assert await starts(ring, job_id) == marks(tmp_path) == 1


async def test_a_child_that_vanishes_in_mid_effect_is_asked_about_and_not_run_again(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        job_id = await ring.ask_for("vanish", text=str(tmp_path / "marks"))
        question = await ring.question(job_id)
        assert "stopped from outside (SIGKILL)" in question.asking.text
        await ring.answer(job_id, "Give up")
        await ring.until(job_id, JobState.CANCELLED)
        assert await starts(ring, job_id) == marks(tmp_path) == 1


async def test_an_answer_given_while_the_worker_was_away_reaches_its_job(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, Wire(ring.hub.settings.port) as wire:
        worker = await ring.pair("anna-pc", through=wire.url)
        worker.start()
        await worker.until(LinkState.ONLINE)
        job_id = await ring.ask_for("ask")
        await ring.question(job_id)
        wire.cut()
        await worker.until(LinkState.OFFLINE)
        await ring.answer(job_id, "blue")
        wire.mend()
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["text"] == "blue"
        assert await starts(ring, job_id) == 1


async def test_an_answer_survives_the_worker_that_asked(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("ask")
        await ring.question(job_id)
        await worker.stop()
        await ring.answer(job_id, "blue")
        worker.start()
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["text"] == "blue"
        asked = [fact.type for fact in await ring.history(job_id)].count("question_asked")
        assert asked == 1, "nobody is asked twice"


async def test_a_cancelled_job_stops_and_says_so(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        job_id = await ring.ask_for("hang")
        await ring.until(job_id, JobState.RUNNING)
        await ring.hub.services.intake.cancel(ring.person_id, job_id, "anna")
        await ring.until(job_id, JobState.CANCELLED)
        await worker.until_idle()


async def test_a_job_cancelled_while_its_worker_is_away_stops_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring, Wire(ring.hub.settings.port) as wire:
        worker = await ring.pair("anna-pc", through=wire.url)
        worker.start()
        await worker.until(LinkState.ONLINE)
        job_id = await ring.ask_for("hang")
        await ring.until(job_id, JobState.RUNNING)
        wire.cut()
        await worker.until(LinkState.OFFLINE)
        await ring.hub.services.intake.cancel(ring.person_id, job_id, "anna")
        wire.mend()
        await ring.until(job_id, JobState.CANCELLED)
        await worker.until_idle()


async def test_a_revoked_worker_is_shown_out_and_does_not_come_back(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        worker_id = worker.setup.pairing.worker_id
        await ring.hub.services.registry.revoke(ring.person_id, worker_id, "me")
        await worker.until(LinkState.REFUSED)
        assert worker.statuses[-1].error is not None


@pytest.mark.slow
async def test_three_failures_make_a_dead_letter_that_can_be_requeued(tmp_path: Path) -> None:
    # Jitter at its least: the two waits take 2.5 and 10 seconds.
    environment = Environment(entropy=lambda n: bytes(n) if n == 7 else os.urandom(n))
    async with a_ring(tmp_path, environment=environment) as ring:
        await ring.join()
        job_id = await ring.ask_for("stumble", text=str(tmp_path / "service"))
        dead = await ring.until(job_id, JobState.DEAD)
        assert dead.job.life.failures == 3
        letters = await ring.hub.services.views.dead_letters(ring.person_id)
        assert [card.job_id for card in letters] == [job_id]
        (tmp_path / "service").touch()
        await ring.hub.services.intake.requeue_dead(ring.person_id)
        await ring.until(job_id, JobState.SUCCEEDED)
