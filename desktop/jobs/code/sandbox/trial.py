"""Tries a sandbox by running something in it: what it must let happen happens, a secret is held."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from desktop.core.code.box import Box
from desktop.jobs.code.sandbox.sandbox import Sandbox
from shared.plain_text import plain_line

TRIAL_SECONDS = 10.0
SAID_CHARS_MAX = 300
UNTOUCHED = "nobody else's\n"
HELD = "held"
SCRIPT = f"""
(read -r line <"$1") 2>/dev/null && echo "a file outside could be read" >&2 && exit 3
(echo x >"$1") 2>/dev/null
echo x >made && echo x >"$HOME/made" && echo {HELD}
"""
"""For `sh -c`; "$1" is a file that is the person's and none of the box's."""


def try_out(sandbox: Sandbox) -> str:
    """Return what went wrong, in the words of whoever said it; empty when the sandbox holds.

    Blocks, for 20 ms where all is well and never longer than TRIAL_SECONDS.
    """
    with tempfile.TemporaryDirectory(prefix="deskhand-trial-") as folder:
        root = Path(folder).resolve()
        box = Box(workdir=root / "clone", home=root / "home")
        secret = root / "secret"
        secret.write_text(UNTOUCHED, encoding="utf-8")
        for path in (box.workdir, box.home):
            path.mkdir()
        try:
            said = _run(sandbox, box, secret)
        except (OSError, subprocess.TimeoutExpired) as error:
            return plain_line(str(error))[:SAID_CHARS_MAX]
        if secret.read_text(encoding="utf-8") != UNTOUCHED:
            return "a file outside could be written"
        if said.stdout.strip() == HELD and (box.workdir / "made").exists():
            return ""
        words = " ".join((said.stderr or f"exit status {said.returncode}").split())
        return plain_line(words)[:SAID_CHARS_MAX]


def _run(sandbox: Sandbox, box: Box, secret: Path) -> subprocess.CompletedProcess[str]:
    launch = sandbox.launch(box, ("/bin/sh", "-c", SCRIPT, "sh", str(secret)))
    return subprocess.run(
        launch.argv,
        env=dict(launch.env),
        cwd=launch.cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TRIAL_SECONDS,
        text=True,
        errors="replace",
        check=False,
    )
