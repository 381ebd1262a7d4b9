"""Nodes as processes of this machine: each in a group of its own, remembered in a folder.

They outlive the scaler: whoever starts it again finds them by files that tell a process's id and
when it began, so that another one that got the same id later is never taken for a node.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.core.pool import Instance, InstanceState, Pool
from hub.hosts.nodes import NodeSettings, instance_name, read_secrets, refused, told

POLL_SECONDS = 0.05
PROC = Path("/proc/self/stat")
PATIENCE_SECONDS = 3.0
"""A stop waits for so long before it leaves the end to later looks."""
KEPT_PREFIXES = ("HUB_", "DESKHAND_")
"""Settings of other programs; a node gets its own."""


class Settings(NodeSettings):
    """What a pool of processes needs."""

    folder: str = Field(min_length=1)
    """Where logs are written, and which processes there are."""
    secrets_file: str = Field(min_length=1)
    """Has DESKHAND_FLEET_KEY and DESKHAND_FLEET_BROKER, a line each, for its owner alone."""
    policy: str = ""
    """A policy file for the nodes: where models answer."""
    command: str = ""
    """What runs instead of `deskhand-fleet worker`."""


class _Note(BaseModel):
    """What is remembered of a process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: str
    pid: int
    began: str
    """As the system says it; two processes of one id differ in it."""
    started_at: datetime
    stopping_at: datetime | None = None


class ProcessHost:
    """Runs nodes here."""

    name = "process"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = Path(settings.folder).expanduser()
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    async def instances(self, pool: Pool) -> tuple[Instance, ...]:
        return await asyncio.to_thread(self._instances, pool)

    async def start(self, pool: Pool, count: int) -> tuple[str, ...]:
        return await asyncio.to_thread(self._start, pool, count)

    async def stop(self, pool: Pool, names: Sequence[str]) -> None:
        await asyncio.to_thread(self._stop, pool, names)

    async def close(self) -> None:
        """Leave the processes; they go on."""
        for child in self._children.values():
            # Whoever ends by now is not waited for any more; init does it.
            child.returncode = child.poll() or 0

    # The same, in a thread.

    def _instances(self, pool: Pool) -> tuple[Instance, ...]:
        return tuple(
            Instance(
                name=name,
                pool=pool.name,
                state=InstanceState.STOPPING if note.stopping_at else InstanceState.RUNNING,
                started_at=note.started_at,
            )
            for name, note in self._alive(pool)
        )

    def _start(self, pool: Pool, count: int) -> tuple[str, ...]:
        if os.name != "posix":
            raise refused(self.name, "start nodes", "it needs Linux or macOS")
        secrets = read_secrets(Path(self._settings.secrets_file))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(KEPT_PREFIXES)}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_folder()
            return tuple(self._start_one(pool, {**kept, **secrets}) for _ in range(count))
        except OSError as error:
            raise refused(self.name, "start a node", str(error)) from None

    def _start_one(self, pool: Pool, environment: dict[str, str]) -> str:
        name = instance_name(self._settings.fleet, pool)
        variables = {**environment, **told(pool, self._settings, name)}
        if self._settings.policy:
            variables["DESKHAND_FLEET_POLICY"] = self._settings.policy
        with (self._folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=variables,
                start_new_session=True,
            )
        self._children[child.pid] = child
        began = _began(child.pid)
        note = _Note(pool=pool.name, pid=child.pid, began=began, started_at=datetime.now(UTC))
        self._write(name, note)
        return name

    @property
    def _command(self) -> list[str]:
        if self._settings.command:
            return shlex.split(self._settings.command)
        return [sys.executable, "-m", "desktop.fleet", "worker"]

    def _stop(self, pool: Pool, names: Sequence[str]) -> None:
        """Ask all of them to end, wait a little, and leave the rest to later looks."""
        wanted = set(names)
        for name, note in self._alive(pool):
            if name in wanted and note.stopping_at is None:
                self._write(name, note.model_copy(update={"stopping_at": datetime.now(UTC)}))
                # Only the node: it ends its own children once they are done.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(note.pid, signal.SIGTERM)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and wanted & {name for name, _ in self._alive(pool)}:
            time.sleep(POLL_SECONDS)

    # What is remembered.

    def _alive(self, pool: Pool) -> list[tuple[str, _Note]]:
        """Those that run; files of others are deleted, with what they left of their group."""
        self._check_folder()
        alive = []
        for name, note in self._noted():
            if note.pool != pool.name:
                continue
            if not self._is_alive(note):
                _end_group(note)
                self._place(name).unlink(missing_ok=True)
                continue
            if self._is_overdue(note):
                _end_group(note)
            alive.append((name, note))
        return alive

    def _check_folder(self) -> None:
        """See that nobody else can write there which processes are ended."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            found = self._folder.stat()
            if os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & 0o002):
                raise refused(self.name, "look for nodes", f"others can write in {self._folder}")

    def _noted(self) -> Iterator[tuple[str, _Note]]:
        for file in sorted(self._folder.glob(f"{self._settings.fleet}-*.node")):
            with contextlib.suppress(OSError, ValidationError):
                yield file.stem, _Note.model_validate_json(file.read_text())

    def _is_alive(self, note: _Note) -> bool:
        is_running = _began(note.pid) == note.began != ""
        child = self._children.get(note.pid)
        # Waited for after that look: one that ended in between would stay a zombie.
        if child is not None and child.poll() is not None:
            del self._children[note.pid]
            return False
        return is_running

    def _is_overdue(self, note: _Note) -> bool:
        if note.stopping_at is None:
            return False
        return (datetime.now(UTC) - note.stopping_at).total_seconds() > self._settings.stop_seconds

    def _write(self, name: str, note: _Note) -> None:
        place = self._place(name)
        draft = place.with_suffix(".draft")
        draft.write_text(json.dumps(note.model_dump(mode="json")))
        draft.replace(place)

    def _place(self, name: str) -> Path:
        return self._folder / f"{name}.node"


def _began(pid: int) -> str:
    """When a process began, as the system counts; empty when it runs no more.

    Linux: proc(5), field 22 of stat, ticks since boot, with the id of the boot.
    """
    if PROC.exists():
        try:
            fields = (PROC.parent.parent / str(pid) / "stat").read_text().rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else f"{fields[19]}@{boot}"
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, began = asked.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else began.strip()


def _end_group(note: _Note) -> None:
    """Kill a node and what it left, unless its id belongs to somebody else by now."""
    if _began(note.pid) in ("", note.began):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(note.pid, signal.SIGKILL)
