"""From a wish to a result, through hub, worker and child, with a question on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.core.policy import Policy
from shared.jobs import JobState
from tests.flows.ring import a_ring, everything

pytestmark = pytest.mark.flow


async def test_a_job_goes_round_once(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        job_id = await ring.ask_for("count", number=3)
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["headline"] == "Counted to 3."
        told = [fact.type for fact in await ring.history(job_id) if fact.type != "job_logged"]
        assert told == ["job_queued", "job_granted", "job_started", "job_succeeded"]


async def test_a_question_is_asked_answered_and_the_job_goes_on(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        job_id = await ring.ask_for("ask")
        question = await ring.question(job_id)
        assert question.asking.text == "Which colour?"
        await ring.answer(job_id, "2")
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["text"] == "blue"


async def test_a_job_that_waits_for_its_answer_leaves_its_slot_to_others(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        policy = everything(tmp_path).model_copy(update={"slots": 1})
        await ring.join(policy=policy)
        asking = await ring.ask_for("ask")
        await ring.question(asking)
        other = await ring.ask_for("count", number=1)
        await ring.until(other, JobState.SUCCEEDED)
        assert (await ring.card(asking)).state is JobState.ASKING


async def test_three_jobs_run_on_three_workers_at_once(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        policy = everything(tmp_path).model_copy(update={"slots": 1})
        for name in ("anna-pc", "studio-mac", "attic"):
            await ring.join(name, policy=policy)
        jobs = [await ring.ask_for("hang") for _ in range(3)]
        cards = [await ring.until(job_id, JobState.RUNNING) for job_id in jobs]
        assert len({card.worker_id for card in cards}) == 3


async def test_a_job_for_a_named_worker_waits_for_that_one(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        anna = await ring.join("anna-pc")
        attic = await ring.join("attic")
        await attic.stop()
        job_id = await ring.ask_for("count", worker="attic", number=1)
        assert (await ring.card(job_id)).state is JobState.QUEUED
        attic.start()
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert card.worker_id == attic.setup.pairing.worker_id != anna.setup.pairing.worker_id


async def test_a_refusal_of_the_job_is_told_in_its_own_words(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        job_id = await ring.ask_for("refuse")
        card = await ring.until(job_id, JobState.FAILED)
        assert card.error is not None
        assert (card.error.code, card.error.hint) == ("file_empty", "Choose another file.")


async def test_a_worker_whose_owner_forbids_a_kind_is_not_made_to_run_it(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join(policy=Policy(kinds={}, disk_free_bytes_min=0))
        job_id = await ring.ask_for("count", number=1)
        waiting = await ring.why_waiting(job_id, "does not allow")
        assert "play.count from api" in waiting
        started = [fact for fact in await ring.history(job_id) if fact.type == "job_started"]
        assert started == []


async def test_a_result_too_large_for_a_chat_is_refused_with_a_way_out(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        job_id = await ring.ask_for("huge_output")
        card = await ring.until(job_id, JobState.FAILED)
        assert card.error is not None
        assert card.error.code == "result_too_large"
        assert card.error.hint == "The job has to write it into a file instead."
