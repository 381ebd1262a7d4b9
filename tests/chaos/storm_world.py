"""A hub and machines as real processes, lines that can fail, and a person who keeps asking."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from hub.store.database import STORE_NAME
from tests.chaos.lines import Carrier
from tests.chaos.machine import Clock, Machine
from tests.chaos.nursery import Birth, Nursery, Program
from tests.chaos.person import Person

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.02
BEAT_SECONDS = 0.5
DEAD_SECONDS = 2.0
"""What this hub tells its workers, so that lines that lead nowhere are noticed within a test."""

T = TypeVar("T")


class World:
    """Everything that lives and may fail. What happens in it is drawn from its seed."""

    def __init__(self, folder: Path, seed: int, nursery: Nursery | None = None) -> None:
        self.folder = folder
        self.seed = seed
        self.random = random.Random(seed)
        self.port = _free_port()
        self.data = folder / "hub"
        self.clock = Clock(folder / "hub.clock")
        self.hub: Program | None = None
        self.machines: dict[str, Machine] = {}
        self.person = Person(self.data, self.port)
        self._is_nursery_own = nursery is None
        self._nursery = nursery or Nursery()
        self._carrier = Carrier()

    @property
    def marks(self) -> Path:
        """Where jobs leave a visible effect, one line a run."""
        return self.folder / "marks"

    def __enter__(self) -> Self:
        self._carrier.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            self._tell_logs()
        for program in self.programs:
            program.kill()
        self._carrier.__exit__(kind, error, traceback)
        self.person.__exit__()
        if self._is_nursery_own:
            self._nursery.close()

    @property
    def programs(self) -> list[Program]:
        found = [self.hub, *(machine.program for machine in self.machines.values())]
        return [program for program in found if program is not None]

    def start_hub(self) -> None:
        """Start it on whatever it left, and wait until it answers."""
        arguments = (str(self.data), str(self.port), str(BEAT_SECONDS), str(DEAD_SECONDS))
        self.hub = self._nursery.bear(
            Birth(
                what="hub",
                arguments=arguments,
                log=self.folder / "hub.log",
                clock=self.clock.file,
            )
        )
        self.wait_for("the hub answers", self.person.is_answered)

    def kill_hub(self) -> None:
        assert self.hub is not None
        self.hub.kill()

    def add_machine(self, name: str) -> Machine:
        """Pair one more machine and start its program."""
        machine = Machine(name, self.folder, self._carrier.line(self.port), self._nursery)
        machine.pair(self.person.invite(), self.folder)
        machine.start()
        self.machines[name] = machine
        return machine

    def clone(self, machine: Machine, name: str) -> Machine:
        """Copy a machine with all it has, as an image of its disk would; it is not started."""
        left_out = shutil.ignore_patterns(machine.paths.control.name)
        shutil.copytree(machine.home, self.folder / name, ignore=left_out)
        copy = Machine(name, self.folder, machine.line, self._nursery)
        machine.keep_copy(copy.paths.store)
        copy.worker_id = machine.worker_id
        self.machines[name] = copy
        return copy

    def pick_machine(self) -> Machine:
        return self.machines[self.random.choice(sorted(self.machines))]

    def make_whole(self) -> None:
        """End every fault that lasts: all programs run, all lines lead somewhere, clocks are right.

        Nobody waits for its next try: how long those waits are is no question of these tests.
        """
        self.clock.jump(0)
        if self.hub is None or not self.hub.is_alive:
            self.start_hub()
        elif self.hub.is_stopped:
            self.hub.go_on()
        for machine in self.machines.values():
            machine.clock.jump(0)
            machine.line.untrap()
            machine.line.mend()
            assert machine.program is not None
            if not machine.program.is_alive:
                machine.start()
            elif machine.program.is_stopped:
                machine.program.go_on()
        self.hurry()

    def hurry(self) -> None:
        for machine in self.machines.values():
            machine.hurry()

    def is_all_online(self) -> bool:
        """Whether every machine says that its line is up."""
        return all(_is_online(machine) for machine in self.machines.values())

    def wait_for(self, what: str, probe: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
        """Try until `probe` returns something; return that."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if found := probe():
                return found
            time.sleep(LOOK_SECONDS)
        raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")

    def hub_jobs(self) -> dict[str, str]:
        """The state of every job in the hub's own store."""
        with self.hub_store() as connection:
            return dict(connection.execute("select job_id, state from jobs").fetchall())

    def hub_events(self, *types: str) -> list[tuple[str, dict[str, object]]]:
        """The hub's log: type and body of its events of these types, in its order."""
        marks = ", ".join("?" * len(types))
        with self.hub_store() as connection:
            rows = connection.execute(
                f"select type, body from events where type in ({marks}) order by hub_seq", types
            ).fetchall()
        return [(str(kind), json.loads(payload)) for kind, payload in rows]

    @contextlib.contextmanager
    def hub_store(self) -> Iterator[sqlite3.Connection]:
        """Look into the hub's store while it runs."""
        connection = sqlite3.connect(f"file:{self.data / STORE_NAME}?mode=ro", uri=True)
        try:
            yield connection
        finally:
            connection.close()

    def keep_hub_copy(self, to: Path) -> None:
        """Back the hub's store up while it runs."""
        with self.hub_store() as live, sqlite3.connect(to) as copy:
            live.backup(copy)
        copy.close()

    def put_hub_back(self, copy: Path) -> None:
        """Put an older copy in the place of the hub's store, as a restore does; it must be dead."""
        for left in self.data.glob(f"{STORE_NAME}*"):
            left.unlink()
        shutil.copy(copy, self.data / STORE_NAME)

    def _tell_logs(self) -> None:
        for log in sorted(self.folder.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text()[-3000:]}")


def _is_online(machine: Machine) -> bool:
    return machine.line_state() == "online"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
