"""A worker whose token is in a locked safe waits for it, and starts when it opens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from desktop.core.link import TOKEN_MISSING
from desktop.core.safe import LOCKED
from desktop.desk.desk import Desk
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.system.credentials import write_file
from desktop.system.paths import Paths, find_paths
from desktop.system.safe import Safe
from shared.ids import WorkerId
from tests.desktop.gui.scenes_settings import Box

HERE = WorkerId("01900000-0000-7000-8000-00000000aaaa")
NOWHERE = Pairing(
    hub_url="http://127.0.0.1:1",
    worker_id=HERE,
    worker_name="anna-pc",
    hub_name="hub",
    person_name="Anna",
)


@contextlib.asynccontextmanager
async def running(paths: Paths, box: Box, look_seconds: float = 30.0) -> AsyncIterator[Desk]:
    paths.make()
    with open_store(paths.store) as database:
        await database.write(lambda c: facts.save_pairing(c, NOWHERE))
        safe = Safe(lambda: box, is_locked=lambda: box.is_locked)
        safe.look_seconds = look_seconds
        desk = Desk(paths, database, safe=safe)
        async with asyncio.TaskGroup() as tasks:
            life = tasks.create_task(desk.run())
            try:
                yield desk
            finally:
                life.cancel()
        desk.close()


async def until_code(desk: Desk, code: str) -> None:
    """Wait until the line says this; every change rings."""
    rung = asyncio.Event()
    desk.listeners.append(lambda _news: rung.set())
    async with asyncio.timeout(10):
        while desk.link is None or desk.link.error is None or desk.link.error.code != code:
            await rung.wait()
            rung.clear()


async def test_a_locked_safe_is_waited_for_and_then_the_worker_starts(tmp_path: Path) -> None:
    box = Box(is_locked=True)
    box.kept[HERE] = "dh_worker_x_secret"
    async with running(find_paths(tmp_path), box) as desk:
        await until_code(desk, TOKEN_MISSING)
        assert desk.safe.trouble is not None
        assert desk.safe.trouble.code == LOCKED
        box.is_locked = False
        await desk.try_safe()
        await until_code(desk, "hub_unreachable")
        assert desk.safe.trouble is None


async def test_it_is_noticed_by_itself_that_somebody_unlocked_it(tmp_path: Path) -> None:
    box = Box(is_locked=True)
    box.kept[HERE] = "dh_worker_x_secret"
    async with running(find_paths(tmp_path), box, look_seconds=0.05) as desk:
        await until_code(desk, TOKEN_MISSING)
        box.is_locked = False
        await until_code(desk, "hub_unreachable")


async def test_a_token_that_lay_in_a_file_goes_home_unless_the_profile_is_one_apart(
    tmp_path: Path,
) -> None:
    for home, is_moved in ((None, True), (tmp_path / "apart", False)):
        data = home or tmp_path / "own"
        paths = Paths(data=data, config=data, home=home)
        paths.make()
        write_file(paths.token, "dh_worker_x_secret")
        box = Box()
        async with running(paths, box) as desk:
            await until_code(desk, "hub_unreachable")
        assert (box.kept == {HERE: "dh_worker_x_secret"}) is is_moved
        assert paths.token.exists() is not is_moved


async def test_a_token_that_is_nowhere_is_not_waited_for(tmp_path: Path) -> None:
    async with running(find_paths(tmp_path), Box()) as desk:
        await until_code(desk, TOKEN_MISSING)
        assert desk.safe.trouble is None
