"""An agent's process: a session of its own, lines in and out, and an end that leaves nobody behind.

Agents are wrapped: npm starts node, node starts a binary, that starts servers. Killing the first of
them would leave the others (80 MB each) for days.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import psutil

from desktop.core.code.acp.rpc import LINE_BYTES_MAX
from desktop.core.code.box import Launch
from desktop.jobs.code.sandbox.watching import overrun_of
from shared.errors import AppError, NotFound, Unavailable
from shared.plain_text import plain_line

LEAVE_SECONDS = 0.7
"""How long it may take to leave by itself once nobody speaks to it any more."""
TERM_SECONDS = 1.0
"""How long a whole tree may take to end by itself once it is told to."""
KILL_SECONDS = 5.0
"""How long the system may take to end what was killed."""
LOOK_SECONDS = 0.01
SEND_SECONDS = 60.0
"""How long an agent may leave unread what it is told."""
ERRORS_BYTES_MAX = 1024 * 1024
"""Of standard error in one file; there are two at most."""
CHUNK_BYTES = 64 * 1024
TAIL_LINES = 5
TAIL_CHARS_MAX = 300
MARK = "DESKHAND_AGENT"
"""Inherited by all that an agent starts: by it those are found that left its session."""
KEPT_MARK = "DESKHAND_CHILD"
"""The same of the job's own process, for whoever outlives that."""


class AgentProcess:
    """One running agent. Made by `start`; `stop` has to be called."""

    def __init__(
        self, process: asyncio.subprocess.Process, launch: Launch, mark: str, errors: Path
    ) -> None:
        self._process = process
        self._mark = mark
        self._errors = errors
        self._launch = launch
        self._overrun: AppError | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    @classmethod
    async def start(cls, launch: Launch, errors: Path) -> AgentProcess:
        """Start it, with pipes, a session and a mark of its own.

        Raises:
            NotFound: `agent_missing`.
            Unavailable: `agent_not_started`.
        """
        mark = secrets.token_hex(16)
        marks = {MARK: mark} | {k: os.environ[k] for k in (KEPT_MARK,) if k in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                limit=LINE_BYTES_MAX,
                cwd=launch.cwd,
                env=dict(launch.env) | marks,
                pass_fds=launch.pass_fds,
                start_new_session=sys.platform != "win32",
            )
        except FileNotFoundError as error:
            raise NotFound(
                "agent_missing",
                f"The agent's program {launch.argv[0]!r} is not on this machine.",
                "Install it, or choose another agent.",
            ) from error
        except OSError as error:
            raise Unavailable(
                "agent_not_started",
                f"The agent could not be started ({error.strerror or type(error).__name__}).",
                "The machine may be short of memory or disk.",
                retryable=True,
            ) from error
        return cls(process, launch, mark, errors)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def last_words(self) -> str:
        """The end of its standard error, on one line, for an error's message."""
        return " / ".join(self._tail)[-TAIL_CHARS_MAX:]

    async def line(self) -> bytes | None:
        """Return its next line; None when it has closed its standard output.

        Raises:
            Unavailable: `agent_protocol`, when a line is longer than a message may be.
        """
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError as error:
            raise Unavailable(
                "agent_protocol",
                f"The agent wrote a line of more than {LINE_BYTES_MAX // 1024**2} MiB.",
                "Another version of it may do better.",
            ) from error
        except ConnectionError:
            return None
        return line or None

    async def send(self, data: bytes) -> None:
        """Write to it; to one that is gone, nothing happens: its end is told by `line`.

        Raises:
            Unavailable: `agent_silent`, when it reads nothing.
        """
        stdin = self._process.stdin
        assert stdin is not None
        try:
            async with asyncio.timeout(SEND_SECONDS):
                stdin.write(data)
                await stdin.drain()
        except TimeoutError as error:
            raise Unavailable(
                "agent_silent",
                f"The agent has read nothing for {SEND_SECONDS:.0f} s.",
                "Try again, or choose another agent.",
                retryable=True,
            ) from error
        except (ConnectionError, RuntimeError):
            return

    async def drain_errors(self) -> None:
        """Keep its standard error in a bounded file; without this a flood would stop it."""
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(CHUNK_BYTES):
            self._remember(chunk)
            # A full disk is no reason to leave the rest unread.
            with contextlib.suppress(OSError):
                self._write(chunk)

    async def keep_to_limits(self) -> None:
        """End it when all it started uses more than its box may; `died` says so then."""
        self._overrun = await overrun_of(self.pid, self._launch)
        below = _below(self.pid)
        _kill_group(self.pid)
        await asyncio.to_thread(_kill_left, below, self._mark)

    def _write(self, chunk: bytes) -> None:
        with self._errors.open("ab") as log:
            log.write(chunk)
            is_full = log.tell() >= ERRORS_BYTES_MAX
        if is_full:
            self._errors.replace(self._errors.with_name(self._errors.name + ".1"))

    def _remember(self, chunk: bytes) -> None:
        lines = chunk[-CHUNK_BYTES // 8 :].decode(errors="replace").splitlines()
        words = (plain_line(line).strip()[:TAIL_CHARS_MAX] for line in lines[-TAIL_LINES:])
        self._tail.extend(word for word in words if word)

    def hang_up(self) -> None:
        """Say that nothing more will be told."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def status(self) -> int | None:
        """Return the exit status of one whose output has ended; None when it runs on."""
        await self._has_ended(LEAVE_SECONDS)
        return self._process.returncode

    async def died(self) -> AppError:
        """Say that it ended while it was needed."""
        status = await self.status()
        if self._overrun is not None:
            return self._overrun
        how = "closed its output" if status is None else f"ended with status {status}"
        words = self.last_words
        return Unavailable(
            "agent_died",
            f"The agent {how} in the middle of its work." + (f" It said: {words}" if words else ""),
            "Try again, or choose another agent.",
            retryable=True,
        )

    async def stop(self) -> None:
        """End the whole tree: asked, then told, then killed. Idempotent."""
        below = _below(self.pid)
        try:
            self.hang_up()
            if not await self._has_ended(LEAVE_SECONDS):
                _signal(self.pid, signal.SIGTERM)
                await self._has_ended(TERM_SECONDS)
        finally:
            _kill_group(self.pid)
            await asyncio.to_thread(_kill_left, below, self._mark)
            await self._has_ended(KILL_SECONDS)

    async def _has_ended(self, seconds: float) -> bool:
        # Process.wait() waits for its pipes as well, and those whom it left may hold them open.
        end = time.monotonic() + seconds
        while self._process.returncode is None and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        return self._process.returncode is not None


def _below(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _kill_group(pid: int) -> None:
    # The number stays the group's as long as one of its members is left; without any, this fails.
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _kill_left(known: Iterable[psutil.Process], mark: str) -> None:
    """End what has left the group: known by descent, or by the mark it carries."""
    for process in [*known, *_marked(mark)]:
        with contextlib.suppress(psutil.Error, OSError):
            process.kill()


def _marked(mark: str) -> Iterable[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                yield process
