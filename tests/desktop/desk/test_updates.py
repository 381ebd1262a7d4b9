"""A newer version is believed when it is signed, and looked for once a day at most."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from desktop.core.update import UpdateSource, write_source
from desktop.desk.updates import SOURCE, Updates
from desktop.store import facts
from desktop.store.database import open_store
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from tests.fakes.one_page import Page, a_page
from tests.makers import HandClock

ROOT = Path(__file__).parents[3]
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()


def packaging(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def manifest(version: str = "0.2.0", key: Ed25519PrivateKey = KEY) -> bytes:
    made = packaging("sign_manifest").signed(key, version, "https://example.org/new", ("Faster.",))
    assert isinstance(made, str)
    return made.encode()


class World:
    def __init__(self, updates: Updates, page: Page, clock: HandClock) -> None:
        self.updates, self.page, self.clock = updates, page, clock
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


@contextlib.asynccontextmanager
async def world(
    home: Path, page: Page, *, is_metered: bool | None = None, running: str = "0.1.0"
) -> AsyncIterator[World]:
    clock = HandClock()
    with open_store(home / "store.sqlite3") as database:
        source = write_source(UpdateSource(f"{page.base}/latest.json", PUBLIC))
        await database.write(lambda c: facts.put(c, SOURCE, source))
        updates = Updates(
            database,
            Environment(clock=clock),
            lambda: made.ring(),  # noqa: PLW0108 (it is made below)
            is_metered=lambda: is_metered,
            running=running,
        )
        made = World(updates, page, clock)
        yield made


async def test_a_signed_newer_version_is_found_told_and_remembered(tmp_path: Path) -> None:
    with a_page(200, manifest(), {"etag": '"1"'}) as page:
        async with world(tmp_path, page) as here:
            await here.updates.look_if_due()
            found = here.updates.found
            assert found is not None
            assert (found.version, found.notes) == ("0.2.0", ("Faster.",))
            assert here.rings == 1
            here.clock.advance(timedelta(hours=25).total_seconds())
            await here.updates.look_if_due()
            assert here.updates.found == found, "nothing new is no reason to forget"
        async with world(tmp_path, page) as here:
            await here.updates.load()
            assert here.updates.found == found
        async with world(tmp_path, page, running="0.2.0") as here:
            await here.updates.load()
            assert here.updates.found is None, "it was installed meanwhile"
    assert [request.headers.get("if-none-match") for request in page.asked] == [None, '"1"']
    assert all("#" not in request.path for request in page.asked)


async def test_it_is_asked_once_a_day(tmp_path: Path) -> None:
    with a_page(200, manifest()) as page:
        async with world(tmp_path, page) as here:
            await here.updates.look_if_due()
            here.clock.advance(timedelta(hours=23).total_seconds())
            assert 0 < await here.updates.look_if_due() <= 3600
    assert len(page.asked) == 1


async def test_who_does_not_want_it_is_not_asked_for_by_itself(tmp_path: Path) -> None:
    with a_page(200, manifest()) as page:
        async with world(tmp_path, page) as here:
            await here.updates.switch(is_on=False)
            await here.updates.look_if_due()
            assert page.asked == []
            assert not (await here.updates.state()).is_on
            assert await here.updates.look() is not None, "a person may still ask"


async def test_a_network_that_counts_is_left_alone(tmp_path: Path) -> None:
    with a_page(200, manifest()) as page:
        async with world(tmp_path, page, is_metered=True) as here:
            await here.updates.look_if_due()
    assert page.asked == []


async def test_a_manifest_of_another_key_is_not_believed(tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x")
    with a_page(200, manifest(key=other)) as page:
        async with world(tmp_path, page) as here:
            with pytest.raises(AppError) as caught:
                await here.updates.look()
            assert caught.value.code == "update_signature_wrong"
            assert here.updates.found is None
            assert (await here.updates.state()).error is not None


async def test_one_changed_letter_is_seen(tmp_path: Path) -> None:
    told = json.loads(manifest())
    told["manifest"] = told["manifest"].replace("0.2.0", "9.2.0")
    with a_page(200, json.dumps(told).encode()) as page:
        async with world(tmp_path, page) as here:
            with pytest.raises(AppError) as caught:
                await here.updates.look()
    assert caught.value.code == "update_signature_wrong"


@pytest.mark.parametrize(("status", "body"), [(404, b""), (500, b"oops"), (302, b""), (304, b"")])
async def test_a_source_that_answers_nothing_useful_is_asked_tomorrow(
    tmp_path: Path, status: int, body: bytes
) -> None:
    with a_page(status, body) as page:
        async with world(tmp_path, page) as here:
            with pytest.raises(Unavailable):
                await here.updates.look()
            await here.updates.look_if_due()
    assert len(page.asked) == 1


async def test_a_flood_is_cut_off(tmp_path: Path) -> None:
    with a_page(200, b" " * 200_000) as page:
        async with world(tmp_path, page) as here:
            with pytest.raises(AppError) as caught:
                await here.updates.look()
    assert caught.value.code == "update_manifest_odd"


async def test_a_build_without_a_source_says_so(tmp_path: Path) -> None:
    with a_page(200, b"") as page:
        async with world(tmp_path, page) as here:
            await here.updates._database.write(lambda c: facts.put(c, SOURCE, ""))
            with pytest.raises(AppError) as caught:
                await here.updates.look()
    assert caught.value.code == "update_source_missing"


def test_a_release_key_is_made_once_and_signs_what_can_be_checked(tmp_path: Path) -> None:
    sign = packaging("sign_manifest")
    public = sign.new_key(tmp_path / "key")
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        sign.new_key(tmp_path / "key")
    private = sign._read_key(tmp_path / "key")
    made = sign.signed(private, "1.2.0", "https://example.org", ())
    assert sign.checked(made.encode(), public) == "1.2.0"
    with pytest.raises(AppError):
        sign.signed(private, "soon", "https://example.org", ())
