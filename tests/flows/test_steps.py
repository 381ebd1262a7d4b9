"""Steps of a plan: made one by one, each done once, and their outputs go back to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from desktop.core.policy import Policy
from hub.core.job import JobCard
from shared.ids import JobId
from shared.jobs import JobState, Origin
from tests.flows.play import KINDS
from tests.flows.ring import PATIENCE_SECONDS, Ring, a_ring

pytestmark = pytest.mark.flow


def a_place(folder: Path) -> Path:
    place = folder / "done"
    place.mkdir()
    return place


async def a_plan(ring: Ring, place: Path, *kinds: str, drops: tuple[int, ...] = ()) -> JobId:
    named = tuple(f"play.step_{kind}" for kind in kinds)
    return await ring.ask_for("plan", text=str(place), kinds=named, drops=drops)


def outcome(card: JobCard) -> dict[str, object]:
    assert card.result is not None, card.error
    return dict(card.result)


async def test_outputs_of_steps_go_back_to_their_plan(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await a_plan(ring, place, "tell", "stride", "refuse", "tell", "stumble")
        card = await ring.until(maker, JobState.SUCCEEDED)
        told = outcome(card)
        assert told["states"] == ["succeeded", "succeeded", "failed", "succeeded", "succeeded"]
        assert told["codes"] == ["", "", "file_empty", "", ""]
        assert told["texts"] == ["told 0 True", "strode 1 True 1", "", "told 3 True", "at last"]
        parts = await ring.hub.services.views.jobs(ring.person_id, part_of=maker, limit=10)
        assert {p.job.task_id for p in parts} == {card.job.task_id}
        assert {p.worker_id for p in parts} == {worker.setup.pairing.worker_id}
        assert "Step 1" in {p.title for p in parts}
        planned = [f for f in await ring.history(maker) if f.type == "job_planned"]
        assert [f.payload["stage"] for f in planned] == ["approved"]


async def test_with_one_slot_several_plans_come_to_their_end(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    policy = Policy(slots=1, kinds=dict.fromkeys(("local", "chat", "api"), ("*",)))
    async with a_ring(tmp_path) as ring:
        await ring.join(policy=policy)
        makers = [await a_plan(ring, place, "stride", "stride", "tell") for _ in range(3)]
        for maker in makers:
            told = outcome(await ring.until(maker, JobState.SUCCEEDED))
            assert told["states"] == ["succeeded"] * 3


async def test_a_step_that_nobody_waits_for_any_more_is_stopped(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    (place / "gate").touch()
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await a_plan(ring, place, "stride", "stride", drops=(0, 1))
        await until(lambda: len(list(place.glob("done*"))) == 2)
        (place / "drop").touch()
        told = outcome(await ring.until(maker, JobState.SUCCEEDED))
        assert told["states"] == []
        await worker.until_idle()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await ring.hub.services.views.part_counts(maker) != {JobState.CANCELLED: 2}:
                await ring.hub.services.feed.wait(ring.hub.services.feed.position())


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 (files ring for nobody)
            await asyncio.sleep(0.01)


async def test_what_this_machine_does_not_run_another_one_does(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        here = await ring.join("anna-pc", policy=without(tmp_path, "play.step_stride"))
        maker = await a_plan(ring, place, "tell", "stride")
        await ring.until(maker, JobState.RUNNING)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(found := await parts(ring, maker)) < 2:
                await ring.hub.services.feed.wait(ring.hub.services.feed.position())
        [lent] = [p.job_id for p in found if p.job.is_lent]
        await ring.why_waiting(lent, "step_stride")
        there = await ring.join("lab")
        told = outcome(await ring.until(maker, JobState.SUCCEEDED))
        assert told["states"] == ["succeeded", "succeeded"]
        assert told["texts"] == ["told 0 True", "strode 1 False 1"]
        count = len(KINDS)
        assert told["offers"] == [f"anna-pc True {count - 1}", f"lab True {count}"]
        card = await ring.card(lent)
        assert card.worker_id == there.setup.pairing.worker_id
        assert card.job.session_id is None
        assert (await ring.card(maker)).worker_id == here.setup.pairing.worker_id
        listed = await ring.hub.services.views.jobs(ring.person_id, limit=10)
        assert [c.job_id for c in listed] == [maker]


async def test_steps_elsewhere_that_fail_come_back_once_the_hub_gave_them_up(
    tmp_path: Path,
) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        await ring.join("anna-pc", policy=without(tmp_path, "play.step_*"))
        await ring.join("lab")
        maker = await a_plan(ring, place, "refuse", "stumble")
        told = outcome(await ring.until(maker, JobState.SUCCEEDED))
        assert told["states"] == ["failed", "succeeded"]
        assert told["codes"] == ["file_empty", ""]
        assert told["texts"] == ["", "at last"]


async def test_a_plan_that_is_stopped_takes_its_steps_elsewhere_along(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    (place / "gate").touch()
    async with a_ring(tmp_path) as ring:
        await ring.join("anna-pc", policy=without(tmp_path, "play.step_stride"))
        there = await ring.join("lab")
        maker = await a_plan(ring, place, "tell", "stride")
        await until((place / "done1").exists)
        await ring.hub.services.intake.cancel(ring.person_id, maker, "anna")
        await ring.until(maker, JobState.CANCELLED)
        await there.until_idle()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await ring.hub.services.views.part_counts(maker) != {JobState.CANCELLED: 2}:
                await ring.hub.services.feed.wait(ring.hub.services.feed.position())


async def test_steps_here_and_there_ask_their_person(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        await ring.join("anna-pc")
        maker = await a_plan(ring, place, "wonder")
        await answer_part(ring, maker, "red")
        assert outcome(await ring.until(maker, JobState.SUCCEEDED))["texts"] == ["red"]
        await ring.workers[0].stop()
        await ring.join("lab", policy=without(tmp_path, "play.step_wonder"))
        await ring.join("far", policy=without(tmp_path, "play.plan"))
        maker = await a_plan(ring, place, "wonder")
        await answer_part(ring, maker, "blue")
        assert outcome(await ring.until(maker, JobState.SUCCEEDED))["texts"] == ["blue"]


def without(folder: Path, kind: str) -> Policy:
    """What allows everything but one kind."""
    allowed = tuple(k for k in KINDS if not fnmatch(k, kind))
    return Policy(kinds=dict.fromkeys(Origin, allowed), folders=(str(folder),), slots=4)


async def parts(ring: Ring, maker: JobId) -> tuple[JobCard, ...]:
    return tuple(await ring.hub.services.views.jobs(ring.person_id, part_of=maker, limit=10))


async def answer_part(ring: Ring, maker: JobId, reply: str) -> None:
    """Wait until a part of a job asks, and answer it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(p.state is JobState.ASKING for p in await parts(ring, maker)):
            await ring.hub.services.feed.wait(ring.hub.services.feed.position())
    [part] = await parts(ring, maker)
    [asked] = [f for f in await ring.history(part.job_id) if f.type == "question_asked"]
    assert not asked.is_of_part
    await ring.answer(part.job_id, reply)
