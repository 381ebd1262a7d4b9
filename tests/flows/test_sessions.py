"""Sessions over real sockets: the same computer and folder go on, until the time is over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from desktop.system.paths import Paths
from hub.core.job import JobCard
from hub.core.session import EndReason
from hub.services.absences import LOST_SECONDS
from hub.services.requests import Request
from hub.services.sessions import SessionCard
from shared.environment import Environment, SystemClock
from shared.errors import Conflict
from shared.ids import JobId, SessionId
from shared.jobs import JobState, Origin
from tests.flows.ring import PATIENCE_SECONDS, Ring, Worker, a_ring, everything, farewell

pytestmark = pytest.mark.flow

MINUTE = 60.0


class SetClock(SystemClock):
    """The real time, and as much ahead of it as a test says; each hand on its own."""

    def __init__(self) -> None:
        self.ahead_seconds = 0.0
        self.gone_seconds = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead_seconds)

    def monotonic(self) -> float:
        return super().monotonic() + self.gone_seconds


async def at_minute(ring: Ring, clock: SetClock, minute: float) -> None:
    """Set the clock; the loop that sleeps by it looks at once."""
    clock.ahead_seconds = minute * MINUTE
    await ring.hub.services.sessions.run_once()


async def session_of(ring: Ring, job_id: JobId) -> SessionCard:
    session_id = (await ring.card(job_id)).job.session_id
    assert session_id is not None
    return await ring.hub.services.sessions.get(ring.person_id, session_id)


async def go_on(ring: Ring, card: JobCard, text: str, **fields: object) -> JobCard:
    """Ask for a note in a job's task, as any frontend does; wait until it is written."""
    request = Request(
        person_id=ring.person_id,
        kind="play.note",
        inputs={"text": text},
        task_id=card.job.task_id,
        origin=Origin.API,
        **fields,  # type: ignore[arg-type]
    )
    receipt = await ring.hub.services.intake.request(request)
    return await ring.until(receipt.card.job_id, JobState.SUCCEEDED)


def notes_of(card: JobCard) -> list[str]:
    assert card.result is not None
    return str(card.result["text"]).split()


def workspace(worker: Worker, session_id: SessionId) -> Path:
    paths: Paths = worker.setup.paths
    return paths.sessions / session_id


async def until_gone(folder: Path) -> None:
    """Wait until a folder is no more; nobody rings for that."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while folder.exists():  # noqa: ASYNC110, ASYNC240
            await asyncio.sleep(0.02)


async def until_over(ring: Ring, session_id: SessionId) -> EndReason | None:
    feed = ring.hub.services.feed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            position = feed.position()
            session = (await ring.hub.services.sessions.get(None, session_id)).session
            if not session.is_open:
                return session.reason
            await feed.wait(position)


async def test_three_tasks_three_workers_and_the_end_of_their_sessions(tmp_path: Path) -> None:
    clock = SetClock()
    gate = tmp_path / "gate"
    async with a_ring(tmp_path, environment=Environment(clock=clock)) as ring:
        policy = everything(tmp_path).model_copy(update={"slots": 1})
        workers = {}
        for name in ("anna-pc", "studio-mac", "attic"):
            worker = await ring.join(name, policy=policy)
            workers[worker.setup.pairing.worker_id] = worker

        # Three tasks; three workers take three different jobs, at the same time.
        late = await ring.ask_for("hand_later", text=str(gate))
        await ring.until(late, JobState.RUNNING)
        noting = await ring.ask_for("note", text="one", number=1)
        await ring.until(noting, JobState.RUNNING)
        asking = await ring.ask_for("ask")
        await ring.question(asking)
        (tmp_path / "gate1").touch()
        noted = await ring.until(noting, JobState.SUCCEEDED)
        await ring.answer(asking, "red")
        await ring.until(asking, JobState.SUCCEEDED)
        cards = [await ring.card(job_id) for job_id in (late, asking, noting)]
        sessions = [await session_of(ring, job_id) for job_id in (late, asking, noting)]
        assert {card.worker_id for card in cards} == set(workers)
        assert [session.worker_id for session in sessions] == [c.worker_id for c in cards]
        assert len({session.session_id for session in sessions}) == 3

        # What follows goes to the same computer and folder, although another one is idle.
        second = await go_on(ring, noted, "two")
        assert second.worker_id == noted.worker_id
        assert second.job.session_id == noted.job.session_id
        assert notes_of(second) == ["one", "two"]
        folder = workspace(workers[sessions[2].worker_id], sessions[2].session_id)
        assert folder.is_dir()

        # Another task's folder is another one; used at minute 25, it lives at minute 31.
        await at_minute(ring, clock, 25)
        other = await go_on(ring, cards[1], "else")
        assert notes_of(other) == ["else"]
        await at_minute(ring, clock, 31)
        assert await until_over(ring, sessions[2].session_id) is EndReason.IDLE
        await until_gone(folder)
        used = workspace(workers[sessions[1].worker_id], sessions[1].session_id)
        assert used.is_dir()

        # What is asked for after that begins a new session, in an empty folder.
        receipt = await go_on(ring, noted, "three")
        assert receipt.job.task_id == noted.job.task_id
        assert receipt.job.session_id != noted.job.session_id
        assert notes_of(receipt) == ["three"]

        # Used again and again, it ends at an hour all the same.
        await at_minute(ring, clock, 50)
        assert notes_of(await go_on(ring, cards[1], "more")) == ["else", "more"]
        await at_minute(ring, clock, 61)
        assert await until_over(ring, sessions[1].session_id) is EndReason.AGE
        await until_gone(used)

        # What runs for longer than that goes on; nothing new begins there, and it ends with it.
        running = await session_of(ring, late)
        assert (running.session.is_open, running.takes_follow_ups) == (True, False)
        with pytest.raises(Conflict):
            await go_on(ring, cards[0], "no", session_id=running.session_id)
        gate.write_text("open")
        await ring.until(late, JobState.SUCCEEDED)
        assert await until_over(ring, running.session_id) is EndReason.AGE


async def test_a_session_survives_the_hub_and_its_worker(tmp_path: Path) -> None:
    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        await ring.join("anna-pc")
        port = ring.hub.settings.port
        first = await ring.until(await ring.ask_for("note", text="one"), JobState.SUCCEEDED)
    clock = SetClock()
    environment = Environment(clock=clock)
    async with a_ring(tmp_path, port=port, workers=workers, environment=environment) as ring:
        idle = await ring.join("studio-mac")
        [anna, _] = workers
        second = await go_on(ring, first, "two")
        assert notes_of(second) == ["one", "two"]
        await anna.stop()
        anna.start()
        third = await go_on(ring, first, "three")
        assert notes_of(third) == ["one", "two", "three"]
        assert third.worker_id != idle.setup.pairing.worker_id

        # Its end is told while the worker is away: it removes the folder when it is back.
        assert third.job.session_id is not None
        folder = workspace(anna, third.job.session_id)
        await anna.stop()
        assert folder.is_dir()
        await at_minute(ring, clock, 31)
        assert await until_over(ring, third.job.session_id) is EndReason.IDLE
        anna.start()
        await until_gone(folder)
    await farewell(workers)


async def test_an_end_heard_before_a_crash_removes_the_folder_at_the_next_start(
    tmp_path: Path,
) -> None:
    async with a_ring(tmp_path) as ring:
        anna = await ring.join("anna-pc")
        card = await ring.until(await ring.ask_for("note", text="one"), JobState.SUCCEEDED)
        session = await session_of(ring, card.job_id)
        folder = workspace(anna, session.session_id)
        await ring.hub.services.sessions.terminate(None, session.session_id, "anna on the web")
        await until_gone(folder)
        await anna.stop()
        # As if it had died between the commit and the removal.
        folder.mkdir()
        living = workspace(anna, SessionId(Environment().new_id()))
        living.mkdir()
        anna.start()
        await until_gone(folder)
        assert living.is_dir()


async def test_a_session_that_is_ended_in_the_middle_keeps_its_folder_until_the_job_is_over(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    async with a_ring(tmp_path) as ring:
        anna = await ring.join("anna-pc")
        noted = await ring.until(await ring.ask_for("note", text="one"), JobState.SUCCEEDED)
        receipt = await ring.hub.services.intake.request(
            Request(
                person_id=ring.person_id,
                kind="play.hand_later",
                inputs={"text": str(gate)},
                task_id=noted.job.task_id,
                origin=Origin.API,
            )
        )
        late = receipt.card.job_id
        await ring.until(late, JobState.RUNNING)
        session = await session_of(ring, late)
        folder = workspace(anna, session.session_id)
        await ring.hub.services.sessions.terminate(None, session.session_id, "anna on the web")
        # The worker has heard of it once it has heard of what came after.
        assert (await ring.until(await ring.ask_for("count", number=1), JobState.SUCCEEDED)).result
        assert folder.is_dir()
        gate.write_text("open")
        await ring.until(late, JobState.SUCCEEDED)
        await until_gone(folder)


async def test_showing_a_worker_out_or_losing_it_ends_its_sessions(tmp_path: Path) -> None:
    clock = SetClock()
    async with a_ring(tmp_path, environment=Environment(clock=clock)) as ring:
        anna = await ring.join("anna-pc")
        lost = await ring.until(await ring.ask_for("note", text="one"), JobState.SUCCEEDED)
        await ring.hub.services.absences.run_once()  # whom it never saw, it does not miss
        await anna.stop()
        assert lost.job.session_id is not None
        # The hub looks once a second: it has to note the absence before that can be a long one.
        async with asyncio.TaskGroup() as tasks:
            over = tasks.create_task(until_over(ring, lost.job.session_id))
            while not over.done():
                clock.gone_seconds += LOST_SECONDS + 1
                await asyncio.wait([over], timeout=0.7)
        assert over.result() is EndReason.WORKER_LOST

        mac = await ring.join("studio-mac")
        card = await ring.until(await ring.ask_for("note", text="two"), JobState.SUCCEEDED)
        assert card.job.session_id is not None
        assert workspace(mac, card.job.session_id).is_dir()
        worker_id = mac.setup.pairing.worker_id
        await ring.hub.services.registry.revoke(ring.person_id, worker_id, "anna on the web")
        assert await until_over(ring, card.job.session_id) is EndReason.WORKER_REVOKED
        await until_gone(workspace(mac, card.job.session_id))


async def test_a_job_kept_without_a_hub_has_its_session_once_it_is_adopted(
    tmp_path: Path,
) -> None:
    from shared.events import TaskRequested
    from shared.ids import TaskId

    workers: list[Worker] = []
    async with a_ring(tmp_path, workers=workers) as ring:
        anna = await ring.join("anna-pc")
        port = ring.hub.settings.port
    new_id = Environment().new_id
    body = TaskRequested(
        task_id=TaskId(new_id()),
        job_id=JobId(new_id()),
        kind="play.note",
        inputs={"text": "alone"},
        worker_id=anna.setup.pairing.worker_id,
    )
    assert anna.agent is not None
    await anna.agent.say(body)
    await anna.until_idle()
    async with a_ring(tmp_path, port=port, workers=workers) as ring:
        await ring.until_known(body.job_id)
        card = await ring.until(body.job_id, JobState.SUCCEEDED)
        session = await session_of(ring, card.job_id)
        assert session.worker_id == anna.setup.pairing.worker_id
        assert notes_of(await go_on(ring, card, "together")) == ["alone", "together"]
    await farewell(workers)
