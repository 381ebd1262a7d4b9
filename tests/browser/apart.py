"""A hub and a worker as programs of their own, for tests in which they are killed."""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.policy import write_policy
from desktop.store import facts
from desktop.store.database import open_store
from desktop.system.device_key import make_key, save_key
from desktop.system.paths import Paths
from hub.demo.programs import free_port
from shared.api.client import Client
from shared.api.pairings import NewInvitation
from shared.api.people import NewPerson
from shared.api.sign_ins import NewSignInLink
from shared.errors import AppError
from shared.pairing import b64
from tests.browser.surfing import Surf, Surfer
from tests.flows import programs
from tests.flows.joining import join
from tests.flows.ring import everything

START_SECONDS = 60.0


@dataclass
class Apart:
    """The programs of one person's hub and computer."""

    folder: Path
    port: int = field(default_factory=free_port)
    hub: subprocess.Popen[bytes] | None = None
    worker: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def rest(self) -> Client:
        return Client(self.url, (self.folder / "hub" / "admin.key").read_text().strip())

    async def start_hub(self) -> None:
        """Start the hub, on the store it left, and wait until it answers."""
        arguments = (self.folder / "hub", str(self.port))
        self.hub = programs.start("hub", *arguments, log=self.folder / "hub.log")
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(self._is_up):  # noqa: ASYNC110 - a program
                await asyncio.sleep(0.1)

    def kill_hub(self) -> None:
        """Kill the hub as a power cut does."""
        assert self.hub is not None
        programs.kill(self.hub)
        self.hub = None

    async def start_worker(self, name: str = "anna-pc") -> None:
        """Pair a new worker and start its program."""
        home = self.folder / name
        await asyncio.to_thread(self._pair, home, name)
        self.worker = programs.start("worker", home, log=self.folder / "worker.log")

    def stop(self) -> None:
        for program in (self.worker, self.hub):
            if program is not None:
                programs.kill(program)

    async def person(self, name: str) -> str:
        """Let one more person in; their id."""
        made = await asyncio.to_thread(self.rest.create_person, NewPerson(name=name))
        return made.person_id

    async def link(self, person_id: str | None = None) -> str:
        """A link that signs a browser in."""
        wanted = NewSignInLink(person_id=person_id)
        return (await asyncio.to_thread(self.rest.create_sign_in_link, wanted)).url

    async def surfer(
        self, surf: Surf, person_id: str | None = None, *, scripts: bool = True
    ) -> Surfer:
        """Open a browser for a person, signed in; for the hub's owner when nobody is named."""
        surfer = await surf.at(self.url, scripts=scripts)
        await surfer.page.goto(await self.link(person_id))
        await surfer.page.get_by_role("button", name="Sign in as").click()
        await surfer.page.wait_for_url(f"{self.url}/")
        return surfer

    def _is_up(self) -> bool:
        try:
            return bool(Client(self.url).get_health())
        except AppError:
            return False

    def _pair(self, home: Path, name: str) -> None:
        invitation = self.rest.create_invitation(NewInvitation(is_approved=True))
        paths = Paths(data=home, config=home)
        paths.make()
        paths.policy.write_text(write_policy(everything(self.folder)), encoding="utf-8")
        key = make_key()
        save_key(key, file=paths.device_key, allow_safe=False)
        pairing, token = join(self.url, invitation.code, name, key)
        paths.token.write_text(token)
        database = open_store(paths.store)
        try:
            database.submit(lambda c: facts.put(c, "public_key", b64(key.public))).result()
            database.submit(lambda c: facts.save_pairing(c, pairing)).result()
        finally:
            database.close()
