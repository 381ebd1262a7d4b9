"""Starts processes behind Landlock and a filter: for systems where no namespaces may be made."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Sequence
from pathlib import Path

from desktop.core.code.box import Box, Launch
from desktop.core.code.ground import Ground, environment
from desktop.core.code.landlock import wall
from desktop.core.code.sandbox_words import LANDLOCK_ABI_MIN, Reason, landlock_failed
from desktop.core.code.seccomp import MACHINES
from desktop.jobs.code.sandbox.relaying import free_port, relayed
from desktop.jobs.code.sandbox.survey import PLAIN_PYTHON
from desktop.system.program import boxed_command

START = boxed_command("landlock") or (
    *PLAIN_PYTHON,
    str(Path(__file__).resolve().parents[1] / "landlock_box" / "start.py"),
)


class LandlockSandbox:
    """The kernel's own walls, raised by the process itself; needs no rights and no program."""

    name = "landlock"
    is_isolating = True
    why = ""
    hint = ""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._machine = MACHINES[platform.machine()]

    def port(self) -> int:
        return free_port()

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        told = wall(box, self._ground, self._machine).to_text()
        # What stands in its place was put there by the job before; then it is that job's loss.
        with contextlib.suppress(OSError):
            box.scratch.mkdir(exist_ok=True)
        return Launch(
            argv=tuple(relayed(self._ground, box, (*START, told, "--", *argv))),
            env=environment(self._ground, box, temporary=box.scratch),
            cwd=box.workdir,
            limits=box.limits,
        )


def landlock_abi() -> int:
    """Return which Landlock the kernel has; 0 for none."""
    from desktop.jobs.code.landlock_box import (
        walls,  # Linux's alone: other systems cannot import it
    )

    return walls.landlock_abi()


def missing() -> Reason | None:
    """Say why Landlock cannot be used here at all; None when it is worth a trial."""
    if platform.machine() not in MACHINES:
        return Reason(why=f"There is no filter of system calls for {platform.machine()}.")
    abi = landlock_abi()
    return landlock_failed(abi) if abi < LANDLOCK_ABI_MIN else None
