"""Runs scripts as a person's shell would, and makes the worlds they run in."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

PATIENCE_SECONDS = 150

PROGRAM = """\
#!/bin/sh
# Stands for the self-contained worker: writes down what it was told, and remembers its hub.
for word in "$@"; do printf '[%s] ' "$word" >>"$HOME/said"; done
echo >>"$HOME/said"
case $1 in
  status)
    [ -e "$HOME/hub" ] || exit 1
    echo "here, paired with hub ($(cat "$HOME/hub"))"
    ;;
  pair)
    [ ! -e "$HOME/refuses" ] || { echo "That code is wrong, used or expired." >&2; exit 1; }
    while [ "$1" != --hub ]; do shift; done
    printf '%s' "$2" >"$HOME/hub"
    ;;
esac
# @MARK@
"""


async def ran(
    command: Sequence[str],
    given: bytes,
    home: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command with a script on its standard input, without a terminal; what it said."""
    told = {"PATH": os.environ["PATH"], "HOME": str(home or "/nonexistent"), **(more or {})}
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=told,
        start_new_session=True,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        said, _ = await process.communicate(given)
    assert process.returncode is not None
    return process.returncode, said.decode()


def packed_worker(mark: str = "") -> bytes:
    """A .tar.gz as `make worker` packs it, with a small script as its program."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, mode, content in (
            ("deskhand/deskhand", 0o755, PROGRAM.replace("@MARK@", mark).encode()),
            ("deskhand/_internal/library.so", 0o644, os.urandom(2000)),
        ):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = mode, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return held.getvalue()
