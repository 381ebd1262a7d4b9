"""Child processes of the demo: started by their own commands, watched, and gone at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from shared.errors import AppError

STOP_SECONDS = 5.0
POLL_SECONDS = 0.1
LINES_KEPT = 12


class DemoFailed(AppError):
    """A step of the demo did not go as it should."""

    def __init__(self, message: str) -> None:
        super().__init__("demo_failed", message)


def free_port() -> int:
    """Find a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Programs:
    """Starts programs with their output in a folder; a context manager that ends them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in reversed(list(self._running)):
            self._stop(self._running.pop(name))

    def start(
        self,
        name: str,
        module: str,
        arguments: Sequence[str],
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Start a program of ours in a session of its own, so that Ctrl-C stays with us."""
        self.launch(name, [sys.executable, "-m", module, *arguments], settings=settings)

    def launch(
        self, name: str, command: Sequence[str], *, settings: Mapping[str, str] | None = None
    ) -> None:
        """Start any program so; `settings` are variables of its environment."""
        with self.log_of(name).open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**_environment(), **(settings or {})},
                start_new_session=True,
            )

    async def run(self, module: str, arguments: Sequence[str], seconds: float) -> str:
        """Run a program to its end; return what it printed.

        Raises:
            DemoFailed: with what it said, when it did not end well.
        """
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )  # fmt: skip
        try:
            printed, complaint = await asyncio.wait_for(program.communicate(), seconds)
        finally:
            if program.returncode is None:
                program.kill()
        if program.returncode != 0:
            told = complaint.decode(errors="replace").strip().splitlines()[-2:]
            command = " ".join(a for a in arguments if a.isalpha())
            raise DemoFailed(f"`{module} {command}` failed: {' '.join(told)}")
        return printed.decode()

    async def kill(self, name: str) -> None:
        """End a program as a power cut would."""
        program = self._running.pop(name)
        program.kill()
        await asyncio.to_thread(program.wait)

    async def until(self, is_so: Callable[[], bool], seconds: float, complaint: str) -> None:
        """Wait for a condition, asked in a thread; a program that died ends the wait.

        Raises:
            DemoFailed: it did not become so in time.
        """
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(is_so):
            dead = [name for name, p in self._running.items() if p.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise DemoFailed(f"{complaint} {dead[0]} ended." if dead else complaint)
            await asyncio.sleep(POLL_SECONDS)

    def last_lines(self) -> dict[str, list[str]]:
        """What each program logged last."""
        return {
            log.stem: log.read_text(errors="replace").splitlines()[-LINES_KEPT:]
            for log in sorted(self._folder.glob("*.log"))
        }

    def log_of(self, name: str) -> Path:
        """Where a program's output goes."""
        return self._folder / f"{name}.log"

    @staticmethod
    def _stop(program: subprocess.Popen[bytes]) -> None:
        if program.poll() is None:
            program.terminate()
            try:
                program.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        if os.name == "posix":
            # Children it may have left; its session has no other members than its own.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(program.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Ours without settings meant for other hubs and workers; modules are found where we are."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HUB_", "DESKHAND_"))}
    here = str(Path(__file__).parents[2])
    paths = [here, *filter(None, [kept.get("PYTHONPATH", "")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
