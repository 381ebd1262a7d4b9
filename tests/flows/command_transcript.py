"""Writes what commands look like: `python -m tests.flows.command_transcript`.

The examples in docs/command-line.md come from here: a real hub, a real worker, real commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import termios
import textwrap
from pathlib import Path

from tests.flows.phone import Home, connect_laptop, link_phone, open_home

WIDTH = 90


class Terminal:
    """The laptop's."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.lines: list[str] = []

    async def run(self, *words: str, shown: str = "", is_shown: bool = True) -> str:
        """Run a command, and keep what it looked like."""
        said = await asyncio.to_thread(self._said, words)
        if is_shown:
            self.lines += [
                f"$ deskhand {shown or ' '.join(words)}",
                *said.rstrip().splitlines(),
                "",
            ]
        return said

    def _said(self, words: tuple[str, ...]) -> str:
        """Run it at a terminal of its own, so that tables know how wide it is."""
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (50, WIDTH))
        home = str(self._home.folder / "laptop")
        command = [sys.executable, "-m", "desktop", "--home", home, *words]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        ) as program:
            os.close(theirs)
            said = b""
            with contextlib.suppress(OSError):  # the terminal's end, when nobody writes any more
                while block := os.read(ours, 65536):
                    said += block
            os.close(ours)
            assert program.wait() == 0, said.decode()
        return said.decode().replace("\r\n", "\n")

    async def until_asked(self) -> None:
        def is_asked() -> bool:
            return bool(json.loads(self._said(("questions", "--json"))))

        await self._home.until(is_asked, "Nothing was asked.")


async def _play(folder: Path) -> list[str]:
    async with open_home(folder) as home:
        await home.start_hub()
        await link_phone(home)
        await home.run("desktop", "samples", str(home.documents))
        await connect_laptop(home)
        terminal = Terminal(home)
        await _tour(terminal)
        shorter = {
            home.url: "https://hub.example.org",
            home.url.partition("://")[2]: "hub.example.org",
            str(home.folder / "laptop"): "~/.config/deskhand",
            str(home.folder): "/home/anna",
        }
        return [
            part
            for line in terminal.lines
            for part in textwrap.wrap(
                _replaced(line, shorter), WIDTH, subsequent_indent="    ", drop_whitespace=False
            )
            or [""]
        ]


async def _tour(terminal: Terminal) -> None:
    await terminal.run("status")
    train = ("task", "ml.train", "file=flights.csv", "target=arrival", "budget_seconds=5")
    await terminal.run(*train, "--here", "--wait")
    (job,) = json.loads(await terminal.run("jobs", "--json", is_shown=False))
    await terminal.run("task", "ml.predict", "model=1")
    await terminal.until_asked()
    for words in ("jobs", "questions", f"job {job['short']}", f"logs {job['short']} -n 3"):
        await terminal.run(*words.split())
    (question,) = json.loads(await terminal.run("questions", "--json", is_shown=False))
    await terminal.run("answer", question["job"], "2")
    for words in ("pause 2h", "status", "resume", "models", "policy"):
        await terminal.run(*words.split())


def _replaced(line: str, words: dict[str, str]) -> str:
    for word, other in words.items():
        line = line.replace(word, other)
    return line


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("\n".join(asyncio.run(_play(Path(folder)))) + "\n")


if __name__ == "__main__":
    main()
