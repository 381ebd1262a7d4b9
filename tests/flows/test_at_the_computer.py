"""Asked for at the computer: over the hub and back, on this machine and on another one."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from hub.demo.programs import free_port
from shared.jobs import JobState
from tests.flows.desks import a_desk, open_question, row, until_state
from tests.flows.ring import a_ring

pytestmark = pytest.mark.flow


async def test_asked_for_here_runs_here_with_the_owners_rights(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, a_desk(ring) as desk:
        assert desk.pairing is not None
        job_id = await desk.requests.make("play.ask", {}, worker_id=desk.pairing.worker_id)
        await row(desk, job_id, "asking")
        await desk.requests.answer(await open_question(desk, job_id), job_id, "blue")
        state, worker, result, _ = await row(desk, job_id, "succeeded")
        assert (state, worker) == ("succeeded", desk.pairing.worker_id)
        assert "blue" in result


async def test_asked_for_here_runs_on_another_machine_as_any_chat_may(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        mac = await ring.join("studio-mac")
        async with a_desk(ring) as desk:
            job_id = await desk.requests.make("play.ask", {}, worker_id=mac.setup.pairing.worker_id)
            _, worker, _, _ = await row(desk, job_id, "asking")
            assert worker == mac.setup.pairing.worker_id
            await desk.requests.cancel(job_id)
            await row(desk, job_id, "cancelled")


async def test_what_a_hub_cannot_do_is_told_at_the_computer(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, a_desk(ring) as desk:
        job_id = await desk.requests.make("play.nonsense", {})
        await row(desk, job_id, "failed")
        told = await desk.look(
            lambda c: c.execute("select error from copy_job where job_id = ?", (job_id,)).fetchone()
        )
        assert "kind_unknown" in told[0]


async def test_a_hub_that_was_away_hears_of_it_later(tmp_path: Path) -> None:
    port = free_port()
    async with contextlib.AsyncExitStack() as stack:
        async with a_ring(tmp_path, port=port) as ring:
            desk = await stack.enter_async_context(a_desk(ring))
        await until_state(desk, LinkState.OFFLINE)
        assert desk.pairing is not None
        here = desk.pairing.worker_id
        job_id = await desk.requests.make("play.count", {}, title="for later", worker_id=here)
        *_, title = await row(desk, job_id, "succeeded")
        assert title == "for later"
        assert await desk.waiting_count() > 0
        async with a_ring(tmp_path, port=port) as ring:
            await ring.until_known(job_id)
            card = await ring.until(job_id, JobState.SUCCEEDED)
            assert (card.text, card.title) == ("for later", "for later")
