"""The short way to the program that runs, and everything that has to go the long way instead."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.system.control_line import ControlLine
from desktop.system.knock import knock
from shared.errors import Unavailable
from shared.kinds import JsonObject

LINK = "deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK"


class Program:
    """What runs: it keeps what it was asked to open."""

    def __init__(self, home: Path, *, has_windows: bool = True) -> None:
        self.opened: list[JsonObject] = []
        self._has_windows = has_windows
        self.line = ControlLine(home / "control.json", {"open": self._open})

    async def _open(self, arguments: JsonObject) -> JsonObject:
        if not self._has_windows:
            raise Unavailable("window_missing", "Deskhand runs without windows here.")
        self.opened.append(arguments)
        return {}


async def run(home: Path, *arguments: str) -> bool:
    """Knock from a thread, as another program does."""

    return await asyncio.to_thread(knock, ["--home", str(home), *arguments])


async def test_a_start_and_a_link_are_handed_over(tmp_path: Path) -> None:
    program = Program(tmp_path)
    async with program.line.serving():
        assert await run(tmp_path)
        assert await run(tmp_path, LINK)
    assert program.opened == [{"window": "", "item": ""}, {"window": "", "item": LINK}]


@pytest.mark.parametrize(
    "arguments", [("status",), ("--background",), ("--headless",), (LINK, LINK), ("pair", LINK)]
)
async def test_what_asks_for_more_is_left_alone(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    program = Program(tmp_path)
    async with program.line.serving():
        assert not await run(tmp_path, *arguments)
    assert program.opened == []


async def test_a_program_without_windows_does_not_take_it(tmp_path: Path) -> None:
    async with Program(tmp_path, has_windows=False).line.serving():
        assert not await run(tmp_path)


@pytest.mark.parametrize(
    "left", ["", "{", "[]", "{}", '{"port": "x", "token": "t"}', '{"port": 1, "token": "t"}',
             '{"port": 99999999, "token": "t"}'],
)  # fmt: skip
def test_a_file_left_behind_or_broken_is_no_program(tmp_path: Path, left: str) -> None:
    (tmp_path / "control.json").write_text(left)
    assert not knock(["--home", str(tmp_path)])


def test_without_a_file_nobody_is_there(tmp_path: Path) -> None:
    assert not knock(["--home", str(tmp_path)])


def test_pydantic_and_its_like_are_not_imported_for_it(tmp_path: Path) -> None:
    code = (
        "import sys; from desktop.system.knock import knock;"
        f"knock(['--home', {str(tmp_path)!r}]);"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"pydantic", "asyncio", "structlog", "PySide6", "argparse"}
    assert not set(told.stdout.split()) & heavy
