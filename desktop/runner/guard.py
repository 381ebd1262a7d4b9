"""Sees to it that no job outlives its worker, however busy or stuck the job is.

A small process in the job's own group that does nothing but wait. When the worker or the job is
gone, it ends the group. Linux only; elsewhere, and before Linux 5.3, the job's own listener does
what it can (`desktop.runner.inside`).
"""

from __future__ import annotations

import os
import select
import signal
import sys


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
    os.killpg(0, signal.SIGKILL)
