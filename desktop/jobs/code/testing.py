"""Runs the tests of a clone in a box of their own: no network, a home without leftovers, limits.

The exit status decides; the numbers are read from the output, which is a stranger's and is kept
only as a tail. The whole tree of processes ends with the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.code.box import Box, BoxLimits, Launch
from desktop.core.code.counts import read_counts
from desktop.core.code.suites import LOOKED_INTO, TEXT_CHARS_MAX, Tree, find_suite, without_pytest
from desktop.jobs.code.removing import remove
from desktop.jobs.code.sandbox import Sandbox
from desktop.jobs.code.sandbox.watching import overrun_of
from shared.errors import LimitReached
from shared.kinds.code import SuiteFacts

SUITE_SECONDS_MAX = 1800.0
OUTPUT_BYTES_MAX = 512 * 1024
"""Of the end of the output; more is read and thrown away."""
FLOOD_BYTES_MAX = 2 * 1024**3
"""A run that writes more than that is ended."""
DRAIN_SECONDS = 2.0
PATHS_MAX = 50_000
PYTEST_MISSING = ("No module named pytest", "No module named 'pytest'")
NO_TESTS_STATUS = 5
"""What pytest, and unittest since Python 3.12, exit with when there is no test."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the tests."""

    facts: SuiteFacts
    output: str
    """Its end."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a boxed command ended."""

    status: int
    """Negative for a signal, None never: who takes too long is killed."""
    output: bytes
    seconds: float
    is_late: bool = False
    overrun: LimitReached | None = None
    """Why it was ended, when all it started used more than its box may."""


class Suites:
    """Runs tests in one sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        limits: BoxLimits,
        *,
        read_only: Sequence[Path] = (),
        seconds_max: float = SUITE_SECONDS_MAX,
    ) -> None:
        """Run nothing yet. `read_only`: what a clone needs beside itself, its mirror."""
        self._sandbox = sandbox
        self._limits = limits
        self._read_only = tuple(read_only)
        self._seconds_max = seconds_max

    async def find(self, tree: Path, home: Path) -> str:
        """Find the command that runs a clone's tests; empty when nothing looks like tests."""
        files = await asyncio.to_thread(read_tree, tree)
        suite = find_suite(files)
        if suite is None:
            return ""
        if " -m pytest" in suite.command:
            probe = await self.box_run("python3 -c 'import pytest'", tree, home)
            if probe.status != 0 and (other := without_pytest(files)):
                return other.command
        return suite.command

    async def run(self, command: str, tree: Path, home: Path) -> Ran:
        """Run the tests of a clone.

        Args:
            command: for `sh -c`, in the box alone.
            tree: the clone.
            home: emptied before, so that nothing planted is found there.
        """
        if not command:
            return Ran(SuiteFacts(), "")
        ended = await self.box_run(command, tree, home)
        output = ended.output.decode(errors="replace")
        counts = read_counts(output)
        is_none = ended.status == NO_TESTS_STATUS and not (counts and counts.failed)
        if ended.is_late:
            output += f"\nThe tests took longer than {self._seconds_max:.0f} s and were stopped."
        if ended.overrun is not None:
            output += f"\n{ended.overrun.message} It was stopped."
        facts = SuiteFacts(
            command=command,
            is_good=None if is_none else ended.status == 0,
            passed=counts.passed if counts else None,
            failed=counts.failed if counts else None,
            seconds=round(ended.seconds, 3),
        )
        return Ran(facts, output)

    async def box_run(self, command: str, tree: Path, home: Path) -> Ended:
        """Run a command in a box without any way out, its home emptied before."""
        await asyncio.to_thread(_empty, home)
        box = Box(
            workdir=tree,
            home=home,
            read_only=self._read_only,
            limits=self._limits,
            env={"PYTHONDONTWRITEBYTECODE": "1", "CI": "true"},
        )
        return await ended(self._sandbox.launch(box, _shell(command)), self._seconds_max)


def _shell(command: str) -> tuple[str, ...]:
    if sys.platform == "win32":
        return ("cmd.exe", "/d", "/s", "/c", command)
    return ("/bin/sh", "-c", command)


async def ended(launch: Launch, seconds_max: float) -> Ended:
    """Run a boxed command to its end, which is that of everything it started."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *launch.argv,
        env=dict(launch.env),
        cwd=launch.cwd,
        pass_fds=launch.pass_fds,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    tail = _Tail(process.stdout)
    is_late = False
    try:
        async with asyncio.TaskGroup() as group:
            limits = group.create_task(_limited(process, launch))
            reading = group.create_task(tail.read(lambda: kill_group(process)))
            try:
                async with asyncio.timeout(seconds_max):
                    await process.wait()
            except TimeoutError:
                is_late = True
            limits.cancel()
            kill_group(process)
            await process.wait()
            # Somebody who escaped the group may hold the pipe open; the box's end ends them.
            await asyncio.wait([reading], timeout=DRAIN_SECONDS)
            reading.cancel()
    finally:
        kill_group(process)
    assert process.returncode is not None
    overrun = limits.result() if limits.done() and not limits.cancelled() else None
    return Ended(process.returncode, tail.bytes, time.monotonic() - began, is_late, overrun)


async def _limited(process: asyncio.subprocess.Process, launch: Launch) -> LimitReached:
    error = await overrun_of(process.pid, launch)
    kill_group(process)
    return error


def kill_group(process: asyncio.subprocess.Process) -> None:
    """End a process that was started in a session of its own, and all of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


class _Tail:
    """The end of what a process writes."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._kept = bytearray()

    async def read(self, flooded: Callable[[], None]) -> None:
        count = 0
        while chunk := await self._stream.read(64 * 1024):
            count += len(chunk)
            self._kept += chunk
            del self._kept[:-OUTPUT_BYTES_MAX]
            if count > FLOOD_BYTES_MAX:
                flooded()

    @property
    def bytes(self) -> bytes:
        return bytes(self._kept)


def read_tree(folder: Path) -> Tree:
    """List a clone's files, and read those that tell how tests are run; links are not followed."""
    paths: list[str] = []
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(one for one in folders if one not in (".git", "node_modules", ".venv"))
        below = Path(root).relative_to(folder)
        paths += [(below / name).as_posix() for name in sorted(names)]
        if len(paths) > PATHS_MAX:
            break
    found = {name: _text(folder / name) for name in LOOKED_INTO if name in paths}
    return Tree(paths=paths[:PATHS_MAX], texts=found)


def _text(path: Path) -> str:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read(TEXT_CHARS_MAX).decode(errors="replace")
    except OSError:
        return ""


def _empty(folder: Path) -> None:
    remove(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
