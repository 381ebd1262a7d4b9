"""Starts the attacker as a worker would: `python -m ….start SANDBOX WORLD.json [ATTEMPT …]`.

A program of its own, because it is also run as another user.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from desktop.core.code.box import Box
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.sandbox import choose_now
from tests.desktop.jobs.code.escape import attempts

SECONDS_MAX = 60


def main() -> int:
    choice, told, *only = sys.argv[1:]
    world = json.loads(Path(told).read_text(encoding="utf-8"))
    clone, home = Path(world["clone"]), Path(world["home"])
    sandbox = choose_now(CodeRules(sandbox=SandboxChoice(choice)), guarded=[Path(world["data"])])
    box = Box(
        workdir=clone,
        home=home,
        read_only=(Path(world["mirror"]), Path(world["tool"])),
        port=int(world["port"]),
    )
    shutil.copy(attempts.__file__, clone / "attempts.py")
    (clone / "world.json").write_text(json.dumps(world), encoding="utf-8")
    python = (sys.executable, "-I", "-S")
    launch = sandbox.launch(box, (*python, str(clone / "attempts.py"), "world.json", *only))
    secret = os.open(world["person"] + "/.ssh/id_ed25519", os.O_RDONLY)
    # What a worker has open itself is not handed on by the way in which processes are started.
    os.set_inheritable(secret, sandbox.name == "none")
    done = subprocess.run(
        launch.argv,
        env=dict(launch.env),
        cwd=launch.cwd,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS_MAX,
        close_fds=sandbox.name != "none",
        check=False,
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
