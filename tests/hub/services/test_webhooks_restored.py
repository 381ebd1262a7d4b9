"""A hub that is brought back from a backup calls whom its people last wanted it to call."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.core.webhook import Webhook, write_secret
from hub.services.webhooks import NewWebhook, WebhookPatch
from hub.store import aftermath
from hub.store.database import STORE_NAME, open_store
from tests.hub.worlds import World


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


async def made(world: World, person: Person, url: str) -> tuple[Webhook, str]:
    new = NewWebhook(person_id=person.person_id, url=url, types=("job.dead",), by="anna")
    return await world.services.webhooks.create(new)


def back_up(world: World, folder: Path) -> None:
    folder.mkdir()
    with (
        contextlib.closing(sqlite3.connect(world.folder / STORE_NAME)) as source,
        contextlib.closing(sqlite3.connect(folder / STORE_NAME)) as target,
    ):
        source.backup(target)


def restore(world: World, folder: Path) -> World:
    """Do as `deskhand-hub restore` does with the store that is given up."""
    lost = aftermath.record_of(world.folder / STORE_NAME)
    assert lost is not None
    with open_store(folder) as restored:
        before = restored.submit(aftermath.read).result()
        after = aftermath.compare(lost, before)
        restored.submit(lambda c: aftermath.keep_out(c, after, lost)).result()
    return World(folder)


async def signing(world: World, webhook: Webhook) -> list[str]:
    lane = await world.services.webhook_lanes.lane(webhook.webhook_id)
    return [write_secret(key) for key in lane.keys] if lane else []


async def test_what_was_changed_after_the_backup_stays_as_it_was_wanted(
    world: World, anna: Person, tmp_path: Path
) -> None:
    webhooks = world.services.webhooks
    (kept, secret), (leaked, _), (unwanted, _), (moved, _) = [
        await made(world, anna, f"https://{name}.example/")
        for name in ("kept", "leaked", "unwanted", "moved")
    ]
    back_up(world, tmp_path / "backup")
    _, new_secret = await webhooks.rotate(
        anna.person_id, leaked.webhook_id, "anna", overlap_seconds=0
    )
    await webhooks.delete(anna.person_id, unwanted.webhook_id, "anna")
    there = WebhookPatch(url="https://there.example/", is_on=False)
    await webhooks.update(anna.person_id, moved.webhook_id, there, "anna")
    later, _ = await made(world, anna, "https://later.example/")

    again = restore(world, tmp_path / "backup")

    found = {w.webhook_id: w for w in await again.services.webhooks.page(None)}
    assert found.keys() == {kept.webhook_id, leaked.webhook_id, moved.webhook_id}
    assert later.webhook_id not in found
    assert found[moved.webhook_id].url == "https://there.example/"
    assert found[moved.webhook_id].stopped is not None
    assert await signing(again, kept) == [secret]
    assert await signing(again, leaked) == [new_secret]
    again.database.close()


async def test_a_store_of_before_there_were_webhooks_is_brought_back_all_the_same(
    world: World, anna: Person, tmp_path: Path
) -> None:
    await made(world, anna, "https://kept.example/")
    old = tmp_path / "old.sqlite3"
    with (
        contextlib.closing(sqlite3.connect(world.folder / STORE_NAME)) as source,
        contextlib.closing(sqlite3.connect(old)) as target,
    ):
        source.backup(target)
    with contextlib.closing(sqlite3.connect(old)) as connection:
        for table in ("webhooks", "webhook_secrets", "webhook_deliveries"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    record = aftermath.record_of(old)
    assert record is not None
    assert record.webhooks is None
