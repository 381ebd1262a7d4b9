"""What is process 1 of a container does: run one program, pass signals on, bury the dead.

Python's own library alone: this runs before and beside Deskhand, and tells why when that fails.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence


def say(line: str) -> None:
    """Write a line for whoever reads the container's log."""
    print(f"container: {line}", file=sys.stderr, flush=True)


def run(command: Sequence[str]) -> int:
    """Run a program until it ends; return its exit code.

    A signal that is for the container is for the program. Children that its jobs left behind come
    to process 1, and are waited for.
    """
    # Before the first signal can come: whoever stops the container early means the program, too.
    stopped: list[int] = []
    child: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: object) -> None:
        stopped.append(number)
        for process in child:
            if process.returncode is None:
                os.kill(process.pid, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    child.append(subprocess.Popen(command))
    if stopped:
        child[0].send_signal(stopped[-1])
    return _wait(child[0])


def _wait(child: subprocess.Popen[bytes]) -> int:
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return child.returncode if child.returncode >= 0 else 128 - child.returncode
