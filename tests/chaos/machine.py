"""One machine of the person's: a worker's program, its line, its clock, its store."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from desktop.core.policy import Policy, write_policy
from desktop.store import facts, outbox
from desktop.store.database import open_store
from desktop.system import control
from desktop.system.credentials import save_secret
from desktop.system.paths import Paths
from shared.errors import AppError
from shared.jobs import Origin
from shared.kinds import JsonObject
from tests.chaos.lines import Line
from tests.chaos.nursery import Birth, Nursery, Program
from tests.flows.joining import join

ORDER_SECONDS = 5.0
READ_SECONDS = 2.0


class Machine:
    """It exists from its pairing on; its program may come and go."""

    def __init__(self, name: str, folder: Path, line: Line, nursery: Nursery) -> None:
        self.name = name
        self.line = line
        self.home = folder / name
        self.paths = Paths(data=self.home, config=self.home, home=self.home)
        self.clock = Clock(folder / f"{name}.clock")
        self.worker_id = ""
        self.program: Program | None = None
        self._log = folder / f"{name}.log"
        self._nursery = nursery

    def pair(self, code: str, folder: Path) -> None:
        """Join the hub at the end of the line; the program is not started yet."""
        self.paths.make()
        policy = Policy(
            folders=(str(folder),),
            slots=4,
            disk_free_bytes_min=0,
            kinds=dict.fromkeys(Origin, ("*",)),
        )
        self.paths.policy.write_text(write_policy(policy))
        pairing, token = join(f"http://127.0.0.1:{self.line.port}", code, self.name)
        self.worker_id = pairing.worker_id
        entry = pairing.worker_id
        save_secret(token, entry=entry, file=self.paths.token, allow_safe=False)
        with open_store(self.paths.store) as database:
            database.submit(lambda connection: facts.save_pairing(connection, pairing)).result(10)

    def start(self) -> None:
        assert self.program is None or not self.program.is_alive
        self.program = self._nursery.bear(
            Birth(
                what="worker",
                arguments=(str(self.home),),
                log=self._log,
                clock=self.clock.file,
            )
        )

    def kill(self) -> None:
        assert self.program is not None
        self.program.kill()

    def kill_child(self, pick: float) -> bool:
        """Kill one of the job's processes; False when none runs."""
        assert self.program is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.program.pid).children()
            if children:
                children.sort(key=lambda child: child.pid)
                children[int(pick * len(children))].kill()
                return True
        return False

    def tell(self, order: str, arguments: JsonObject) -> JsonObject | None:
        """Tell the program that runs, as commands and windows do; None when it may not have heard.

        Raises:
            AppError: what the program says against it.
        """
        try:
            return control.call(self.paths.control, order, arguments, seconds=ORDER_SECONDS)
        except AppError as error:
            if error.code in ("not_running", "control_lost", "not_paired"):
                return None
            raise

    def line_state(self) -> str:
        """How its program says that the line is; empty when no program says anything."""
        told = self.tell("status", {})
        line = told["line"] if told else None
        return str(line["state"]) if isinstance(line, dict) else ""

    def hurry(self) -> None:
        """Call the hub now, instead of when the wait is over."""
        self.tell("hurry", {})

    def waiting_count(self) -> int:
        """How many of its events the hub has not acknowledged."""
        with self._looking() as connection:
            return outbox.waiting(connection)

    def held_count(self) -> int:
        """How many attempts are in its hands."""
        with self._looking() as connection:
            return int(connection.execute("select count(*) from attempt").fetchone()[0])

    def copied_jobs(self) -> dict[str, str]:
        """The state of every job as this machine's own copy has it."""
        with self._looking() as connection:
            return dict(connection.execute("select job_id, state from copy_job").fetchall())

    def copied_results(self) -> dict[str, str]:
        """The result of every job as this machine's own copy has it, as JSON."""
        with self._looking() as connection:
            return dict(connection.execute("select job_id, result from copy_job").fetchall())

    def keep_copy(self, to: Path) -> None:
        """Copy the store as a backup of the machine would, also while the program runs."""
        with self._looking() as live, sqlite3.connect(to) as copy:
            live.backup(copy)
        copy.close()

    def put_back(self, copy: Path) -> None:
        """Take the machine back to an older copy of its store; the program must be dead."""
        for left in self.home.glob(f"{self.paths.store.name}*"):
            left.unlink()
        shutil.copy(copy, self.paths.store)

    @contextlib.contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        uri = f"file:{self.paths.store}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=READ_SECONDS)
        try:
            yield connection
        finally:
            connection.close()


class Clock:
    """How wrong a machine's wall clock is; a program sees a change within a second."""

    SEEN_SECONDS = 1.1

    def __init__(self, file: Path) -> None:
        self.file = file
        self.days = 0.0
        self.jump(0.0)

    def jump(self, days: float) -> None:
        """Be wrong by so many days from now on."""
        self.days = days
        aside = self.file.with_suffix(".new")
        # Without the newline the time library makes sleeping fail (EINVAL).
        aside.write_text(f"{days * 86400:+.0f}\n")
        aside.replace(self.file)

    def wait_until_seen(self) -> None:
        """Programs look at the file once a second; there is no bell."""
        time.sleep(self.SEEN_SECONDS)
