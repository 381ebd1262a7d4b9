"""A program at a terminal of its own, as a person sits at one."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
DONE = re.compile(r"(\d+) of 2,000 ")


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, ours: int, program: subprocess.Popen[bytes]) -> None:
        self._ours = ours
        self._program = program
        self._shown = ""
        self._seen = 0

    @property
    def shown(self) -> str:
        """All that it wrote, and the echo of what was typed."""
        return self._shown

    def until(self, words: str) -> None:
        """Wait until it has shown these words, behind what was waited for before."""
        while (found := self._shown.find(words, self._seen)) < 0:
            assert self._read(), self._shown[-2000:]
        self._seen = found + len(words)

    def until_done(self, count: int) -> None:
        """Wait until the bar tells of as many."""
        while max(map(int, DONE.findall(self._shown)), default=0) < count:
            assert self._read(), self._shown[-2000:]

    def type(self, line: str) -> None:
        self.press(f"{line}\n")

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def press_ctrl_c(self) -> None:
        # As a terminal does: everybody in the foreground hears it.
        os.killpg(self._program.pid, signal.SIGINT)

    def exit_code(self) -> int:
        while self._read():
            continue
        return self._program.wait(SECONDS)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], SECONDS)[0]:
            return False
        try:
            told = os.read(self._ours, 4096)
        except OSError:  # the other end is closed
            return False
        self._shown += told.decode(errors="replace")
        return bool(told)


@contextlib.contextmanager
def at_terminal(
    command: Sequence[str], environment: Mapping[str, str], *, folder: Path = ROOT
) -> Iterator[Terminal]:
    """Start a program; it is ended with the block."""
    if sys.platform == "win32":
        pytest.skip("terminals are opened otherwise there")
    ours, theirs = os.openpty()
    program = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours, program)
    finally:
        program.kill()
        program.wait()
        os.close(ours)
