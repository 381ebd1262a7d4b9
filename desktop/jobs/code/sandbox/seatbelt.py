"""Starts processes in macOS's own sandbox."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from desktop.core.code.box import Box, Launch
from desktop.core.code.ground import Ground, environment
from desktop.core.code.seatbelt import arguments
from desktop.jobs.code.sandbox.relaying import free_port, relayed


class SeatbeltSandbox:
    """Files and network as the profile says; processes see each other, limits are the watcher's."""

    name = "seatbelt"
    is_isolating = True
    why = ""
    hint = ""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def port(self) -> int:
        return free_port()

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        command = arguments(box, self._ground, argv)
        with contextlib.suppress(OSError):
            box.scratch.mkdir(exist_ok=True)
        return Launch(
            argv=tuple(relayed(self._ground, box, command)),
            env=environment(self._ground, box, temporary=box.scratch),
            cwd=box.workdir,
            limits=box.limits,
        )
