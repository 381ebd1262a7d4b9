"""One child process: started, fed, listened to, watched, and ended as a whole tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import ValidationError

from desktop.core.outcome import Ending, Outcome
from desktop.runner.lines import (
    FROM_CHILD,
    LINE_BYTES_MAX,
    Answered,
    Asked,
    Failed,
    FromChild,
    Order,
    PartsOver,
    Result,
    write,
)
from desktop.system.program import job_command
from shared.environment import Environment
from shared.errors import ErrorBody, Unavailable

WATCH_SECONDS = 0.1
"""How often the memory of a child is looked at."""
TREE_EVERY = 5
"""Every so many looks the whole tree is added up; walking it costs a scan of all processes."""
ENDING_SECONDS = 0.01
"""The same once its output has ended: its exit is a moment away."""
DRAIN_SECONDS = 1.0
"""How long the last output of a child that is gone may take to be read."""
MARK = "DESKHAND_CHILD"
"""An environment variable that all processes of one child inherit: by it those are found that
have left its group and lost their parents."""
TAIL_LINES = 20
TAIL_BYTES_MAX = 64 * 1024
ENV_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "USER",
    "SYSTEMROOT", "WINDIR", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "VIRTUAL_ENV",
    "PYTHONPATH",
)  # fmt: skip
"""Nothing else of the worker's environment reaches a job: it may hold keys."""
if sys.platform == "win32":
    OWN_GROUP_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    BELOW_NORMAL_PRIORITY = psutil.BELOW_NORMAL_PRIORITY_CLASS
else:
    OWN_GROUP_FLAGS = 0
    BELOW_NORMAL_PRIORITY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLimits:
    memory_bytes_max: int
    running_seconds_max: float
    """Time spent asking does not count."""
    leaving_seconds_max: float = 10.0
    """How long it may stay after its last word."""
    cores_max: int | None = None
    """How many cores it and all it starts may use; None for all."""


class Child:
    """A running job. `run` returns when the whole tree is gone."""

    def __init__(
        self,
        order: Order,
        limits: ChildLimits,
        environment: Environment,
        on_line: Callable[[FromChild], None],
    ) -> None:
        self._order = order
        self._limits = limits
        self._environment = environment
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._ending: Ending | None = None
        self._last: Result | Failed | None = None
        self._last_at: float | None = None
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._running_seconds = 0.0
        self._running_since: float | None = None
        self._has_hung_up = asyncio.Event()
        self._mark = environment.new_id()

    async def run(self) -> Outcome:
        """Start, serve and outlive the child; never raises for what the child does."""
        try:
            self._process = process = await self._spawn()
        except OSError as error:
            return Outcome(ending=Ending.REFUSED, error=not_started(error))
        self._running_since = self._environment.monotonic()
        if self._ending is not None:  # cancelled while it was being started
            self._kill()
        _lower_priority(process.pid)
        if self._limits.cores_max is not None:
            keep_to_cores(process.pid, self._limits.cores_max)
        self._write(write(self._order))
        try:
            async with asyncio.TaskGroup() as tasks:
                readers = [
                    tasks.create_task(self._read_lines()),
                    tasks.create_task(self._read_errors()),
                ]
                exit_code = await self._watch(process)
                self._stop_watch()
                # Whatever it left behind goes with it, or it would hold our pipes open.
                self._kill()
                await asyncio.to_thread(kill_marked, self._mark)
                await asyncio.wait(readers, timeout=DRAIN_SECONDS)
                for reader in readers:
                    reader.cancel()
        finally:
            self._kill()
        return self._outcome(exit_code)

    async def _spawn(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *job_command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=LINE_BYTES_MAX,
            cwd=self._order.workdir,
            env=child_environment(self._order.threads_max) | {MARK: self._mark},
            start_new_session=sys.platform != "win32",
            creationflags=OWN_GROUP_FLAGS,
        )

    def answer(self, key: str, value: str) -> None:
        """Give the child its answer and let its time run again."""
        if self._running_since is None:
            self._running_since = self._environment.monotonic()
        self._write(write(Answered(key=key, value=value)))

    def parts_ended(self, over: PartsOver) -> None:
        """Tell the child that none of its parts is open."""
        self._write(write(over))

    def end(self, ending: Ending) -> None:
        """End the whole tree at once; the first reason given is the one that counts."""
        if self._ending is None:
            self._ending = ending
        self._kill()

    def refuse(self, error: ErrorBody) -> None:
        """End the whole tree because of what it wants, as if it had failed with this error."""
        if self._ending is None:
            self._last = Failed(error=error)
        self.end(Ending.REFUSED)

    def _write(self, data: bytes) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            # A child that is gone needs no answer; its end is told elsewhere.
            with contextlib.suppress(ConnectionError, RuntimeError):
                process.stdin.write(data)

    async def _read_lines(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while True:
            try:
                raw = await self._process.stdout.readline()
            except ValueError:  # longer than LINE_BYTES_MAX
                return self.end(Ending.BROKE_PROTOCOL)
            if not raw:
                self._has_hung_up.set()
                return None
            try:
                line = FROM_CHILD.validate_json(raw)
            except ValidationError:
                return self.end(Ending.BROKE_PROTOCOL)
            self._take(line)

    def _take(self, line: FromChild) -> None:
        if self._ending is not None:
            return
        match line:
            case Result() | Failed():
                self._last = line
                self._last_at = self._last_at or self._environment.monotonic()
                self._stop_watch()
            case Asked():
                self._stop_watch()
                self._on_line(line)
            case _:
                self._on_line(line)

    async def _read_errors(self) -> None:
        """Keep the last lines; a child that floods standard error is not slowed by us."""
        assert self._process is not None
        assert self._process.stderr is not None
        rest = b""
        while chunk := await self._process.stderr.read(TAIL_BYTES_MAX):
            *lines, rest = (rest + chunk)[-TAIL_BYTES_MAX:].split(b"\n")
            self._tail.extend(line.decode(errors="replace")[:500] for line in lines)
        if rest:
            self._tail.append(rest.decode(errors="replace")[:500])

    async def _watch(self, process: asyncio.subprocess.Process) -> int:
        """Hold the child to its limits until it is gone; return its exit code.

        `Process.wait` would also wait for everybody who has inherited the pipes.
        """
        looks = 0
        root = _look_up(process.pid)
        while process.returncode is None:
            await self._pause()
            looks += 1
            if self._has_overstayed():
                self._kill()
            if root is None:
                continue
            used = tree_memory_bytes(root, whole=looks % TREE_EVERY == 0)
            if used > self._limits.memory_bytes_max:
                self.end(Ending.OUT_OF_MEMORY)
            elif self._seconds() > self._limits.running_seconds_max:
                self.end(Ending.TIMED_OUT)
        return process.returncode

    async def _pause(self) -> None:
        if self._has_hung_up.is_set():
            await asyncio.sleep(ENDING_SECONDS)
        else:
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes with the bell.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._has_hung_up.wait()

    def _has_overstayed(self) -> bool:
        """Whether it has said its last word and keeps its slot all the same."""
        since = self._last_at
        limit = self._limits.leaving_seconds_max
        return since is not None and self._environment.monotonic() - since > limit

    def _seconds(self) -> float:
        since = self._running_since
        now = self._environment.monotonic()
        return self._running_seconds + (now - since if since is not None else 0.0)

    def _stop_watch(self) -> None:
        self._running_seconds = self._seconds()
        self._running_since = None

    def _kill(self) -> None:
        if self._process is not None:
            kill_tree(self._process.pid)

    def _outcome(self, exit_code: int) -> Outcome:
        ending = self._ending
        if ending is None:
            match self._last:
                case Result():
                    ending = Ending.RESULT
                case Failed():
                    ending = Ending.REFUSED
                case None:
                    ending = Ending.GONE
        return Outcome(
            ending=ending,
            exit_code=exit_code,
            output=self._last.output if isinstance(self._last, Result) else None,
            error=self._last.error if isinstance(self._last, Failed) else None,
            tail=tuple(self._tail),
            running_seconds=self._running_seconds,
            limit=(
                self._limits.memory_bytes_max
                if ending is Ending.OUT_OF_MEMORY
                else self._limits.running_seconds_max
            ),
        )


def child_environment(threads_max: int) -> dict[str, str]:
    """A job's environment: the allowlist, and quiet numeric libraries.

    OpenMP's spinning makes small fits up to eight times slower on a busy machine, and it reads
    these once, at import.
    """
    kept = {name: os.environ[name] for name in ENV_KEPT if name in os.environ}
    if "PYTHONPATH" in kept:
        # Read in the job's own folder: "" or "." would bring back what -P keeps off.
        places = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(p for p in places if Path(p).is_absolute())
    threads = str(max(1, threads_max))
    return kept | {
        "OMP_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def kill_tree(pid: int) -> None:
    """End a child and all it started, those included that left its group."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for below in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                below.kill()
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    else:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).kill()


def kill_marked(mark: str) -> None:
    """End all processes of one child that are still there, wherever they stand by now."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.kill()


def not_started(error: OSError) -> ErrorBody:
    return Unavailable(
        "job_not_started",
        f"The job's process could not be started ({error.strerror or type(error).__name__}).",
        "The machine may be short of memory or disk; it is tried again.",
        retryable=True,
    ).body


def _look_up(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def tree_memory_bytes(root: psutil.Process, *, whole: bool) -> int:
    """Add up the resident memory of a child, or of its whole tree."""
    members = [root]
    with contextlib.suppress(psutil.Error):
        if whole:
            members += root.children(recursive=True)
    total = 0
    for member in members:
        with contextlib.suppress(psutil.Error):
            total += member.memory_info().rss
    return total


def _lower_priority(pid: int) -> None:
    """A job must not make the machine feel slow to the person who sits at it."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        process.nice(BELOW_NORMAL_PRIORITY)


def keep_to_cores(pid: int, count: int) -> None:
    """Pin a child, and with it all it starts later, to as many cores of those it has.

    Always the same ones, so that all jobs together stay within them. macOS pins nothing; there
    the low priority alone keeps the machine quick.
    """
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        process = psutil.Process(pid)
        process.cpu_affinity(sorted(process.cpu_affinity() or ())[-count:])
