"""What a box costs at each start, beside a plain start of the same command in the same minute.

    python -m tests.benchmarks.coding.sandbox [STARTS]

Starts take turns, so that whatever else the machine does hits all alike; medians are told. The
goal is below 100 ms more than a plain start.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.core.code.box import Box, Launch
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.jobs.code.sandbox import Sandbox, choose_now
from shared.errors import Unavailable

STARTS = 40
GOAL_MS = 100.0
PLAIN, RELAY = "plain", " + relay"
Way = Callable[[tuple[str, ...]], Launch]
"""What is to run -> how it is started."""
COMMANDS = {
    "true": ("/bin/true",),
    "python": (sys.executable, "-I", "-S", "-c", "pass"),
}


def main(starts: int = STARTS) -> int:
    with all_ways() as ways:
        for command, argv in COMMANDS.items():
            _report(command, measured(ways, argv, starts))
    return 0


@contextlib.contextmanager
def all_ways() -> Iterator[dict[str, Way]]:
    """Yield each way to start by its name, the plain one first, then the better sandbox's."""
    with tempfile.TemporaryDirectory() as told, socket.socket(socket.AF_UNIX) as gateway:
        root = Path(told).resolve()
        for name in ("clone", "home"):
            (root / name).mkdir()
        gateway.bind(str(root / "gateway.sock"))
        gateway.listen()
        yield _ways_in(root)


def _ways_in(root: Path) -> dict[str, Way]:
    env = {"PATH": "/usr/bin:/bin"}
    ways: dict[str, Way] = {PLAIN: lambda argv: Launch(argv=argv, env=env, cwd=root)}
    for choice in (SandboxChoice.BUBBLEWRAP, SandboxChoice.LANDLOCK):
        with contextlib.suppress(Unavailable):
            sandbox = choose_now(CodeRules(sandbox=choice))
            ways[choice] = _boxed(sandbox, root, None)
            ways[f"{choice}{RELAY}"] = _boxed(sandbox, root, root / "gateway.sock")
    return ways


def _boxed(sandbox: Sandbox, root: Path, gateway: Path | None) -> Way:
    def launch(argv: tuple[str, ...]) -> Launch:
        box = Box(workdir=root / "clone", home=root / "home", gateway=gateway, port=sandbox.port())
        return sandbox.launch(box, argv)

    return launch


def measured(ways: dict[str, Way], argv: tuple[str, ...], starts: int) -> dict[str, list[float]]:
    """Return how long each start took, in milliseconds from the wish to the end."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(starts):
        for name, way in ways.items():
            began = time.perf_counter()
            launch = way(argv)
            subprocess.run(launch.argv, env=dict(launch.env), cwd=launch.cwd, check=True)
            taken[name].append((time.perf_counter() - began) * 1000)
    return taken


def _report(command: str, taken: dict[str, list[float]]) -> None:
    """Print medians, and the fastest: on a busy machine it is the one that tells the cost."""
    plain, fastest = statistics.median(taken[PLAIN]), min(taken[PLAIN])
    print(f"| {command}, ms | median | more | times | fastest | more |")
    print("|---|---|---|---|---|---|")
    for name, each in taken.items():
        ms, best = statistics.median(each), min(each)
        missed = " (goal missed)" if ms - plain > GOAL_MS else ""
        print(
            f"| {name} | {ms:.1f} | +{ms - plain:.1f}{missed} | {ms / plain:.1f} "
            f"| {best:.1f} | +{best - fastest:.1f} |"
        )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
