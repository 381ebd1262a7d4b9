"""Starts processes without a box: what is left where no sandbox works. Holds nothing back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from desktop.core.code.box import Box, Launch
from desktop.core.code.ground import Ground, check_box, environment
from desktop.core.code.limits import PRLIMIT, limited
from desktop.jobs.code.sandbox.limits import hard_limits, processes_now
from desktop.jobs.code.sandbox.relaying import free_port, relayed


class NoSandbox:
    """The person's own rights, a home of its own, a clean environment, and limits where easy."""

    name = "none"
    is_isolating = False

    def __init__(self, ground: Ground, *, why: str, hint: str) -> None:
        self._ground = ground
        self.why = why
        self.hint = hint

    def port(self) -> int:
        return free_port()

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        check_box(box, self._ground)
        box.scratch.mkdir(exist_ok=True)
        command = relayed(self._ground, box, argv)
        if shutil.which(PRLIMIT) is not None:
            hard = hard_limits()
            command = limited(command, box.limits, hard, processes_now=processes_now())
        env = environment(self._ground, box, temporary=box.scratch)
        return Launch(argv=tuple(command), env=env, cwd=box.workdir, limits=box.limits)
