"""A job with parts: each is done once, people see the job alone, and what follows it comes once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from desktop.store import copied, copied_list, rebuilt
from hub.core.task_row import RowFilter
from hub.store import jobs
from shared.database import peek
from shared.ids import JobId
from shared.jobs import JobState, Origin
from shared.kinds import JsonObject
from tests.flows.desks import a_desk, row
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring

pytestmark = pytest.mark.flow

PARTS = 40


def a_place(folder: Path) -> Path:
    place = folder / "done"
    place.mkdir()
    return place


def marks(place: Path) -> Counter[int]:
    """Which parts were done; none can be done twice without failing."""
    return Counter(int(path.name.removeprefix("done")) for path in place.glob("done*"))


async def until_after(ring: Ring, maker: JobId) -> JobId:
    """Wait until what follows a job has ended well; return it."""
    task_id = (await ring.card(maker)).job.task_id
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            position = ring.hub.services.feed.position()
            cards = await ring.hub.services.views.jobs_of_task(task_id)
            ended = [c for c in cards if c.kind == "play.after" and c.state.is_terminal]
            if ended:
                assert [c.kind for c in cards] == ["play.after", "play.run"]
                return ended[0].job_id
            await ring.hub.services.feed.wait(position)


async def test_parts_of_a_job_that_the_hub_gave_are_done_once_each_and_what_follows_once(
    tmp_path: Path,
) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await ring.ask_for("run", number=PARTS, text=str(place), origin=Origin.CHAT)
        card = await ring.until(maker, JobState.SUCCEEDED)
        assert card.result is not None
        assert card.result["succeeded"] == PARTS
        after = await until_after(ring, maker)
        assert (await ring.card(after)).origin is Origin.CHAT
        assert marks(place) == dict.fromkeys(range(PARTS), 1)
        assert len((place / "after").read_text().split()) == 1

        views = ring.hub.services.views
        assert await views.part_counts(maker) == {JobState.SUCCEEDED: PARTS}
        parts = await views.jobs(ring.person_id, part_of=maker, limit=200)
        assert {p.job.part_of for p in parts} == {maker}
        assert {p.origin for p in parts} == {Origin.CHAT}
        assert {p.worker_id for p in parts} == {worker.setup.pairing.worker_id}
        assert "Part 1" in {p.title for p in parts}
        listed = await views.jobs(ring.person_id, limit=200)
        assert {c.job_id for c in listed} == {maker, after}
        rows = (await views.task_rows(RowFilter(person_id=ring.person_id))).rows
        assert [(r.job.job_id, r.jobs) for r in rows] == [(after, 2)]
        assert (await ring.card(maker)).job.pinned_to == worker.setup.pairing.worker_id


async def test_parts_of_a_job_of_this_machines_own_are_shown_nowhere_but_under_it(
    tmp_path: Path,
) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring, a_desk(ring) as desk:
        assert desk.pairing is not None
        here = desk.pairing.worker_id
        inputs: JsonObject = {"number": PARTS, "text": str(place)}
        maker = await desk.requests.make("play.run", inputs, worker_id=here)
        await row(desk, maker, "succeeded")
        after = await until_after(ring, maker)
        await row(desk, after, "succeeded")

        def look(connection: sqlite3.Connection) -> None:
            shown = {r.job_id for r in copied_list.page(connection, copied_list.Wanted())}
            assert shown == {maker, after}
            assert {r.job_id for r in copied.newest(connection, 100)} == {maker, after}
            assert copied.part_counts(connection, maker) == {JobState.SUCCEEDED: PARTS}
            parts = copied.parts_of(connection, maker)
            assert len(parts) == PARTS
            assert {p.part_of for p in parts} == {maker}
            assert rebuilt.compare(connection) == []

        await desk.look(look)
        assert marks(place) == dict.fromkeys(range(PARTS), 1)


async def test_a_part_that_failed_is_made_anew_when_it_is_asked_for_again(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        await ring.join()
        maker = await ring.ask_for("run", number=5, text=str(place), fails=3)
        await ring.until(maker, JobState.SUCCEEDED)
        counts = await ring.hub.services.views.part_counts(maker)
        assert counts == {JobState.SUCCEEDED: 5, JobState.FAILED: 1}
        assert marks(place) == dict.fromkeys(range(5), 1)


async def test_a_job_that_is_stopped_takes_its_parts_along(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    (place / "gate").touch()
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await ring.ask_for("run", number=PARTS, text=str(place))
        await until_parts(ring, maker, PARTS)
        await ring.hub.services.intake.cancel(ring.person_id, maker, "anna")
        await ring.until(maker, JobState.CANCELLED)
        await worker.until_idle()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await ring.hub.services.views.part_counts(maker) != {JobState.CANCELLED: PARTS}:
                await ring.hub.services.feed.wait(ring.hub.services.feed.position())
        assert marks(place) == {}
        assert not (place / "after").exists()
        assert worker.agent is not None
        assert not [a for a in worker.agent.attempts if a.part_of]


async def test_a_job_whose_program_stops_goes_on_with_its_parts(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await ring.ask_for("run", number=PARTS, text=str(place))
        for done in (5, 15, 25):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while marks(place).total() < done:  # noqa: ASYNC110 (files ring for nobody)
                    await asyncio.sleep(0.01)
            await worker.stop()
            worker.start()
        await ring.until(maker, JobState.SUCCEEDED)
        await until_after(ring, maker)
        ends = await successes(ring, maker)
        assert ends == dict.fromkeys(range(PARTS), 1)


async def test_a_job_may_have_made_only_what_its_kind_says(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        await ring.join()
        maker = await ring.ask_for("greedy", text=str(tmp_path / "marks"))
        card = await ring.until(maker, JobState.FAILED)
        assert card.error is not None
        assert card.error.code == "job_makes_not"
        assert await ring.hub.services.views.part_counts(maker) == {}


async def test_parts_have_the_rights_of_their_maker_and_no_more(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        worker = await ring.pair("anna-pc")
        kinds = {Origin.LOCAL: ("*",), Origin.CHAT: ("play.run",)}
        policy = worker.setup.policy.model_copy(update={"kinds": kinds})
        object.__setattr__(worker.setup, "policy", policy)
        worker.start()
        maker = await ring.ask_for("run", number=3, text=str(place), origin=Origin.CHAT)
        card = await ring.until(maker, JobState.FAILED)
        assert card.error is not None
        assert card.error.code == "policy_refuses"
        assert "play.part" in card.error.message
        assert marks(place) == {}


async def test_a_task_that_is_purged_takes_its_parts_along(tmp_path: Path) -> None:
    place = a_place(tmp_path)
    async with a_ring(tmp_path) as ring:
        worker = await ring.join()
        maker = await ring.ask_for("run", number=5, text=str(place))
        await ring.until(maker, JobState.SUCCEEDED)
        after = await until_after(ring, maker)
        task_id = (await ring.card(maker)).job.task_id
        await ring.hub.services.intake.purge(ring.person_id, task_id, "anna")
        with peek(ring.hub.settings.data / "hub.sqlite3") as store:
            assert store.execute("select count(*) from jobs").fetchone() == (0,)
            told = store.execute("select body from events where type = 'task_purged'").fetchone()
            assert maker in told[0]
            assert after in told[0]
        await until_emptied(worker)


async def until_emptied(worker: Worker) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await worker.database.read(_jobs_known):  # noqa: ASYNC110 (it has no bell)
            await asyncio.sleep(0.02)


def _jobs_known(connection: sqlite3.Connection) -> int:
    return int(connection.execute("select count(*) from copy_job").fetchone()[0])


async def until_parts(ring: Ring, maker: JobId, count: int) -> None:
    """Wait until the hub knows so many parts of a job."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while sum((await ring.hub.services.views.part_counts(maker)).values()) < count:
            await ring.hub.services.feed.wait(ring.hub.services.feed.position())


async def successes(ring: Ring, maker: JobId) -> Counter[int]:
    """How often each part ended well, as the hub counts it."""
    wanted = jobs.Filter(part_of=maker, states=frozenset({JobState.SUCCEEDED}))
    with peek(ring.hub.settings.data / "hub.sqlite3") as store:
        return Counter(int(str(c.inputs["index"])) for c in jobs.page(store, wanted, 10_000))
