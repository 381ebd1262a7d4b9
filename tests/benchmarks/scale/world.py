"""A hub and its workers as programs of their own, and what is asked of them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.footprint import free_port
from tests.benchmarks.machine import scratch
from tests.benchmarks.queue.nothing import NOTHING
from tests.benchmarks.scale.hub import ONCE, Usage
from tests.enrolled import Member, enrol

PATIENCE_SECONDS = 300.0
SLOTS = 8

Told = dict[str, Any]


class Program:
    """A child that is told what to do a line at a time, and answers in lines of JSON."""

    def __init__(self, *arguments: str, errors: Path) -> None:
        with errors.open("ab") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
            )
        self._rest = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def rss_mib(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def say(self, order: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(order.encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, order: str) -> Told:
        self.say(order)
        return self.next()

    def next(self, seconds: float = PATIENCE_SECONDS) -> Told:
        """Wait for the next line it says."""
        assert self._process.stdout is not None
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = max(0.0, until - time.monotonic())
            ready, _, _ = select.select([self._process.stdout], [], [], left)
            more = os.read(self._process.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise SystemExit("a program of the benchmark does not answer")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        told: Told = json.loads(line)
        return told

    def until(self, is_so: Callable[[Told], bool], *, after: float = 0.0) -> Told:
        """Read on until a line says so; `after`: one that is younger than this time."""
        while not is_so(told := self.next()) or told["at"] < after:
            pass
        return told

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class World:
    """A hub and workers, on a store of their own."""

    def __init__(
        self, folder: Path, people: int, each: int, *, slots: int = SLOTS, beat_seconds: float = 0.0
    ) -> None:
        self.folder, self.port = folder, free_port()
        self._slots, self._beat_seconds = slots, beat_seconds
        self.members: list[Member] = enrol(folder / "hub", people, each, (NOTHING.name, ONCE.name))
        self.tokens = [(one.worker_id, one.token) for who in self.members for one in who.machines]
        self._started = 0
        self.groups: list[tuple[Program, int]] = []
        """Programs of workers, and how many are in each."""
        self.start_hub()

    def start_hub(self) -> float:
        """Return how long it took until it listened."""
        begun = time.monotonic()
        beats = [str(self._beat_seconds)] if self._beat_seconds else []
        self.hub = Program(
            "tests.benchmarks.scale.hub", str(self.folder / "hub"), str(self.port), *beats,
            errors=self.folder / "hub.log",
        )  # fmt: skip
        self.hub.next()
        return time.monotonic() - begun

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/worker"

    @property
    def workers(self) -> Program:
        """The first program of workers."""
        return self.groups[0][0]

    def start_workers(self, upto: int | None = None) -> float:
        """Start workers until there are so many, all by default; return how long it took."""
        upto = len(self.tokens) if upto is None else upto
        file = self.folder / f"tokens-{upto}.json"
        tokens = self.tokens[self._started : upto]
        self._started = upto
        file.write_text(json.dumps(tokens))
        begun = time.monotonic()
        program = Program(
            "tests.benchmarks.scale.workers", self.url, str(file), str(self._slots),
            errors=self.folder / "workers.log",
        )  # fmt: skip
        self.groups.append((program, len(tokens)))
        program.until(lambda told: told["online"] == len(tokens))
        return time.monotonic() - begun

    def say_to_workers(self, order: str) -> None:
        for program, _ in self.groups:
            program.say(order)

    def until_online(self, *, after: float = 0.0) -> None:
        """Wait until all are; `after`: by a word that is younger than this time."""
        for program, count in self.groups:
            self._until_online(program, count, after)

    @staticmethod
    def _until_online(program: Program, count: int, after: float) -> None:
        program.say("tell")
        program.until(lambda told: told["online"] == count, after=after)

    def until_offline(self) -> None:
        for program, _ in self.groups:
            program.say("tell")
            program.until(lambda told: told["online"] == 0)

    def ask_workers(self) -> list[Told]:
        """How each program of workers is now."""
        asked_at = time.time()
        self.say_to_workers("tell")
        return [program.until(lambda _: True, after=asked_at) for program, _ in self.groups]

    def usage(self) -> Usage:
        return Usage(**self.hub.ask("usage"))

    def end(self) -> None:
        self.hub.kill()
        for program, _ in self.groups:
            program.kill()


@contextmanager
def a_world(
    people: int, each: int, *, slots: int = SLOTS, beat_seconds: float = 0.0
) -> Iterator[World]:
    with scratch() as folder:
        world = World(folder, people, each, slots=slots, beat_seconds=beat_seconds)
        try:
            yield world
        finally:
            world.end()


@contextmanager
def a_program(*arguments: str, errors: Path) -> Iterator[Program]:
    program = Program(*arguments, errors=errors)
    try:
        yield program
    finally:
        program.kill()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which such a share of them lies; 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
