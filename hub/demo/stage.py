"""The stage of every play: a hub, a person in its chat, a worker that is paired with it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hub.core.pairing import ALPHABET
from hub.core.view import View
from hub.demo.actor import Actor
from hub.demo.programs import Programs
from hub.frontends.transcript import Transcript
from shared.api.client import Client
from shared.errors import AppError

MACHINE = "anna-pc"
WORKER = "worker"
START_SECONDS = 30.0
CODE = re.compile(rf"\b[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}\b")


@dataclass(slots=True)
class Stage:
    """Where one performance takes place."""

    folder: Path
    programs: Programs
    transcript: Transcript
    port: int
    started_at: float = field(default_factory=time.monotonic)

    @property
    def hub_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_key(self) -> str:
        return (self.folder / "hub" / "admin.key").read_text().strip()

    async def start_hub(self, settings: Mapping[str, str] | None = None) -> None:
        self.transcript.note(f"A hub starts at {self.hub_url}, its data in {self.folder}.")
        data = str(self.folder / "hub")
        command = ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--data", data]
        self.programs.start("hub", "hub", command, settings=settings)
        rest = Client(self.hub_url)

        def is_up() -> bool:
            try:
                return rest.get_health().status == "ok"
            except AppError:
                return False

        await self.programs.until(is_up, START_SECONDS, "The hub did not start to listen.")

    async def pair(self, anna: Actor, files: Path) -> None:
        """A code goes from the chat to the computer, two words come back, a person says yes."""
        await anna.say("/start")
        await anna.say("/connect")
        code = await anna.find(CODE, START_SECONDS)
        command = ["pair", code, "--hub", self.hub_url, "--name", MACHINE]
        command += ["--folder", str(files)]
        self.transcript.note(f"$ deskhand {' '.join(command[:4])}")
        async with asyncio.TaskGroup() as tasks:
            pairing = self.programs.run("desktop", [*self._home, *command], START_SECONDS)
            tasks.create_task(pairing)
            asked = await anna.until(_asks_to_join, START_SECONDS, "Nobody asked to be let in.")
            await anna.say(asked.buttons[0].says)
        await anna.until(_is_paired, START_SECONDS, "Nobody said that the computer is paired.")

    async def connect_worker(self) -> None:
        self.transcript.note("$ deskhand --headless")
        self.start_worker()
        await self._until_online(Client(self.hub_url, self.admin_key))

    @property
    def _home(self) -> list[str]:
        return ["--home", str(self.folder / WORKER)]

    def start_worker(self) -> None:
        self.programs.start(WORKER, "desktop", [*self._home, "--headless"])

    async def _until_online(self, rest: Client) -> None:
        def is_online() -> bool:
            return any(worker.is_online for worker in rest.list_workers().workers)

        await self.programs.until(is_online, START_SECONDS, "The worker did not connect.")


def _asks_to_join(view: View) -> bool:
    return view.subject.startswith("join:") and bool(view.buttons)


def _is_paired(view: View) -> bool:
    return view.subject.startswith("worker:")
