"""Asked for at the computer: over the hub and back, on this machine and on another one."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from desktop.core.policy import write_policy
from desktop.desk.desk import Desk
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.credentials import save_secret
from desktop.system.paths import Paths
from hub.demo.programs import free_port
from shared.ids import JobId, QuestionId
from shared.jobs import Origin
from tests.flows.joining import join
from tests.flows.ring import PATIENCE_SECONDS, Ring, a_ring, everything

pytestmark = pytest.mark.flow


@contextlib.asynccontextmanager
async def a_desk(ring: Ring, name: str = "desk-pc") -> AsyncIterator[Desk]:
    """The desk of one more machine of the ring's person, paired and online."""
    invitation = await ring.hub.services.pairing.invite(ring.person_id, is_approved=True)
    home = ring.folder / name
    paths = Paths(data=home, config=home)
    paths.make()
    policy = everything(ring.folder).model_copy(update={"kinds": {Origin.LOCAL: ("*",)}})
    paths.policy.write_text(write_policy(policy), encoding="utf-8")
    with open_store(paths.store) as database:
        base = ring.hub.settings.local_url
        pairing, token = await asyncio.to_thread(join, base, invitation.code, name)
        await database.write(lambda c: facts.save_pairing(c, pairing))
        save_secret(token, entry=pairing.worker_id, file=paths.token)
        desk = Desk(
            paths, database,
            kinds_at="tests.flows.play:KINDS", executors_at="tests.flows.play:EXECUTORS",
        )  # fmt: skip
        running = asyncio.get_running_loop().create_task(desk.run())
        try:
            await until(desk, lambda: desk.link and desk.link.state is LinkState.ONLINE)
            yield desk
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            desk.close()


async def until(desk: Desk, is_so: object) -> None:
    """Wait until something is so; looked at whenever the desk rings."""
    bell = asyncio.Event()
    desk.listeners.append(lambda _: bell.set())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # type: ignore[operator]
            await bell.wait()
            bell.clear()


async def row(desk: Desk, job_id: JobId, wanted: str) -> sqlite3.Row:
    """Wait until the copy holds a job in a state; return its row."""
    bell = asyncio.Event()
    desk.listeners.append(lambda _: bell.set())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await desk.look(
                lambda c: c.execute(
                    "select state, worker_id, result, title from copy_job where job_id = ?",
                    (job_id,),
                ).fetchone()
            )
            if found is not None and found[0] == wanted:
                return found  # type: ignore[no-any-return]
            await bell.wait()
            bell.clear()


async def open_question(desk: Desk, job_id: JobId) -> QuestionId:
    found = await desk.look(
        lambda c: c.execute(
            "select question_id from copy_question where job_id = ? and state = 'open'", (job_id,)
        ).fetchone()
    )
    return QuestionId(found[0])


async def test_asked_for_here_runs_here_with_the_owners_rights(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, a_desk(ring) as desk:
        assert desk.pairing is not None
        job_id = await desk.request("play.ask", {}, worker_id=desk.pairing.worker_id)
        await row(desk, job_id, "asking")
        await desk.answer(await open_question(desk, job_id), job_id, "blue")
        state, worker, result, _ = await row(desk, job_id, "succeeded")
        assert (state, worker) == ("succeeded", desk.pairing.worker_id)
        assert "blue" in result


async def test_asked_for_here_runs_on_another_machine_as_any_chat_may(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring:
        mac = await ring.join("studio-mac")
        async with a_desk(ring) as desk:
            job_id = await desk.request("play.ask", {}, worker_id=mac.setup.pairing.worker_id)
            _, worker, _, _ = await row(desk, job_id, "asking")
            assert worker == mac.setup.pairing.worker_id
            await desk.cancel(job_id)
            await row(desk, job_id, "cancelled")


async def test_what_a_hub_cannot_do_is_told_at_the_computer(tmp_path: Path) -> None:
    async with a_ring(tmp_path) as ring, a_desk(ring) as desk:
        job_id = await desk.request("play.nonsense", {})
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
        await until(desk, lambda: desk.link and desk.link.state is LinkState.OFFLINE)
        assert desk.pairing is not None
        here = desk.pairing.worker_id
        job_id = await desk.request("play.count", {}, title="for later", worker_id=here)
        await row(desk, job_id, "queued")
        assert await desk.waiting_count() == 1
        async with a_ring(tmp_path, port=port) as ring:
            *_, title = await row(desk, job_id, "succeeded")
            assert title == "for later"
            assert (await ring.card(job_id)).text == "for later"
