"""Everything a person does at a computer works without the hub, and the hub learns of it later."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.desk.desk import Desk
from shared.events import AnswerSuperseded
from shared.ids import JobId, WorkerId
from shared.jobs import JobState, Origin
from tests.flows.desks import a_desk, open_question, row, until_state
from tests.flows.ring import Ring, a_ring
from tests.flows.wire import Wire

pytestmark = pytest.mark.flow


@contextlib.asynccontextmanager
async def a_desk_on_a_wire(folder: Path, slots: int = 2) -> AsyncIterator[tuple[Ring, Desk, Wire]]:
    """A hub, a machine, and the line between them, which can be cut."""
    async with (
        a_ring(folder) as ring,
        Wire(ring.hub.settings.port) as wire,
        a_desk(ring, through=wire.url, slots=slots) as desk,
    ):
        yield ring, desk, wire


async def unplug(desk: Desk, wire: Wire) -> None:
    wire.cut()
    await until_state(desk, LinkState.OFFLINE)


async def plug(desk: Desk, wire: Wire) -> None:
    wire.mend()
    desk.hurry()
    await until_state(desk, LinkState.ONLINE)


def me(desk: Desk) -> WorkerId:
    assert desk.pairing is not None
    return desk.pairing.worker_id


async def marks(folder: Path, job_id: JobId) -> int:
    path = folder / "marks"
    text = await asyncio.to_thread(path.read_text) if path.exists() else ""
    return text.split().count(job_id)


async def test_a_job_asked_for_without_a_hub_runs_here_and_the_hub_adopts_it(
    tmp_path: Path,
) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        await ring.join("studio-mac")
        await unplug(desk, wire)

        job_id = await desk.requests.make("play.effect", {"text": str(tmp_path / "marks")})
        await row(desk, job_id, "succeeded")
        assert await marks(tmp_path, job_id) == 1

        await plug(desk, wire)
        await ring.until_known(job_id)
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert (card.worker_id, card.origin) == (me(desk), Origin.LOCAL)
        assert await marks(tmp_path, job_id) == 1, "nobody ran it again"


async def test_a_job_that_still_runs_when_the_hub_is_back_goes_on_under_its_eyes(
    tmp_path: Path,
) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        await unplug(desk, wire)
        job_id = await desk.requests.make("play.ask", {}, worker_id=me(desk))
        await row(desk, job_id, "asking")

        await plug(desk, wire)
        await ring.until_known(job_id)
        await ring.answer(job_id, "blue")

        assert "blue" in (await row(desk, job_id, "succeeded"))[2]
        await ring.until(job_id, JobState.SUCCEEDED)


async def test_a_question_is_answered_without_a_hub_and_its_job_goes_on(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        job_id = await desk.requests.make("play.ask", {}, worker_id=me(desk))
        await row(desk, job_id, "asking")
        await ring.until(job_id, JobState.ASKING)
        await unplug(desk, wire)

        await desk.requests.answer(await open_question(desk, job_id), job_id, "blue")
        assert "blue" in (await row(desk, job_id, "succeeded"))[2]

        await plug(desk, wire)
        card = await ring.until(job_id, JobState.SUCCEEDED)
        assert "blue" in str(card.result)


async def test_an_answer_used_here_counts_although_a_chat_was_first(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        job_id = await desk.requests.make("play.ask", {}, worker_id=me(desk))
        await row(desk, job_id, "asking")
        await ring.until(job_id, JobState.ASKING)
        question = await ring.question(job_id)
        await unplug(desk, wire)
        await ring.answer(job_id, "red")

        await desk.requests.answer(question.question_id, job_id, "blue")
        await row(desk, job_id, "succeeded")
        await plug(desk, wire)
        await ring.until(job_id, JobState.SUCCEEDED)

        settled = await ring.hub.services.views.question(question.question_id)
        assert settled is not None
        assert settled.answer is not None
        assert settled.answer.value == "blue"
        [told] = [f.body for f in await ring.history(job_id)
                  if isinstance(f.body, AnswerSuperseded)]  # fmt: skip
        assert (told.value, told.by) == ("red", "anna on the console")


async def test_a_job_is_stopped_without_a_hub(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        job_id = await desk.requests.make("play.hang", {}, worker_id=me(desk))
        await row(desk, job_id, "running")
        await ring.until(job_id, JobState.RUNNING)
        await unplug(desk, wire)

        await desk.requests.cancel(job_id)
        await row(desk, job_id, "cancelled")

        await plug(desk, wire)
        await ring.until(job_id, JobState.CANCELLED)


async def test_jobs_asked_for_without_a_hub_wait_here_for_a_slot(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path, slots=1) as (ring, desk, wire):
        await unplug(desk, wire)
        first = await desk.requests.make("play.hang", {}, worker_id=me(desk))
        second = await desk.requests.make("play.count", {}, worker_id=me(desk))
        third = await desk.requests.make("play.count", {}, worker_id=me(desk))
        await row(desk, first, "running")
        await row(desk, second, "queued")

        await desk.requests.cancel(third)
        await row(desk, third, "cancelled")
        await desk.requests.cancel(first)
        await row(desk, second, "succeeded")

        await plug(desk, wire)
        await ring.until_known(third)
        await ring.until(first, JobState.CANCELLED)
        await ring.until(second, JobState.SUCCEEDED)
        await ring.until(third, JobState.CANCELLED)


async def test_what_has_failed_is_tried_again_without_a_hub_as_a_new_job(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        job_id = await desk.requests.make("play.refuse", {}, worker_id=me(desk))
        await row(desk, job_id, "failed")
        await ring.until(job_id, JobState.FAILED)
        await unplug(desk, wire)

        await desk.requests.retry(job_id)
        again = await replacement(desk, job_id)
        await row(desk, again, "failed")

        await plug(desk, wire)
        await ring.until_known(again)
        card = await ring.until(again, JobState.FAILED)
        assert card.job.task_id == (await ring.card(job_id)).job.task_id


async def test_what_a_chat_asked_for_is_tried_again_with_a_chats_rights_alone(
    tmp_path: Path,
) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        chats = desk.policy.model_copy(
            update={"kinds": {Origin.LOCAL: ("*",), Origin.CHAT: ("*",)}}
        )
        await desk.change_policy(chats)
        job_id = await ring.ask_for("refuse", origin=Origin.CHAT)
        await row(desk, job_id, "failed")
        await unplug(desk, wire)
        await desk.change_policy(chats.model_copy(update={"kinds": {Origin.LOCAL: ("*",)}}))

        await desk.requests.retry(job_id)

        (replaced,) = await desk.look(
            lambda c: c.execute(
                "select replaced_by from copy_job where job_id = ?", (job_id,)
            ).fetchone()
        )
        assert not replaced, "a hub's word has no more rights for being said again here"


async def replacement(desk: Desk, job_id: JobId) -> JobId:
    found = await desk.look(
        lambda c: c.execute(
            "select replaced_by from copy_job where job_id = ?", (job_id,)
        ).fetchone()
    )
    assert found[0]
    return JobId(found[0])


async def test_a_pause_holds_back_what_was_asked_for_without_a_hub(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (_, desk, wire):
        await unplug(desk, wire)
        await desk.pause()
        job_id = await desk.requests.make("play.count", {}, worker_id=me(desk))
        await row(desk, job_id, "queued")

        await desk.resume()

        await row(desk, job_id, "succeeded")


async def test_another_machines_job_waits_for_the_hub(tmp_path: Path) -> None:
    async with a_desk_on_a_wire(tmp_path) as (ring, desk, wire):
        mac = await ring.join("studio-mac")
        await unplug(desk, wire)
        job_id = await desk.requests.make("play.count", {}, worker_id=mac.setup.pairing.worker_id)
        await row(desk, job_id, "queued")

        await plug(desk, wire)

        assert (await row(desk, job_id, "succeeded"))[1] == mac.setup.pairing.worker_id
