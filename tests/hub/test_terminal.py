"""The chat on a real (pseudo) terminal: prompt, answers above it, a hub that comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hub.frontends.world import open_world, until

pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of POSIX")
termios = pytest.importorskip("termios")


@dataclass(slots=True)
class Typist:
    """Somebody at a terminal in which the chat runs."""

    program: subprocess.Popen[bytes]
    master: int
    slave: int
    screen: bytes = b""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def look(self) -> None:
        while True:
            try:
                more = os.read(self.master, 65536)
            except BlockingIOError:
                return
            if not more:
                return
            self.screen += more

    async def sees(self, text: str) -> None:
        """Wait for a text on the screen; what came before it is forgotten."""

        def is_there() -> bool:
            self.look()
            return text.encode() in self.screen

        await until(is_there)
        self.screen = self.screen.split(text.encode(), 1)[1]

    async def leaves(self) -> int:
        async with asyncio.timeout(10):
            while self.program.poll() is None:
                self.look()
                await asyncio.sleep(0.01)
        return int(self.program.returncode)


@pytest.fixture
def typists() -> Iterator[list[Typist]]:
    sitting: list[Typist] = []
    yield sitting
    for typist in sitting:
        if typist.program.poll() is None:
            typist.program.kill()
        typist.program.wait()
        os.close(typist.master)
        os.close(typist.slave)


def sit_down(typists: list[Typist], data: Path, port: int) -> Typist:
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    kept = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    program = subprocess.Popen(
        [sys.executable, "-m", "hub", "chat"],
        stdin=slave, stdout=slave, stderr=slave,
        env={**kept, "HUB_DATA": str(data), "HUB_PORT": str(port), "TERM": "xterm"},
    )  # fmt: skip
    typist = Typist(program, master, slave)
    typists.append(typist)
    return typist


async def test_a_person_chats_and_leaves(tmp_path: Path, typists: list[Typist]) -> None:
    async with open_world(tmp_path) as world:
        typist = sit_down(typists, tmp_path, world.hub.settings.port)
        before = termios.tcgetattr(typist.slave)
        await typist.sees("/help lists commands; Ctrl-D leaves.")
        await typist.sees("you ▸ ")
        typist.type("/workers\n")
        await typist.sees("No computer is connected yet.")
        await typist.sees("1. Connect a computer")
        await typist.sees("you ▸ ")
        typist.type("1\n")
        await typist.sees("Your code: ")
        typist.type("\x04")
        assert await typist.leaves() == 0
        assert termios.tcgetattr(typist.slave) == before


async def test_news_comes_above_the_line_that_is_being_typed(
    tmp_path: Path, typists: list[Typist]
) -> None:
    async with open_world(tmp_path) as world:
        typist = sit_down(typists, tmp_path, world.hub.settings.port)
        await typist.sees("you ▸ ")
        typist.type("/connect\n")
        await typist.sees("Your code: ")
        await typist.sees("you ▸ ")
        typist.type("/tra")
        await typist.sees("/tra")
        await world.pair("anna-pc")
        await typist.sees("✓ anna-pc is ready.")
        await typist.sees("you ▸ /tra")


async def test_a_hub_that_went_away_is_called_until_it_is_back(
    tmp_path: Path, typists: list[Typist]
) -> None:
    async with open_world(tmp_path) as world:
        port = world.hub.settings.port
        typist = sit_down(typists, tmp_path, port)
        await typist.sees("you ▸ ")
    await typist.sees("The hub went away; trying again …")
    typist.type("/workers\n")
    async with open_world(tmp_path, port=port):
        await typist.sees("The hub is back.")
        await typist.sees("No computer is connected yet.")


async def test_ctrl_c_leaves_the_terminal_as_it_was(tmp_path: Path, typists: list[Typist]) -> None:
    async with open_world(tmp_path) as world:
        typist = sit_down(typists, tmp_path, world.hub.settings.port)
        before = termios.tcgetattr(typist.slave)
        await typist.sees("you ▸ ")
        typist.program.send_signal(signal.SIGINT)
        assert await typist.leaves() == 130
        assert termios.tcgetattr(typist.slave) == before
