"""What happens when two of a person's devices say different things: one rule a test.

A real hub, two real desktops whose lines can be cut, and a chat (the ring itself speaks as one).
Of the model metadata row of the rules there is nothing to decide today: a model's facts (path,
size, what it can predict) stand on the machine that has it and are told to nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.desk.desk import Desk
from shared.events import AnswerSuperseded
from shared.ids import TaskId, WorkerId
from shared.jobs import JobState
from tests.flows.desks import a_desk, open_question, row, until_state
from tests.flows.ring import PATIENCE_SECONDS, Ring, a_ring
from tests.flows.wire import Wire

pytestmark = pytest.mark.flow

MOMENT_SECONDS = 0.05
ENDS = ("job_succeeded", "job_cancelled", "job_failed", "job_interrupted")


@dataclass(frozen=True, slots=True)
class Two:
    """Two desktops of one person, each on a line of its own."""

    ring: Ring
    anna: Desk
    mac: Desk
    anna_wire: Wire
    mac_wire: Wire


@contextlib.asynccontextmanager
async def two_desktops(folder: Path) -> AsyncIterator[Two]:
    async with (
        a_ring(folder) as ring,
        Wire(ring.hub.settings.port) as one,
        Wire(ring.hub.settings.port) as other,
        a_desk(ring, "anna-pc", through=one.url) as anna,
        a_desk(ring, "studio-mac", through=other.url) as mac,
    ):
        yield Two(ring, anna, mac, one, other)


async def unplug(desk: Desk, wire: Wire) -> None:
    wire.cut()
    await until_state(desk, LinkState.OFFLINE)


async def plug(desk: Desk, wire: Wire) -> None:
    wire.mend()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while desk.link is None or desk.link.state is not LinkState.ONLINE:
            desk.hurry()  # a call under way when the line was mended may still end in vain
            await _rung(desk)


def me(desk: Desk) -> WorkerId:
    assert desk.pairing is not None
    return desk.pairing.worker_id


async def all_told(desk: Desk) -> None:
    """Wait until the hub has everything that was said at a desk."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await desk.waiting_count():
            await _rung(desk)


async def _rung(desk: Desk) -> None:
    """Wait until the desk rings, or for a moment: an acknowledgement rings nothing."""
    bell = asyncio.Event()

    def ring(_: object) -> None:
        bell.set()

    desk.listeners.append(ring)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(MOMENT_SECONDS):
            await bell.wait()
    desk.listeners.remove(ring)


async def test_of_two_answers_the_first_by_the_hubs_order_counts_and_the_other_is_told(
    tmp_path: Path,
) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.ask", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await row(two.mac, job_id, "asking")
        question = await open_question(two.mac, job_id)
        await unplug(two.mac, two.mac_wire)
        await two.mac.requests.answer(question, job_id, "red")
        await two.ring.answer(job_id, "blue")
        await two.ring.until(job_id, JobState.SUCCEEDED)

        await plug(two.mac, two.mac_wire)
        await all_told(two.mac)

        card = await two.ring.until(job_id, JobState.SUCCEEDED)
        assert "blue" in str(card.result)
        [second] = [f.body for f in await two.ring.history(job_id)
                    if isinstance(f.body, AnswerSuperseded)]  # fmt: skip
        assert (second.value, second.counted.value) == ("red", "blue")
        for desk in (two.anna, two.mac):
            assert "blue" in (await row(desk, job_id, "succeeded"))[2]


async def test_an_answer_that_the_job_has_gone_on_with_beats_the_hubs_order(
    tmp_path: Path,
) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.ask", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await two.ring.until(job_id, JobState.ASKING)
        await row(two.anna, job_id, "asking")
        question = await open_question(two.anna, job_id)
        await unplug(two.anna, two.anna_wire)
        await two.ring.answer(job_id, "red")
        await two.anna.requests.answer(question, job_id, "blue")
        await row(two.anna, job_id, "succeeded")

        await plug(two.anna, two.anna_wire)

        card = await two.ring.until(job_id, JobState.SUCCEEDED)
        assert "blue" in str(card.result)
        assert "blue" in (await row(two.mac, job_id, "succeeded"))[2]


async def test_a_cancel_after_the_end_changes_nothing(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.ask", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await row(two.mac, job_id, "asking")
        await unplug(two.mac, two.mac_wire)
        await two.mac.requests.cancel(job_id)
        await two.ring.answer(job_id, "blue")
        await two.ring.until(job_id, JobState.SUCCEEDED)

        await plug(two.mac, two.mac_wire)
        await all_told(two.mac)

        assert (await two.ring.card(job_id)).state is JobState.SUCCEEDED
        for desk in (two.anna, two.mac):
            await row(desk, job_id, "succeeded")


async def test_a_job_that_ended_before_it_heard_of_its_cancel_has_ended_so(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.ask", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await row(two.anna, job_id, "asking")
        await two.ring.until(job_id, JobState.ASKING)
        question = await open_question(two.anna, job_id)
        await unplug(two.anna, two.anna_wire)
        await two.mac.requests.cancel(job_id)
        await all_told(two.mac)
        await two.anna.requests.answer(question, job_id, "blue")
        await row(two.anna, job_id, "succeeded")

        await plug(two.anna, two.anna_wire)
        await all_told(two.anna)

        # The cancel had not reached the machine: what it did is what happened.
        await two.ring.until(job_id, JobState.SUCCEEDED)
        for desk in (two.anna, two.mac):
            await row(desk, job_id, "succeeded")
        assert len([f for f in await two.ring.history(job_id) if f.type in ENDS]) == 1


async def test_a_job_cancelled_before_its_grant_never_starts(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        await two.anna.pause()
        job_id = await two.anna.requests.make(
            "play.effect", {"text": str(tmp_path / "marks")}, worker_id=me(two.anna)
        )
        await two.ring.until_known(job_id)
        await two.mac.requests.cancel(job_id)
        await two.ring.until(job_id, JobState.CANCELLED)

        await two.anna.resume()

        await row(two.anna, job_id, "cancelled")
        assert not await asyncio.to_thread((tmp_path / "marks").exists)


async def test_a_job_cancelled_after_its_grant_is_stopped_where_it_runs(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.hang", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await two.ring.until(job_id, JobState.RUNNING)
        await row(two.mac, job_id, "running")
        await two.mac.requests.cancel(job_id)
        await two.ring.until(job_id, JobState.CANCELLED)
        for desk in (two.anna, two.mac):
            await row(desk, job_id, "cancelled")


async def test_of_a_setting_changed_twice_the_later_change_counts_on_all_computers(
    tmp_path: Path,
) -> None:
    async with two_desktops(tmp_path) as two:
        await unplug(two.anna, two.anna_wire)
        await unplug(two.mac, two.mac_wire)
        await two.anna.settings.put("language", "de")
        await two.mac.settings.put("language", "fr")

        # Whoever comes back first: it is the later change that counts.
        await plug(two.mac, two.mac_wire)
        await plug(two.anna, two.anna_wire)

        for desk in (two.anna, two.mac):
            await until_setting(desk, "language", "fr")
        assert await two.anna.settings.undo("language") == "de"
        await until_setting(two.mac, "language", "de")


async def test_what_belongs_to_the_machine_stays_there(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        await two.anna.settings.put("scheme", "dark")
        await two.anna.settings.put("language", "de")
        await until_setting(two.mac, "language", "de")
        assert await two.mac.settings.value("scheme") == ""


async def until_setting(desk: Desk, name: str, value: str) -> None:
    bell = asyncio.Event()
    desk.listeners.append(lambda _: bell.set())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await desk.settings.value(name) != value:
            await bell.wait()
            bell.clear()


async def test_a_line_that_is_cut_after_the_end_tells_nothing_twice(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.count", {}, worker_id=me(two.anna))
        await two.ring.until_known(job_id)
        await two.ring.until(job_id, JobState.SUCCEEDED)
        two.anna_wire.cut()
        await until_state(two.anna, LinkState.OFFLINE)
        await plug(two.anna, two.anna_wire)
        told = [f.type for f in await two.ring.history(job_id)]
        assert told.count("job_succeeded") == told.count("task_requested") == 1


async def test_a_task_that_was_purged_is_not_brought_back_by_another_try(tmp_path: Path) -> None:
    async with two_desktops(tmp_path) as two:
        job_id = await two.anna.requests.make("play.count", {}, worker_id=me(two.anna))
        for desk in (two.anna, two.mac):
            await row(desk, job_id, "succeeded")
        card = await two.ring.card(job_id)
        await unplug(two.mac, two.mac_wire)
        await all_told(two.anna)
        await two.anna.requests.purge(card.job.task_id)
        await all_told(two.anna)
        await two.mac.requests.retry(job_id)

        await plug(two.mac, two.mac_wire)
        await all_told(two.mac)

        await until_gone(two.mac, card.job.task_id)
        assert not await two.ring.hub.services.views.jobs(two.ring.person_id)


async def until_gone(desk: Desk, task_id: TaskId) -> None:
    """Wait until a desk knows no job of a task."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await desk.look(
            lambda c: c.execute(
                "select count(*) from copy_job where task_id = ?", (task_id,)
            ).fetchone()[0]
        ):
            await _rung(desk)
