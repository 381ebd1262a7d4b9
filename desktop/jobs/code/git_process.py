"""One run of git as a process: fed, read within limits, ended with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.errors import LimitReached, Unavailable
from shared.file_lock import FileLock

if TYPE_CHECKING:
    import psutil

SECONDS_MAX = 120.0
"""Of a run that touches this machine alone."""
REMOTE_SECONDS_MAX = 3600.0
"""Of one that fetches or pushes; one that stalls is ended long before (`http.lowSpeedTime`)."""
OUT_BYTES_MAX = 64 * 1024**2
GONE_SECONDS = 5.0
"""How long a process that was killed may take to be gone."""
STILL_SECONDS = 1.0
"""How long one that is told to stop may take to stand still, before it is killed as it is."""
ERRORS_BYTES_MAX = 32 * 1024

Progress = Callable[[str, float, float], None]
"""Hears a stage ("Receiving objects"), how much is done, and of how much."""

_PROGRESS = re.compile(rb"(?:remote: )?([A-Z][a-z]+(?: [a-z]+){0,3}): +\d+% \((\d+)/(\d+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    seconds: float | None = None
    """For all of it; None for what is usual, with or without a remote."""
    out_bytes_max: int = OUT_BYTES_MAX
    is_cuttable: bool = False
    """Whether more output is cut off, instead of being an error."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended."""

    status: int
    out: bytes
    words: str
    """The end of what it wrote to standard error."""
    is_cut: bool = False
    """Its output was longer than was wanted, and it was ended."""

    @property
    def line(self) -> str:
        return self.out.decode(errors="replace").strip()


class _Reading:
    """Takes what a run writes, within limits."""

    def __init__(self, bytes_max: int, progress: Progress | None) -> None:
        self._bytes_max = bytes_max
        self._progress = progress
        self._out = bytearray()
        self._errors = bytearray()
        self.is_over = False

    async def out(self, stream: asyncio.StreamReader, process: asyncio.subprocess.Process) -> None:
        while chunk := await stream.read(1 << 16):
            if self.is_over:
                continue
            self._out += chunk
            if len(self._out) > self._bytes_max:
                self.is_over = True
                del self._out[self._bytes_max :]
                _end(process)

    async def errors(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(1 << 14):
            if self._progress is not None:
                self._tell(chunk, self._progress)
            self._errors += chunk
            del self._errors[:-ERRORS_BYTES_MAX]

    def _tell(self, chunk: bytes, progress: Progress) -> None:
        if told := [*_PROGRESS.finditer(chunk)]:
            last = told[-1]
            progress(last[1].decode(), float(last[2]), float(last[3]))

    def ran(self, status: int) -> Ran:
        words = self._errors.decode(errors="replace")
        return Ran(status, bytes(self._out), words, is_cut=self.is_over)


async def ran(
    argv: Sequence[str],
    *,
    cwd: Path,
    variables: Mapping[str, str],
    stdin: bytes,
    limits: Limits,
    progress: Progress | None,
    lock: FileLock | None = None,
) -> Ran:
    """Run a program to its end; `variables` are its whole environment, `lock` is handed on.

    Raises:
        Unavailable: `git_missing`, `git_slow`.
        LimitReached: `git_output_too_large`.
    """
    seconds = limits.seconds or SECONDS_MAX
    reading = _Reading(limits.out_bytes_max, progress)
    process = await _started(argv, cwd, variables, lock)
    try:
        async with asyncio.timeout(seconds):
            status = await _talked(process, stdin, reading)
    except TimeoutError:
        raise Unavailable(
            "git_slow",
            f"Git took longer than {seconds:.0f} s.",
            "It is tried again; a slow line or a very large repository may be the reason.",
            retryable=True,
        ) from None
    finally:
        if process.returncode is None:
            await _ended(process)
    if reading.is_over and not limits.is_cuttable:
        raise LimitReached(
            "git_output_too_large", "Git tells more than is taken.", "The repository is too large."
        )
    return reading.ran(status)


async def _started(
    argv: Sequence[str], cwd: Path, variables: Mapping[str, str], lock: FileLock | None
) -> asyncio.subprocess.Process:
    """Start a program; whoever is cancelled meanwhile leaves nothing of it behind.

    Asyncio ends the program itself when its start is cancelled, but not what that has started.
    """
    starting = asyncio.get_running_loop().create_task(_start(argv, cwd, variables, lock))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        while not starting.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([starting])
        if starting.exception() is None:
            await _ended(starting.result())
        raise


async def _start(
    argv: Sequence[str], cwd: Path, variables: Mapping[str, str], lock: FileLock | None
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(lock.fileno(),) if lock is not None and os.name == "posix" else (),
        )
    except OSError as error:
        raise Unavailable(
            "git_missing",
            f"Git could not be started ({error.strerror or type(error).__name__}).",
            "Install git 2.30 or later.",
        ) from error


async def _talked(process: asyncio.subprocess.Process, stdin: bytes, reading: _Reading) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(process.stdin, stdin))
        group.create_task(reading.out(process.stdout, process))
        group.create_task(reading.errors(process.stderr))
        return await process.wait()


async def _feed(stream: asyncio.StreamWriter, stdin: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stream.write(stdin)
        await stream.drain()
    stream.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await stream.wait_closed()


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End git and what it started, and see that all of it is gone."""
    killed = _end(process)
    try:
        async with asyncio.timeout(GONE_SECONDS):
            await process.wait()
    except TimeoutError:
        # Asyncio waits for the ends of its pipes, too, and a program that made itself independent
        # of git may hold them open for ever.
        process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
        await process.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS):
            # The system rings no bell when a grandchild ends.
            while any(map(_is_running, killed)):  # noqa: ASYNC110
                await asyncio.sleep(0.005)


def _end(process: asyncio.subprocess.Process) -> list[psutil.Process]:
    """Kill git and what it started.

    It stays in the job's own group, so that whoever ends that ends git, too. Asyncio's own `kill`
    may take the exit status away from who waits for it.
    """
    import psutil

    found: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        git = psutil.Process(process.pid)
        found.append(git)
        git.suspend()
        end = time.monotonic() + STILL_SECONDS
        is_all = False
        while not is_all:
            # One that stands still starts nothing more, and one that is told to may be starting
            # something yet: a list made when all stand still is the last.
            is_all = all(map(_is_still, found)) or time.monotonic() > end
            new = [one for one in git.children(recursive=True) if one not in found]
            for one in new:
                with contextlib.suppress(psutil.Error):
                    one.suspend()
            found += new
            if new:
                is_all = False
            elif not is_all:
                time.sleep(0.001)
    for one in found:
        with contextlib.suppress(psutil.Error):
            one.kill()
    return found


def _is_still(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.status() in (
            psutil.STATUS_STOPPED,
            psutil.STATUS_TRACING_STOP,
            psutil.STATUS_ZOMBIE,
        )
    except psutil.Error:
        return True


def _is_running(process: psutil.Process) -> bool:
    import psutil

    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
