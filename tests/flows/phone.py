"""A person with a phone and a laptop: hub and worker are real processes, Telegram is the fake.

Imported only by tests that talk to Telegram: aiogram, which checks every word, loads slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from hub.core.pairing import ALPHABET
from hub.demo.programs import free_port
from shared.api.client import Client
from shared.capabilities import Capability
from shared.errors import AppError
from shared.ids import WorkerId
from tests.fakes.bot_api import TOKEN, FakeBotApi, open_bot_api
from tests.fakes.bot_api_state import Shown, User
from tests.hub.frontends.world import PuppetWorker
from tests.pairing import Computer, pair_over_http

ANNA_ID = 7001
START_SECONDS = 30.0
CODE = re.compile(rf"\b[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}\b")
LINK = re.compile(r"https://t\.me/deskhand_test_bot\?start=(\S+)")
WORDS = re.compile(r"Check words: ([a-z]+ [a-z]+)")


class Phone:
    """Anna's."""

    def __init__(self, fake: FakeBotApi, anna: User) -> None:
        self.fake = fake
        self.anna = anna
        self.read_upto = 0
        """The newest message that was looked at; `reads` waits for a later one."""

    @property
    def messages(self) -> list[Shown]:
        return self.fake.of_bot(self.anna)

    def say(self, text: str) -> None:
        self.fake.say(self.anna, text)
        # What comes next answers this.
        self.read_upto = self.messages[-1].message_id if self.messages else 0

    async def tap(self, shown: Shown, label: str) -> None:
        """Press the button whose label begins like this, and see that the bot took notice."""
        full = next(name for name in shown.labels if name.startswith(label))
        tap = self.fake.tap(self.anna, shown, full)
        await self.fake.until(lambda: tap.is_answered)

    async def reads(self, words: str, seconds: float = START_SECONDS) -> Shown:
        """The next message that holds these words; wait for it."""

        def found() -> Shown | None:
            new = [m for m in self.messages if m.message_id > self.read_upto]
            return next((m for m in new if words in m.text), None)

        await self.fake.until(lambda: found() is not None, seconds)
        shown = found()
        assert shown is not None
        self.read_upto = shown.message_id
        return shown


class Home:
    """A hub with a bot, a laptop, and the programs that run there."""

    def __init__(self, folder: Path, fake: FakeBotApi, **settings: str) -> None:
        self.folder = folder
        self.fake = fake
        self.phone = Phone(fake, fake.user(ANNA_ID, "Anna", "anna"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = settings
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def rest(self) -> Client:
        return Client(self.url, (self.folder / "hub" / "admin.key").read_text().strip())

    def puppet(self) -> PuppetWorker:
        """Pair a machine whose jobs are played by the test."""
        computer = Computer(capabilities=(Capability(kind="ml.models"),))
        paired = pair_over_http(self.rest, computer)
        url = self.url.replace("http", "ws", 1) + "/api/v1/worker"
        return PuppetWorker(WorkerId(paired.worker_id), paired.token, url, "anna-pc")

    @property
    def documents(self) -> Path:
        """The one folder that Deskhand may use on the laptop."""
        folder = self.folder / "Documents"
        folder.mkdir(exist_ok=True)
        return folder

    async def start_hub(self) -> None:
        """Start a hub whose bot lives on the fake, and wait until both listen."""
        data = str(self.folder / "hub")
        settings = {"HUB_TELEGRAM_TOKEN": TOKEN, "HUB_TELEGRAM_API_URL": self.fake.url}
        self._start(
            "hub", ["hub", "serve", "--port", str(self.port), "--data", data],
            settings | self._settings,
        )  # fmt: skip
        await self.until(self._is_up, "The hub did not start.")

    def _is_up(self, name: str = "telegram") -> bool:
        try:
            frontends = self.rest.get_status().frontends
        except (AppError, OSError):
            return False
        return any(f.name == name and f.state == "ok" for f in frontends)

    def kill(self, name: str) -> None:
        """End a program as a power cut does."""
        program = self._running.pop(name)
        program.kill()
        program.wait()

    def start_worker(self) -> None:
        self._start("worker", ["desktop", "--home", str(self.folder / "laptop"), "--headless"], {})

    async def run(self, *arguments: str) -> str:
        """Run a program to its end; what it printed."""
        async with self.command(*arguments) as (program, _):
            printed, _ = await program.communicate()
            assert program.returncode == 0, printed.decode()
            return printed.decode()

    @contextlib.asynccontextmanager
    async def command(
        self, *arguments: str
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
        """Run a program inside the block, and read along."""
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment({}),
        )  # fmt: skip
        assert program.stdout is not None
        try:
            yield program, program.stdout
        finally:
            if program.returncode is None:
                program.kill()
            await program.wait()

    async def pair(self, code: str) -> list[str]:
        """Pair the laptop: it shows two words, the phone the same, Anna approves; what it said."""
        folder = str(self.documents)
        lines = []
        async with (
            asyncio.timeout(START_SECONDS),
            self.command(
                "desktop", "--home", str(self.folder / "laptop"), "pair", code,
                "--hub", self.url, "--name", "anna-pc", "--folder", folder,
            ) as (program, output),
        ):  # fmt: skip
            async for line in output:
                lines.append(line.decode().rstrip())
                if words := WORDS.search(lines[-1]):
                    asked = await self.phone.reads("anna-pc")
                    assert f"Check words: {words[1]}" in asked.text
                    await self.phone.tap(asked, "Approve")
            await program.wait()
            assert program.returncode == 0, lines
        return lines

    async def until(self, is_so: Callable[[], bool], complaint: str) -> None:
        """Wait for a condition, asked in a thread."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await asyncio.to_thread(is_so):
                    dead = [name for name, p in self._running.items() if p.poll() is not None]
                    assert not dead, f"{complaint} {dead} ended: {self.log(dead[0])}"
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(complaint) from None

    async def until_online(self) -> None:
        def is_online() -> bool:
            return any(worker.is_online for worker in self.rest.list_workers().workers)

        await self.until(is_online, "The worker did not connect.")

    def log(self, name: str) -> str:
        """The last lines of a program's log."""
        return "\n".join((self.folder / f"{name}.log").read_text().splitlines()[-12:])

    def stop(self) -> None:
        for program in reversed(list(self._running.values())):
            program.terminate()
        for program in self._running.values():
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)

    def _start(self, name: str, command: list[str], settings: Mapping[str, str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(settings),
            )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUB_", "DESKHAND_"))}
    # No window system's keyring: the token goes into a file of the profile.
    keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return {**kept, **keyring, "PYTHONUNBUFFERED": "1", **settings}


@contextlib.asynccontextmanager
async def open_home(folder: Path, **settings: str) -> AsyncIterator[Home]:
    """A home inside the block; its hub is not started yet."""
    async with open_bot_api() as fake:
        home = Home(folder, fake, **settings)
        try:
            yield home
        finally:
            home.stop()


async def link_phone(home: Home) -> str:
    """Let Anna's account speak for the hub's owner, by the link that an invitation prints.

    Returns:
        What `deskhand-hub invite` printed.
    """
    data = str(home.folder / "hub")
    printed = await home.run("hub", "invite", "--hub", home.url, "--data", data)
    link = LINK.search(printed)
    assert link is not None, printed
    home.phone.say(f"/start {link[1]}")
    await home.phone.reads("Deskhand runs work on your own computers.")
    return printed


async def connect_laptop(home: Home) -> list[str]:
    """From /connect to a worker that is online; what the laptop's terminal said."""
    home.phone.say("/connect")
    told = await home.phone.reads("Your code:")
    code = CODE.search(told.text)
    assert code is not None
    lines = await home.pair(code[0])
    await home.phone.reads("anna-pc is ready")
    home.start_worker()
    await home.until_online()
    return lines


async def train_and_predict(home: Home) -> tuple[Shown, Shown]:
    """Answer by buttons until there is a model, then predictions; the last words on both."""
    phone = home.phone
    phone.say("/train")
    which_file = await phone.reads("Which file")
    await phone.tap(which_file, "flights.csv")
    which_column = await phone.reads("What should I predict?")
    await phone.tap(which_column, "arrival")
    trained = await phone.reads("model ready", 120)
    phone.say("/predict")
    which_model = await phone.reads("Which model")
    await phone.tap(which_model, "arrival")
    which_file = await phone.reads("Which file")
    await phone.tap(which_file, "flights_new.csv")
    predicted = await phone.reads("rows predicted", 60)
    return trained, predicted
