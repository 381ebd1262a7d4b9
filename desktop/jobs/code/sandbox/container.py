"""Starts processes in a container, where the machine's owner has named an image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from desktop.core.code.box import GATEWAY_PORT, Box, Launch
from desktop.core.code.container import RELAY, TEMPORARY, arguments
from desktop.core.code.ground import Ground, environment
from desktop.jobs.code.sandbox.relaying import relayed

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = ("python3", "-I", "-S")
"""The image's own."""
FOR_ENGINE = ("HOME", "PATH", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT")
"""What the engine's program itself needs to find its place."""


class ContainerSandbox:
    """What the image brings and nothing of this machine's; a network with nobody in it."""

    name = "container"
    is_isolating = True
    why = ""
    hint = ""

    def __init__(self, ground: Ground, *, engine: Path, image: str) -> None:
        self._ground = ground
        self._engine = engine
        self._image = image

    def port(self) -> int:
        return GATEWAY_PORT

    def launch(self, box: Box, argv: Sequence[str]) -> Launch:
        env = environment(self._ground, box, temporary=Path(TEMPORARY))
        wanted = {name: value for name, value in env.items() if name not in FOR_ENGINE}
        inside = replace(self._ground, relay=(*PYTHON, RELAY))
        command = ("env", f"HOME={box.home}", f"PATH={PATH}", *relayed(inside, box, argv))
        told = arguments(
            box,
            self._ground,
            command,
            engine=self._engine.name,
            image=self._image,
            ids=(os.getuid(), os.getgid()),
            names=sorted(wanted),
        )
        ours = {name: os.environ[name] for name in FOR_ENGINE if name in os.environ}
        return Launch(
            argv=(str(self._engine), *told), env=wanted | ours, cwd=box.workdir, limits=box.limits
        )
