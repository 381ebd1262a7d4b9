"""A person with Discord and a laptop: hub and worker are real processes, Discord is the fake."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from hub.core.pairing import ALPHABET
from hub.demo.programs import free_port
from tests.discord_servers.reading import seen
from tests.discord_servers.server import SERVER_ID, TOKEN, FakeDiscord, open_discord
from tests.discord_servers.state import Channel, Shown, User
from tests.flows.phone import START_SECONDS, Home

ANNA = User(770_000_000_000_000_001, "Anna")
_CODE = re.compile(rf"and say there: /start ([{ALPHABET}]{{4}}-[{ALPHABET}]{{4}})")


@dataclass(frozen=True, slots=True)
class Read:
    """A message, as Anna reads it."""

    shown: Shown

    @property
    def text(self) -> str:
        return seen(self.shown.written).text


class Desk:
    """Anna's Discord; she chooses commands from its menu."""

    def __init__(self, fake: FakeDiscord) -> None:
        self.fake = fake
        self.where: Channel | None = None
        """The channel she looks at; None: her talk with the bot."""
        self._read_upto = 0
        self._doing: set[asyncio.Task[object]] = set()

    @property
    def messages(self) -> list[Read]:
        messages = self.fake.state.messages.values()
        return [Read(m) for m in messages if m.author.is_bot and not m.is_thinking]

    def say(self, text: str) -> None:
        """Choose a command; "/start CODE" with its one option."""
        self._read_upto = max((m.shown.message_id for m in self.messages), default=0)
        name, _, code = text.removeprefix("/").partition(" ")
        options = {"code": code} if code else {}
        doing = asyncio.get_running_loop().create_task(
            self.fake.choose(ANNA, name, where=self.where, **options)
        )
        self._doing.add(doing)
        doing.add_done_callback(self._doing.discard)

    async def tap(self, read: Read, label: str) -> None:
        """Press the button whose label begins like this, and see that the bot took notice."""
        full = next(name for name in read.shown.labels if name.startswith(label))
        press = await self.fake.press(ANNA, read.shown, full)
        await self.fake.until(lambda: press.is_answered)

    async def reads(self, words: str, seconds: float = START_SECONDS) -> Read:
        """The next message that holds these words; wait for it."""

        def found() -> Read | None:
            new = [m for m in self.messages if m.shown.message_id > self._read_upto]
            return next((m for m in new if words in m.text), None)

        await self.fake.until(lambda: found() is not None, seconds)
        read = found()
        assert read is not None
        self._read_upto = read.shown.message_id
        return read


class DiscordHome(Home):
    """A hub with a bot at Discord, and a laptop."""

    def __init__(self, folder: Path, fake: FakeDiscord) -> None:
        self.folder = folder
        self.discord = fake
        self.desk = Desk(fake)
        # What a phone does for Telegram's flows, Discord does for these.
        self.phone = self.desk  # type: ignore[assignment]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._settings = {}
        self._running = {}

    async def start_hub(self) -> None:
        """Start a hub whose bot lives on the fake, and wait until both listen."""
        data = str(self.folder / "hub")
        settings = {
            "HUB_DISCORD_TOKEN": TOKEN,
            "HUB_DISCORD_API_URL": self.discord.url,
            "HUB_DISCORD_SERVERS": str(SERVER_ID),
        }
        command = ["hub", "serve", "--port", str(self.port), "--data", data]
        self._start("hub", command, settings)
        await self.until(self._listens, "The hub did not start.")

    def _listens(self) -> bool:
        return self._is_up("discord")


@contextlib.asynccontextmanager
async def open_discord_home(folder: Path) -> AsyncIterator[DiscordHome]:
    """A home inside the block; its hub is not started yet."""
    async with open_discord() as fake:
        home = DiscordHome(folder, fake)
        try:
            yield home
        finally:
            home.stop()


async def link_account(home: DiscordHome) -> None:
    """Let Anna's account speak for the hub's owner, by the code that an invitation prints."""
    data = str(home.folder / "hub")
    printed = await home.run("hub", "invite", "--hub", home.url, "--data", data)
    code = _CODE.search(printed)
    assert code is not None, printed
    home.desk.say(f"/start {code[1]}")
    await home.desk.reads("Deskhand runs work on your own computers.")
