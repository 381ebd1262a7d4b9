"""A computer joins, works, and is shown out: the real program at a real hub, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.commands.worker import EXIT_REFUSED
from hub.app import Hub, running
from hub.core.joining import JoinRequest
from hub.core.placement import WaitingReason
from hub.services.requests import Request
from hub.settings import Settings
from shared.ids import PersonId
from shared.jobs import JobState, Origin
from shared.pairing import JoinState, Purpose

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0
NOT_INSTALLED = """\
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *where: None if name == "sklearn" else find(name, *where)
"""
"""What a worker's Python runs first, so that it finds no scikit-learn."""


class Program:
    """`deskhand` as a process of its own, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """Wait for a line with these words; return it."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while raw := await self._process.stdout.readline():
                self.lines.append(raw.decode().rstrip())
                if words in self.lines[-1]:
                    return self.lines[-1]
        raise AssertionError(f"never said {words!r}: {self.lines}")

    async def ends(self) -> int:
        """Wait for its end; return the exit code."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            rest = await self._process.stdout.read()
            self.lines += rest.decode().splitlines()
            return await self._process.wait()

    async def stop(self) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self.ends()


@dataclass
class House:
    """A hub, its owner, and the owner's computers."""

    folder: Path
    hub: Hub
    person_id: PersonId
    programs: list[Program]

    async def run(self, home: str, *arguments: str, **variables: str) -> Program:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "desktop", "--home", str(self.folder / home), *arguments,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
                **variables,
            },
        )  # fmt: skip
        program = Program(process)
        self.programs.append(program)
        return program

    async def code(self, *, is_approved: bool = False) -> str:
        invited = await self.hub.services.pairing.invite(
            self.person_id, Purpose.WORKER, is_approved=is_approved
        )
        return invited.code

    async def pair(self, home: str, *more: str, is_approved: bool = True) -> Program:
        """Start a pairing with a code; it is not waited for."""
        code = await self.code(is_approved=is_approved)
        arguments = ("--hub", self.url, "--name", "anna-pc", *more)
        return await self.run(home, "pair", code, *arguments)

    async def joined(self, home: str) -> None:
        paired = await self.pair(home)
        assert await paired.ends() == 0, paired.lines

    async def asked(self) -> JoinRequest:
        """Wait until a computer asks to be let in."""
        feed = self.hub.services.feed
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                position = feed.position()
                requests = await self.hub.services.admissions.requests(self.person_id)
                waiting = [r for r in requests if r.state is JoinState.WAITING]
                if waiting:
                    return waiting[-1]
                await feed.wait(position)

    async def decide(self, request: JoinRequest, *, is_approved: bool) -> None:
        await self.hub.services.admissions.decide(
            self.person_id, request.join_id, is_approved=is_approved, by="anna in this test"
        )

    @property
    def url(self) -> str:
        return self.hub.settings.local_url


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    settings = Settings(data=tmp_path / "hub", port=0, host="127.0.0.1")
    async with running(settings) as hub:
        [owner] = await hub.services.registry.people()
        made = House(tmp_path, hub, owner.person_id, [])
        try:
            yield made
        finally:
            for program in made.programs:
                await program.stop()


async def test_both_sides_show_the_same_words_and_a_yes_lets_it_in(house: House) -> None:
    pairing = await house.pair("pc", is_approved=False)
    line = await pairing.says("Check words: ")
    request = await house.asked()
    assert request.name == "anna-pc"
    assert f"Check words: {request.words}." in line
    await house.decide(request, is_approved=True)
    await pairing.says("anna-pc now works for ")
    assert await pairing.ends() == 0
    worker = await house.run("pc", "--headless")
    await worker.says("anna-pc is connected")


async def test_a_no_is_told_and_leaves_nothing_that_works(house: House) -> None:
    pairing = await house.pair("pc", is_approved=False)
    await pairing.says("Check words: ")
    await house.decide(await house.asked(), is_approved=False)
    assert await pairing.ends() == 1
    assert not any("now works for" in line for line in pairing.lines)
    assert not (house.folder / "pc" / "token").exists()


async def test_a_machine_shows_a_code_and_its_person_sends_it(house: House) -> None:
    pairing = await house.run("pc", "pair", "--hub", house.url, "--name", "attic")
    code = (await pairing.says("Send this to the bot: /pair ")).rsplit(" ", 1)[1]
    words = (await pairing.says("Check words: ")).removeprefix("Check words: ").rstrip(".")
    await house.hub.services.pairing.adopt(house.person_id, code, "")
    request = await house.asked()
    assert (request.name, request.words) == ("attic", words)
    await house.decide(request, is_approved=True)
    await pairing.says("attic now works for ")


async def test_a_link_is_enough(house: House) -> None:
    link = f"deskhand://pair?hub={house.url}&code={await house.code(is_approved=True)}"
    pairing = await house.run("pc", "pair", link, "--yes", "--name", "anna-pc")
    await pairing.says("anna-pc now works for ")


async def test_pairing_again_keeps_the_worker(house: House) -> None:
    for _ in range(2):
        await house.joined("pc")
    [card] = await house.hub.services.views.workers(house.person_id)
    assert card.name == "anna-pc"
    worker = await house.run("pc", "--headless")
    await worker.says("anna-pc is connected")


async def test_a_revoked_worker_says_so_and_ends_for_good(house: House) -> None:
    await house.joined("pc")
    worker = await house.run("pc", "--headless")
    await worker.says("anna-pc is connected")
    [card] = await house.hub.services.views.workers(house.person_id)
    await house.hub.services.registry.revoke(house.person_id, card.worker_id, "anna in this test")
    assert await worker.ends() == EXIT_REFUSED
    assert any("air it" in line for line in worker.lines), worker.lines
    again = await house.run("pc", "--headless")
    assert await again.ends() == EXIT_REFUSED
    assert any("revoked" in line for line in again.lines), again.lines


async def test_the_earlier_of_two_programs_with_one_token_stops(house: House) -> None:
    await house.joined("pc")
    shutil.copytree(house.folder / "pc", house.folder / "copy")
    earlier = await house.run("pc", "--headless")
    await earlier.says("anna-pc is connected")
    later = await house.run("copy", "--headless")
    await later.says("anna-pc is connected")
    assert await earlier.ends() == EXIT_REFUSED
    assert any("Another program has connected" in line for line in earlier.lines), earlier.lines
    [card] = await house.hub.services.views.workers(house.person_id)
    assert card.is_online, "the later one stays"


@pytest.mark.skipif(sys.platform != "linux", reason="the desktop entry is Linux's")
async def test_a_chat_turns_autostart_on_for_that_machine(house: House) -> None:
    tools = house.folder / "no-systemd"
    tools.mkdir()
    config = house.folder / "config"
    desktop = {"XDG_CONFIG_HOME": str(config), "DISPLAY": ":0", "PATH": str(tools)}
    await house.joined("pc")
    worker = await house.run("pc", "--headless", **desktop)
    await worker.says("anna-pc is connected")

    async def ended(origin: Origin) -> tuple[JobState, str]:
        receipt = await house.hub.services.intake.request(
            Request(
                person_id=house.person_id,
                kind="machine.autostart",
                inputs={"switch": "on"},
                worker_name="anna-pc",
                origin=origin,
            )
        )
        job_id, feed = receipt.card.job_id, house.hub.services.feed
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                position = feed.position()
                card = await house.hub.services.views.job(house.person_id, job_id)
                waiting = await house.hub.services.views.why_waiting(job_id)
                if card.state.is_terminal or (waiting and waiting.detail):
                    said = str(card.result["headline"]) if card.result else ""
                    return card.state, said or (waiting.detail if waiting else "")
                await feed.wait(position)

    state, said = await ended(Origin.GROUP)
    assert (state, "does not allow" in said) == (JobState.QUEUED, True)
    assert not config.exists()
    assert await ended(Origin.CHAT) == (JobState.SUCCEEDED, "The worker starts at login.")
    [entry] = (config / "autostart").iterdir()
    assert f'"--home" "{house.folder / "pc"}" "--headless"' in entry.read_text()


async def test_a_slim_worker_comes_and_the_chat_is_told_what_it_lacks(house: House) -> None:
    slim = house.folder / "slim"
    slim.mkdir()
    (slim / "sitecustomize.py").write_text(NOT_INSTALLED)
    await house.joined("pc")
    worker = await house.run("pc", "--headless", PYTHONPATH=f"{slim}{os.pathsep}{ROOT}")
    await worker.says("anna-pc is connected")
    [card] = await house.hub.services.views.workers(house.person_id)
    can = {capability.kind for capability in card.worker.capabilities}
    assert ("data.describe" in can, "ml.train" in can) == (True, False)
    receipt = await house.hub.services.intake.request(
        Request(person_id=house.person_id, kind="ml.train", inputs={}, origin=Origin.CHAT)
    )
    waiting = await house.hub.services.views.why_waiting(receipt.card.job_id)
    assert waiting is not None
    assert (waiting.reason, waiting.worker) == (WaitingReason.KIND_MISSING, "anna-pc")
    assert waiting.lacking is not None
    assert waiting.lacking.command == "deskhand setup ml"
