"""Sees to it that no job outlives its worker, however busy or stuck the job is.

A small process in the job's own group that does nothing but wait. When the worker or the job is
gone, it ends the group, what stands below the job in groups of its own, and whoever carries the
job's mark in its environment, wherever it stands by now. Linux only; elsewhere, and before Linux
5.3, the job's own listener does what it can (`desktop.runner.inside`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from pathlib import Path

from desktop.core.child_mark import MARK

PROC = Path("/proc")
LOOKS_MAX = 5
"""A process may start another between two looks; of one that keeps doing so nothing is left to
start it once its parents are gone."""


def start_guard() -> None:
    """Fork the guard; call it first of all in the child, while it is small and has one thread."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open") or os.getpgid(0) != os.getpid():
        return
    worker, job = os.getppid(), os.getpid()
    if os.fork() == 0:
        try:
            _stand_guard(worker, job)
        finally:
            os._exit(0)


def _stand_guard(worker: int, job: int) -> None:
    # The pipes of the job must not stay open because of us.
    os.closerange(0, 256)
    watched = select.poll()
    try:
        for pid in (worker, job):
            watched.register(os.pidfd_open(pid), select.POLLIN)
    except ProcessLookupError:
        pass  # gone before we could look
    except OSError:
        return  # the kernel is too old, or a sandbox forbids it
    else:
        watched.poll()
    end_strays(job)
    os.killpg(0, signal.SIGKILL)


def end_strays(job: int) -> None:
    """End what belongs to a job and may be in no group of ours; Linux only."""
    if sys.platform == "linux":
        with contextlib.suppress(Exception):  # the group is ended whatever is found
            _end_strays(job, os.environb.get(MARK.encode(), b""))


def _end_strays(job: int, mark: bytes) -> None:
    seen = {os.getpid(), job}
    for _ in range(LOOKS_MAX):
        strays = _below(job) | _marked(mark)
        if strays <= seen:
            return
        for pid in strays - {os.getpid(), job}:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        seen |= strays


def _below(job: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything, brackets too.
            told = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2]
            children.setdefault(int(told.split()[1]), []).append(pid)
    found: set[int] = set()
    waiting = [job]
    while waiting:
        below = set(children.get(waiting.pop(), ())) - found
        found |= below
        waiting += below
    return found


def _marked(mark: bytes) -> set[int]:
    wanted = MARK.encode() + b"=" + mark
    found = set()
    for pid in _pids() if mark else ():
        with contextlib.suppress(OSError):
            if wanted in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
