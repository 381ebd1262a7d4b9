"""Runs a rung over a copy of the product, and says whether it found the bug there."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 600.0
RUNGS: dict[str, Callable[[str], list[str]]] = {
    "protocol": lambda games: [
        "-m", "tests.protocol_machine", "--examples", games or "1000", "--seed", "1", "--as-found",
    ],
    "simulation": lambda seeds: [
        "-m", "tests.simulation", "--seeds", seeds or "20", "--seed", "1",
    ],
    "power": lambda images: ["-m", "tests.power", "--images", images or "300"],
    "fuzz": lambda frames: ["-m", "tests.fuzz", "--frames", frames or "5000", "--seed", "1"],
    "unit": lambda tests: ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests.split()],
}  # fmt: skip
"""By name: the program and what it is told; what follows the name in a patch goes with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    rung: str
    is_found: bool
    seconds: float
    said: str
    """The last lines, to see by."""

    @property
    def is_broken(self) -> bool:
        """Whether the rung itself did not run: that is no find."""
        return not self.is_found and "tried" not in self.said and "passed" not in self.said


def run(rung: str, tree: Path) -> Verdict:
    """Run a rung in a folder with the product in it; found means that it failed, in its words."""
    name, _, rest = rung.partition(" ")
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, *RUNGS[name](rest)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    word = " failed" if name == "unit" else "tried"
    return Verdict(
        rung=rung,
        is_found=done.returncode == 1 and word in done.stdout,
        seconds=time.monotonic() - begun,
        said="\n".join(done.stdout.splitlines()[-12:]),
    )
