"""Hubs and workers as real processes that start in a moment: forks of one that has imported all.

python -m tests.chaos.nursery     one order a line on its input, the new program's id on its output

What is forked is the product's own hub and desk with the tests' kinds of work. The nursery holds
no thread and no open store; it ends, and everything with it, when its input does. With
libfaketime each program reads its wall clock's error from a file of its own.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
FAKETIME = (
    *Path("/usr/lib").glob("*/faketime/libfaketime.so.1"),
    *Path("/usr/lib/faketime").glob("libfaketime.so.1"),
)
"""From the Debian package `faketime`."""
DEATH_SECONDS = 10.0
JITTER_BYTES = 7
"""What `Environment.random` asks for, and nothing else does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What to start."""

    what: str
    """"hub" or "worker"."""
    arguments: tuple[str, ...]
    log: Path
    clock: Path | None = None
    """How wrong its wall clock is, as libfaketime reads it."""


@dataclass(slots=True)
class Program:
    """One process; a signal never hits another that got its number."""

    pid: int
    is_stopped: bool = False
    _handle: int = field(init=False)

    def __post_init__(self) -> None:
        self._handle = os.pidfd_open(self.pid)

    @property
    def is_alive(self) -> bool:
        return self._handle >= 0 and not select.select([self._handle], [], [], 0)[0]

    def kill(self) -> None:
        """End it as a power cut does; returns once it is gone."""
        if self._handle < 0:
            return
        self._signal(signal.SIGKILL)
        assert select.select([self._handle], [], [], DEATH_SECONDS)[0], "it outlived SIGKILL"
        os.close(self._handle)
        self._handle = -1

    def stop(self) -> None:
        """Let it stand still, as a machine that sleeps or swaps."""
        self._signal(signal.SIGSTOP)
        self.is_stopped = True

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)
        self.is_stopped = False

    def _signal(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return


class Nursery:
    """The process that forks. Close it, and all that it started is gone."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if FAKETIME:
            environment |= {
                "LD_PRELOAD": str(FAKETIME[0]),
                # A file that is not there is no error; each program names its own later.
                "FAKETIME_TIMESTAMP_FILE": "/nonexistent",
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Else waits of the interpreter's own lock end at once, and threads spin.
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
                "NO_FAKE_STAT": "1",
            }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def bear(self, birth: Birth) -> Program:
        """Start a program."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {
            "what": birth.what,
            "arguments": birth.arguments,
            "log": str(birth.log),
            "clock": str(birth.clock) if birth.clock and FAKETIME else "",
        }
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return Program(int(self._process.stdout.readline()))

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(DEATH_SECONDS)


def main() -> None:
    """Import all that programs need, then fork whenever a line says so."""
    _import_all()
    gc.collect()
    gc.freeze()
    # The kernel reaps what ends here, so that nobody stays a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    born = []
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        born.append(pid)
        print(pid, flush=True)
    for pid in born:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _import_all() -> None:
    import fastapi
    import uvicorn

    import desktop.agent.agent
    import desktop.desk.control_desk
    import desktop.system.control_line
    import hub.app
    import hub.frontends.api
    import tests.flows.play

    assert all((fastapi, uvicorn, desktop, hub, tests))


def _live(order: dict[str, str]) -> NoReturn:
    """Be the program that was ordered."""
    from shared import logs

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    words = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (words, 1), (words, 2)):
        os.dup2(source, target)
    if order["clock"]:
        os.environ["FAKETIME_TIMESTAMP_FILE"] = order["clock"]
    logs.configure(json_lines=True)
    try:
        life = _hub if order["what"] == "hub" else _worker
        asyncio.run(life(*order["arguments"]))
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def hasty(count: int) -> bytes:
    """Entropy that makes every wait with jitter its shortest; ids and keys stay random."""
    return bytes(count) if count == JITTER_BYTES else os.urandom(count)


async def _hub(data: str, port: str, beat_seconds: str, dead_seconds: str) -> None:
    from hub.app import running
    from hub.settings import Settings
    from shared.environment import Environment
    from shared.protocol import Beats
    from tests.flows import play

    settings = Settings(data=Path(data), port=int(port))
    beats = Beats(every_seconds=float(beat_seconds), dead_seconds=float(dead_seconds))
    environment = Environment(entropy=hasty)
    async with running(settings, environment, kinds=play.KINDS, beats=beats):
        await asyncio.Event().wait()


async def _worker(home: str) -> None:
    from desktop.desk.control_desk import ControlDesk
    from desktop.desk.desk import Desk
    from desktop.store.database import open_store
    from desktop.system.control_line import ControlLine
    from desktop.system.paths import Paths
    from shared.environment import Environment

    paths = Paths(data=Path(home), config=Path(home), home=Path(home))
    with open_store(paths.store) as database:
        desk = Desk(
            paths,
            database,
            Environment(entropy=hasty),
            kinds_at="tests.flows.play:KINDS",
            executors_at="tests.flows.play:EXECUTORS",
        )
        async with ControlLine(paths.control, ControlDesk(desk).handlers).serving():
            await desk.run()


if __name__ == "__main__":
    main()
