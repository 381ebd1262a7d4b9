"""A clone, a home and a sandbox that works here, for tests that start something in a box."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.core.code.box import Box, BoxLimits
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.sandbox import Sandbox, choose_now
from shared.errors import Unavailable
from tests.desktop.jobs.code.escape.world import new_folder

SECONDS_MAX = 90.0
"""For what a box does in a second where nothing else is done."""
HOLDING = (SandboxChoice.BUBBLEWRAP, SandboxChoice.LANDLOCK)


@dataclass
class Room:
    """What one boxed process is started with."""

    sandbox: Sandbox
    root: Path

    @property
    def clone(self) -> Path:
        return self.root / "clone"

    def box(
        self,
        *,
        limits: BoxLimits | None = None,
        gateway: Path | None = None,
        env: dict[str, str] | None = None,
        read_only: tuple[Path, ...] = (),
    ) -> Box:
        return Box(
            workdir=self.clone,
            home=self.root / "home",
            limits=limits or BoxLimits(),
            gateway=gateway,
            port=self.sandbox.port(),
            env=env or {},
            read_only=read_only,
        )

    def start(self, *argv: str, box: Box | None = None) -> subprocess.Popen[str]:
        launch = self.sandbox.launch(box or self.box(), argv)
        return subprocess.Popen(
            launch.argv, env=dict(launch.env), cwd=launch.cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(
        self, *argv: str, box: Box | None = None, seconds_max: float = SECONDS_MAX
    ) -> subprocess.CompletedProcess[str]:
        with self.start(*argv, box=box) as process:
            try:
                out, err = process.communicate(timeout=seconds_max)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def shell(self, script: str, box: Box | None = None) -> str:
        """Run a script for its standard output."""
        return self.run("/bin/sh", "-c", script, box=box).stdout


def rooms(choice: SandboxChoice) -> Iterator[Room]:
    """Make a room with this sandbox, or skip the test that wants it."""
    try:
        sandbox = choose_now(CodeRules(sandbox=choice))
    except Unavailable as error:
        pytest.skip(str(error))
    for root in new_folder():
        for name in ("clone", "home"):
            (root / name).mkdir()
        yield Room(sandbox, root)
