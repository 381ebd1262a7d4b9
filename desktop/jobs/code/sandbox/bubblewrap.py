"""Starts processes in a box of bubblewrap's."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from desktop.core.code import seccomp
from desktop.core.code.box import GATEWAY_PORT, Box, Launch
from desktop.core.code.bubblewrap import SECCOMP_FD, TEMPORARY, arguments
from desktop.core.code.ground import Ground, environment
from desktop.core.code.limits import limited
from desktop.jobs.code.sandbox.limits import hard_limits
from desktop.jobs.code.sandbox.relaying import relayed

START = f"""
echo 1000 2>/dev/null >/proc/self/oom_score_adj
filter=$1; shift; exec "$@" {SECCOMP_FD}<"$filter"
"""
"""For `sh -c`. Whatever the memory is short for, the box goes first. The filter is handed on as a
descriptor here, so that a Launch has nothing that is to be closed."""
NO_FILTER = "/dev/null"
SIZES_SINCE = (0, 7)


class BubblewrapSandbox:
    """Namespaces of its own for files, network, processes and IPC, and a filter of system calls."""

    name = "bubblewrap"
    is_isolating = True
    why = ""
    hint = ""

    def __init__(self, program: Path, ground: Ground, *, version: str) -> None:
        self._program = program
        self._ground = ground
        numbers = re.findall(r"\d+", version)[:2]
        self._has_sizes = tuple(map(int, numbers)) >= SIZES_SINCE

    def port(self) -> int:
        return GATEWAY_PORT

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        machine = seccomp.MACHINES.get(platform.machine())
        inside = limited(relayed(self._ground, box, argv), box.limits, hard_limits())
        boxed = arguments(
            box,
            self._ground,
            inside,
            has_sizes=self._has_sizes,
            is_filtered=machine is not None,
        )
        filtered = NO_FILTER if machine is None else self._filter
        return Launch(
            argv=("/bin/sh", "-c", START, "sh", filtered, str(self._program), *boxed),
            env=environment(self._ground, box, temporary=TEMPORARY),
            cwd=box.workdir,
            limits=box.limits,
        )

    @cached_property
    def _filter(self) -> str:
        """Keep the filter in memory as long as this process lives; return where it is opened."""
        kept = os.memfd_create("deskhand-filter")
        machine = seccomp.MACHINES[platform.machine()]
        os.write(kept, seccomp.program(machine, is_shared=False))
        return f"/proc/{os.getpid()}/fd/{kept}"
