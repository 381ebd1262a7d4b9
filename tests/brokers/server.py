"""What both brokers have in common: a program on a loopback port that is started, killed, and
started again on the same port and folder. It ends with the test's process, however that ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

START_SECONDS = 60.0
STOP_SECONDS = 20.0
PAUSE_SECONDS = 0.02
PROBE_SECONDS = 2.0


class Server(ABC):
    """One broker; `stop`, `kill` and `start` keep its data and its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """As Celery takes it."""

    @abstractmethod
    def launch(self) -> None:
        """Begin to start it; quick. Idempotent while it runs."""

    @abstractmethod
    def is_up(self) -> bool:
        """Say whether it answers; waits PROBE_SECONDS at most."""

    async def start(self) -> None:
        """Run it; returns once it answers."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not await asyncio.to_thread(self.is_up):
            self._check_alive(deadline)
            await asyncio.sleep(PAUSE_SECONDS)

    def start_blocking(self) -> None:
        """As `start`, where there is no loop."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            self._check_alive(deadline)
            time.sleep(PAUSE_SECONDS)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL); returns once it is gone. Idempotent."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order. Idempotent."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """Leave nothing behind. Idempotent."""
        self.kill()

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            self.close()
            raise
        return self

    async def __aexit__(
        self,
        sort: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, words: list[str], environment: dict[str, str] | None = None) -> None:
        self.process = started(words, self.folder, environment)

    def _end(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            end(process, number)

    def _check_alive(self, deadline: float) -> None:
        assert self.process is not None
        if self.process.poll() is not None or time.monotonic() > deadline:
            told = (self.folder / "output.log").read_text(errors="replace")[-4000:]
            raise RuntimeError(f"{type(self).__name__} did not start:\n{told}")


def program(*places: str, package: str) -> str:
    """Find a broker's program; without it the test is skipped, and says what is missing."""
    found = next((path for place in places if (path := shutil.which(place))), None)
    if found is None:
        pytest.skip(f"{places[-1]} is not on this machine: install Debian's package {package}")
    return found


def started(
    words: list[str], folder: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own that ends with the thread that started it."""
    if (setpriv := shutil.which("setpriv")) is not None:
        words = [setpriv, "--pdeathsig", "KILL", *words]
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """End a program and all of its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int, said: bytes, expected: bytes) -> bool:
    """Say whether what is said to a port is answered as expected."""
    try:
        with socket.create_connection(("127.0.0.1", port), PROBE_SECONDS) as line:
            line.settimeout(PROBE_SECONDS)
            line.sendall(said)
            return line.recv(len(expected)) == expected
    except OSError:
        return False
