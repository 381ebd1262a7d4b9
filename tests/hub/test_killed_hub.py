"""kill -9 of the hub in the middle of a job: its chat gets exactly one last word."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.demo.programs import Programs, free_port
from hub.frontends.console_client import open_chat
from shared.api.client import Client
from shared.capabilities import Capability
from shared.errors import AppError
from shared.events import JobSucceeded
from shared.ids import WorkerId
from tests.hub.frontends.world import Chat, PuppetWorker, at_terminal
from tests.pairing import Computer, pair_over_http

pytestmark = pytest.mark.flow
SECONDS = 20.0


class Killable:
    """A hub in a process of its own, started and killed as often as wanted."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self._folder, self._programs = folder, programs
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def key(self) -> str:
        return (self._folder / "data" / "admin.key").read_text().strip()

    async def start(self) -> None:
        arguments = ["--port", str(self._port), "--data", str(self._folder / "data")]
        self._programs.start("hub", "hub", ["serve", *arguments])
        await self._programs.until(self._is_up, SECONDS, "The hub did not start.")

    async def kill(self) -> None:
        await self._programs.kill("hub")

    def _is_up(self) -> bool:
        try:
            return bool(Client(self.url).get_health())
        except AppError:
            return False


async def pair(hub: Killable) -> PuppetWorker:
    rest = Client(hub.url, hub.key)
    computer = Computer(capabilities=(Capability(kind="ml.train"),))
    paired = pair_over_http(rest, computer)
    url = hub.url.replace("http", "ws", 1) + "/api/v1/worker"
    return PuppetWorker(WorkerId(paired.worker_id), paired.token, url, "anna-pc")


async def last_words(chat: Chat) -> list[str]:
    """All last words, once the chat has certainly been shown everything."""
    await chat.view(lambda view: view.final)
    await chat.say("/help start")
    return [view.text for view in chat.finals]


@pytest.mark.parametrize("killed", ["under its worker", "alone"])
async def test_a_hub_killed_in_the_middle_says_the_last_word_once(
    tmp_path: Path, killed: str
) -> None:
    with Programs(tmp_path) as programs:
        hub = Killable(tmp_path, programs)
        await hub.start()
        worker = await pair(hub)
        async with open_chat(hub.url, hub.key) as client, at_terminal(client) as chat:
            async with worker.online():
                await chat.say("/train a.csv y")
                grant = await worker.any_grant()
                await worker.starts(grant)
                await chat.view(lambda view: view.text == "Training on anna-pc …")
                if killed == "under its worker":
                    await hub.kill()
            if killed == "alone":
                await hub.kill()
        worker.writes(
            JobSucceeded(
                job_id=grant.job_id,
                attempt=grant.attempt,
                fence=grant.fence,
                result={"headline": "Model ready."},
                running_seconds=1,
            )
        )
        await hub.start()
        async with open_chat(hub.url, hub.key) as client, at_terminal(client) as chat:
            async with worker.online():
                assert await last_words(chat) == ["Model ready."]
            await hub.kill()
        await hub.start()
        async with open_chat(hub.url, hub.key) as client, at_terminal(client) as chat:
            await chat.say("/help start")
            assert chat.finals == []
