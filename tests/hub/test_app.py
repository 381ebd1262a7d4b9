"""The hub as a whole: first start, second start, the wrong port, SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hub.app import running
from hub.core.access import Scope
from hub.settings import Settings
from hub.store.database import CARE, STORE_NAME
from shared.errors import NotAllowed, Unavailable, first_of
from tests.shared.faulty import Disk

ROOT = Path(__file__).parents[2]


async def test_the_first_start_makes_an_owner_with_a_key_only_they_can_read(
    tmp_path: Path,
) -> None:
    settings = Settings(port=0, data=tmp_path / "new" / "folder")
    async with running(settings) as hub:
        [owner] = await hub.services.registry.people()
        key = settings.admin_key_file.read_text().strip()
        access = await hub.services.keys.check(key)
        assert (access.scope, access.person_id) == (Scope.ADMIN, owner.person_id)
        for file in (settings.admin_key_file, settings.pepper_file, settings.data / STORE_NAME):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        stored = b"".join(f.read_bytes() for f in settings.data.glob(f"{STORE_NAME}*"))
        secret = key.split("_", 2)[2]  # which may have such a sign itself
        assert secret.encode() not in stored
    async with running(settings) as hub:
        assert settings.admin_key_file.read_text().strip() == key
        assert await hub.services.registry.people() == (owner,)


async def test_a_lost_admin_key_is_made_anew(tmp_path: Path) -> None:
    settings = Settings(port=0, data=tmp_path)
    async with running(settings):
        first = settings.admin_key_file.read_text().strip()
    settings.admin_key_file.write_text("dh_admin_nothing_at-all\n")
    async with running(settings) as hub:
        second = settings.admin_key_file.read_text().strip()
        assert second != first
        await hub.services.keys.check(second)
        with pytest.raises(NotAllowed):
            await hub.services.keys.check("dh_admin_nothing_at-all")


async def test_a_taken_port_is_told_with_a_way_out(tmp_path: Path) -> None:
    async with running(Settings(port=0, data=tmp_path / "one")) as hub:
        second = Settings(port=hub.settings.port, data=tmp_path / "two")
        with pytest.raises(Unavailable) as caught:
            async with running(second):
                pass
    assert caught.value.code == "port_taken"
    assert "HUB_PORT" in caught.value.hint


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        async with running(Settings(port=0, data=tmp_path / "file" / "hub")):
            pass
    assert caught.value.code == "data_folder_unusable"


async def test_a_store_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / STORE_NAME).write_bytes(b"this is not a database" * 1000)
    with pytest.raises(Unavailable) as caught:
        async with running(Settings(port=0, data=tmp_path)):
            pass
    assert caught.value.code == "store_corrupt"
    assert "deskhand-hub restore" in caught.value.hint


async def test_an_error_inside_reaches_the_outside_and_stops_the_hub(tmp_path: Path) -> None:
    async def use() -> None:
        async with running(Settings(port=0, data=tmp_path)):
            raise LookupError("a bug of the caller")

    with pytest.raises(BaseExceptionGroup) as caught:
        await use()
    assert caught.value.subgroup(LookupError) is not None
    async with running(Settings(port=0, data=tmp_path)):
        pass


@pytest.mark.skipif(os.name != "posix", reason="signals are sent the POSIX way")
def test_sigterm_ends_the_program_in_good_order(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hub", "serve", "--port", "0", "--data", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("hub_listening" in line for line in lines)
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[1]
    assert process.returncode == 0, rest
    assert "hub_stopping" in rest
    assert "Traceback" not in rest
    assert not (tmp_path / f"{STORE_NAME}-wal").exists()


def test_importing_the_hub_draws_in_nothing_heavy() -> None:
    heavy = "sqlite_utils pandas numpy sklearn httpx PySide6 psutil keyring hikari aiohttp"
    check = (
        "import sys, hub.app, hub.frontends.api.build;"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert found.stdout.strip() == "[]"


async def test_a_hub_that_starts_again_needs_no_migration_tools(tmp_path: Path) -> None:
    async with running(Settings(port=0, data=tmp_path)):
        pass
    check = (
        "import sys; from pathlib import Path; from hub.store.database import open_store;"
        f"open_store(Path({str(tmp_path)!r})).close(); print('sqlite_utils' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", check, stdout=subprocess.PIPE, cwd=ROOT
    )
    told, _ = await process.communicate()
    assert told.strip() == b"False"


async def test_a_store_that_turns_out_damaged_ends_the_hub_with_what_mends_it(
    tmp_path: Path,
) -> None:
    settings, disk = Settings(port=0, data=tmp_path), Disk()
    async with running(settings):
        pass

    async def meet_it() -> None:
        async with running(settings, care=replace(CARE, connect=disk.connect)) as hub:
            with (tmp_path / STORE_NAME).open("r+b") as file:
                file.seek(8192)
                file.write(b"\x5a" * 40960)
            disk.fail("COMMIT", sqlite3.SQLITE_CORRUPT)
            with pytest.raises(Unavailable):
                await hub.services.registry.add_person("anna")
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as caught:
        await meet_it()
    error = first_of(caught.value)
    assert error.code == "store_corrupt"
    assert "deskhand-hub restore" in error.hint
