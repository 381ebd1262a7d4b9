"""Desks of a ring's person: whole workers as the tray app has them, without their windows."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator

from desktop.core.link import LinkState
from desktop.core.policy import write_policy
from desktop.desk.desk import Desk
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.credentials import save_secret
from desktop.system.device_key import make_key, save_key
from desktop.system.paths import Paths
from shared.ids import JobId, QuestionId
from shared.jobs import Origin
from shared.pairing import b64
from tests.flows.joining import join
from tests.flows.ring import PATIENCE_SECONDS, Ring, everything
from tests.fresh_stores import lay_worker_store


@contextlib.asynccontextmanager
async def a_desk(
    ring: Ring, name: str = "desk-pc", *, through: str = "", slots: int = 2
) -> AsyncIterator[Desk]:
    """The desk of one more machine of the ring's person, paired and online.

    `through` is another way to the hub.
    """
    invitation = await ring.hub.services.pairing.invite(ring.person_id, is_approved=True)
    home = ring.folder / name
    paths = Paths(data=home, config=home)
    paths.make()
    policy = everything(ring.folder).model_copy(
        update={"kinds": {Origin.LOCAL: ("*",)}, "slots": slots}
    )
    paths.policy.write_text(write_policy(policy), encoding="utf-8")
    lay_worker_store(paths.store)
    with open_store(paths.store) as database:
        base = through or ring.hub.settings.local_url
        key = make_key()
        save_key(key, file=paths.device_key, allow_safe=False)
        await database.write(lambda c: facts.put(c, "public_key", b64(key.public)))
        pairing, token = await asyncio.to_thread(join, base, invitation.code, name, key)
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


async def until_state(desk: Desk, state: LinkState) -> None:
    """Wait until the line to the hub is in a state."""
    await until(desk, lambda: desk.link is not None and desk.link.state is state)
