"""Processes of children: started apart, watched, and ended as whole trees."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import psutil

from desktop.core.child_mark import MARK
from desktop.runner.child_log import ChildLog
from desktop.runner.lines import LINE_BYTES_MAX
from desktop.system.program import job_command
from shared import trace
from shared.errors import ErrorBody, Unavailable

TREE_EVERY = 5
"""Every so many looks the whole tree is added up; walking it costs a scan of all processes."""
DRAIN_SECONDS = 1.0
"""How long the last output of a child that is gone may take to be read."""
GONE_LOOKS = 100
"""How often it is looked whether processes that were killed are gone, `GONE_LOOK_SECONDS` apart."""
GONE_LOOK_SECONDS = 0.01
TAIL_LINES = 20
TAIL_BYTES_MAX = 64 * 1024
ENV_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "USER",
    "SYSTEMROOT", "WINDIR", "COMSPEC", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "VIRTUAL_ENV",
    "PYTHONPATH", "SSH_AUTH_SOCK",
)  # fmt: skip
"""Nothing else of the worker's environment reaches a job: it may hold keys. The last is the address
of the person's ssh agent, for a coding job's push."""
if sys.platform == "win32":
    OWN_GROUP_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    BELOW_NORMAL_PRIORITY = psutil.BELOW_NORMAL_PRIORITY_CLASS
else:
    OWN_GROUP_FLAGS = 0
    BELOW_NORMAL_PRIORITY = 5


async def spawn(
    workdir: str, threads_max: int, mark: str, traceparent: str = ""
) -> asyncio.subprocess.Process:
    """Start a child with pipes, a group and a mark of its own, in the trace of its one job.

    Raises:
        OSError: as the system says; see `not_started`.
    """
    return await asyncio.create_subprocess_exec(
        *job_command(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        cwd=workdir,
        env=child_environment(threads_max) | {MARK: mark} | _traced(traceparent),
        start_new_session=sys.platform != "win32",
        creationflags=OWN_GROUP_FLAGS,
    )


def _traced(traceparent: str) -> dict[str, str]:
    return {trace.VARIABLE: traceparent} if traceparent else {}


class Tail:
    """The last lines that a child wrote to standard error; its log goes where logs go."""

    def __init__(self) -> None:
        self.log = ChildLog()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    async def read(self, errors: asyncio.StreamReader) -> None:
        """Keep the last lines; a child that floods standard error is not slowed by us."""
        rest = b""
        while chunk := await errors.read(TAIL_BYTES_MAX):
            *lines, rest = (rest + chunk)[-TAIL_BYTES_MAX:].split(b"\n")
            self._lines.extend(
                line.decode(errors="replace")[:500] for line in lines if not self.log.took(line)
            )
        if rest and not self.log.took(rest):
            self._lines.append(rest.decode(errors="replace")[:500])


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


def kill_marked(mark: str) -> list[psutil.Process]:
    """Kill all processes of one child that are still there, wherever they stand by now.

    Returns:
        Those that were killed; to be killed and to be gone are two things.
    """
    killed = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.kill()
                killed.append(process)
    return killed


async def end_marked(mark: str) -> None:
    """Kill all processes of one child and wait until they are gone, for a moment at most.

    Each is looked at and none is waited for: waiting would take a child's exit code from asyncio.
    """
    killed = await asyncio.to_thread(kill_marked, mark)
    for _ in range(GONE_LOOKS):
        killed = [process for process in killed if is_there(process)]
        if not killed:
            return
        await asyncio.sleep(GONE_LOOK_SECONDS)


def is_there(process: psutil.Process) -> bool:
    """Tell whether a process still runs; one that only waits to be collected does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def not_started(error: OSError) -> ErrorBody:
    return Unavailable(
        "job_not_started",
        f"The job's process could not be started ({error.strerror or type(error).__name__}).",
        "The machine may be short of memory or disk; it is tried again.",
        retryable=True,
    ).body


def look_up(pid: int) -> psutil.Process | None:
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


def lower_priority(pid: int) -> None:
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
