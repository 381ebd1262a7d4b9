"""A coding job over real sockets: asked, answered, red to green, pushed, a pull request opened."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from desktop.jobs.code.samples import till
from shared.jobs import JobState
from shared.kinds.code import Level
from tests.flows.coding import a_coding_ring
from tests.flows.ring import PATIENCE_SECONDS

pytestmark = [pytest.mark.flow, pytest.mark.timeout(120)]


async def test_a_bug_is_mended_and_a_pull_request_opened_after_two_answers(tmp_path: Path) -> None:
    async with a_coding_ring(tmp_path) as coding:
        ring = coding.ring
        job_id = await coding.order("code.bugfix")

        question = await ring.question(job_id)
        assert till.QUESTION in question.asking.text
        assert [choice.label for choice in question.asking.choices] == [till.UTC, till.LOCAL]
        await ring.answer(job_id, till.UTC)

        await ring.until(job_id, JobState.RUNNING, JobState.SUCCEEDED)
        approval = await ring.question(job_id)
        assert "1 file, +2 −2, tests 9 passed (3 were red)" in approval.asking.text
        assert "open a pull request" in approval.asking.text
        assert approval.asking.more == "code.diff"
        await ring.answer(job_id, "Push and open PR")

        card = await ring.until(job_id, JobState.SUCCEEDED, JobState.FAILED)
        assert card.result is not None, card
        result = card.result
        assert coding.branches() == {result["branch"]: result["commit"]}
        assert coding.pushes() == 1
        assert str(result["url"]).startswith(coding.server.url)
        body = str(coding.forge.requests[-1]["body"])
        assert "Which one is right?" in body
        assert "**UTC**" in body


async def test_four_jobs_on_one_repository_do_not_meet(tmp_path: Path) -> None:
    async with a_coding_ring(tmp_path) as coding:
        ring = coding.ring
        jobs = [await coding.order("code.bugfix", level=Level.AUTONOMOUS) for _ in range(4)]
        for job_id in jobs:
            await ring.answer(job_id, till.UTC)

        cards = [await ring.until(one, JobState.SUCCEEDED, JobState.FAILED) for one in jobs]

        results = [card.result for card in cards if card.result is not None]
        assert coding.branches() == {one["branch"]: one["commit"] for one in results}
        assert coding.pushes() == len(results) == 4


async def test_a_follow_up_in_the_session_goes_on_with_the_branch(tmp_path: Path) -> None:
    readme = {"edit": "README.md", "old": "# till\n", "new": "# The till\n"}
    steps = (*till.STEPS, readme, {"submit": "The readme, too."})
    async with a_coding_ring(tmp_path, steps) as coding:
        ring = coding.ring
        first = await coding.order("code.bugfix", level=Level.AUTONOMOUS)
        await ring.answer(first, till.UTC)
        done = await ring.until(first, JobState.SUCCEEDED, JobState.FAILED)
        assert done.result is not None

        more = await coding.order(
            "code.bugfix",
            task_id=done.job.task_id,
            level=Level.AUTONOMOUS,
            instructions="Now also mention it in the readme.",
        )
        card = await ring.until(more, JobState.SUCCEEDED, JobState.FAILED)

        assert card.result is not None
        assert card.result["branch"] == done.result["branch"]
        assert coding.branches() == {card.result["branch"]: card.result["commit"]}
        assert len(coding.forge.requests) == 1


async def test_a_claim_that_does_not_hold_is_no_success(tmp_path: Path) -> None:
    async with a_coding_ring(tmp_path, ({"submit": "All is well."},)) as coding:
        job_id = await coding.order("code.bugfix", level=Level.AUTONOMOUS)

        card = await coding.ring.until(job_id, JobState.SUCCEEDED, JobState.FAILED)

        assert card.state is not JobState.SUCCEEDED
        assert card.error is not None
        assert "No file was changed" in card.error.message
        assert coding.branches() == {}


async def test_a_job_that_is_cancelled_in_mid_question_leaves_no_process(tmp_path: Path) -> None:
    async with a_coding_ring(tmp_path) as coding:
        ring = coding.ring
        job_id = await coding.order("code.bugfix")
        await ring.question(job_id)
        assert programs_in(tmp_path)

        await ring.hub.services.intake.cancel(ring.person_id, job_id, "anna")
        await ring.until(job_id, JobState.CANCELLED)
        await coding.worker.until_idle()

        await until(lambda: not programs_in(tmp_path))
        assert coding.branches() == {}


def programs_in(folder: Path) -> list[str]:
    """Return the programs, boxed ones too, that were given a path of this test."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if process.pid != os.getpid() and any(str(folder) in word for word in words):
                found.append(" ".join(words)[:200])
    return found


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Nobody rings when a process is gone.
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
