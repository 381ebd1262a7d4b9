"""A chat for the own hub: a bot's token goes in by its environment, a link comes out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.desk.joining import Change, Joining
from desktop.store.database import open_store
from desktop.system.local_hub import HubState, LocalHub
from desktop.system.paths import find_paths
from shared.environment import Environment
from shared.errors import AppError
from tests.fakes.bot_api import TOKEN, FakeBotApi

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _no_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@contextlib.asynccontextmanager
async def an_own_hub(home: Path) -> AsyncIterator[tuple[FakeBotApi, Joining, LocalHub]]:
    """A machine that joined the hub it runs itself; that hub knows no Telegram but a test's."""
    paths = find_paths(home)
    paths.make()
    environment = Environment()
    with open_store(paths.store) as database:

        async def move(change: Change) -> None:
            await database.write(change)

        async with FakeBotApi() as telegram, asyncio.TaskGroup() as tasks:
            settings = {"HUB_TELEGRAM_API_URL": telegram.url}
            hub = LocalHub(paths, database, environment, settings=settings)
            joining = Joining(
                paths=paths,
                database=database,
                environment=environment,
                local_hub=hub,
                move=move,
                on_change=lambda: None,
            )
            living = tasks.create_task(hub.run())
            try:
                await joining.join_own("Anna")
                assert joining.stand.error is None, joining.stand.error
                yield telegram, joining, hub
            finally:
                living.cancel()


async def test_a_token_brings_a_link_to_the_bot_and_is_kept_for_the_next_start(
    tmp_path: Path,
) -> None:
    async with an_own_hub(tmp_path) as (_, joining, hub):
        link = await joining.connect_telegram(TOKEN)
        assert link.startswith("https://t.me/")
        assert link.rpartition("=")[2]
        assert hub.telegram_token_file.read_text() == TOKEN
        assert hub.telegram_token_file.stat().st_mode & 0o077 == 0
        assert TOKEN not in hub.log_file.read_text()


async def test_a_token_that_telegram_does_not_know_is_told_and_not_kept(tmp_path: Path) -> None:
    async with an_own_hub(tmp_path) as (_, joining, hub):
        with pytest.raises(AppError) as wrong:
            await joining.connect_telegram("1:wrong")
        assert "oken" in str(wrong.value)
        assert not hub.telegram_token_file.exists()
        assert hub.state is HubState.RUNNING, "the hub goes on without it"
