"""The programs a benchmark starts: told what to do in lines, ended with all they started."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.machine import ROOT

PATIENCE_SECONDS = 120.0
END_SECONDS = 5.0


class Child:
    """A program; it takes orders a line at a time and answers each with a line of JSON."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                user=user,
            )
        self._name = Path(command[0]).name
        self._log = log
        self._rest = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def ask(self, order: str, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Give an order and wait for its answer.

        Raises:
            ChildProcessError: it ended, or said nothing for so long.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(order.encode() + b"\n")
            self._process.stdin.flush()
        return self.answer(seconds)

    def answer(self, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for the next line of JSON that it says; other lines are not for us."""
        assert self._process.stdout is not None
        until = time.monotonic() + seconds
        while True:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                if line.startswith(b"{"):
                    told: dict[str, Any] = json.loads(line)
                    return told
                continue
            left = max(0.0, until - time.monotonic())
            ready, _, _ = select.select([self._process.stdout], [], [], left)
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise ChildProcessError(f"{self._name} does not answer: {self.last_words()}")
            self._rest += more

    def until(self, is_there: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until it does what can be seen from outside.

        Raises:
            ChildProcessError: it ended, or does not do it.
        """
        until = time.monotonic() + seconds
        while not is_there():
            if self.has_ended or time.monotonic() > until:
                raise ChildProcessError(f"{self._name} did not start: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self) -> str:
        """The last line of its log; of the frame around a group of errors, what is inside."""
        lines = self._log.read_text("utf-8", errors="replace").split("\n")
        said = [words for line in lines if (words := line.strip(" |+-\r"))]
        return said[-1][:300] if said else "it said nothing"

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it with all that it started; idempotent."""
        tree = []
        with contextlib.suppress(psutil.NoSuchProcess):
            tree = psutil.Process(self.pid).children(recursive=True)
        if not self.has_ended:
            self._process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        for one in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


@contextlib.contextmanager
def child(
    command: Sequence[str | Path],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    how: signal.Signals = signal.SIGKILL,
) -> Iterator[Child]:
    """Have a program run; it is ended at the block's end, however that comes."""
    made = Child(command, log, environment=environment, user=user)
    try:
        yield made
    finally:
        made.end(how)


def ours(module: str, *arguments: str | Path) -> list[str | Path]:
    """Say how a program of this benchmark is started."""
    return [sys.executable, "-m", f"tests.benchmarks.queue.{module}", *arguments]
