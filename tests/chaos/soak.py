"""T5: a long day of three machines and one person, with faults now and then; then drift and growth.

python -m tests.chaos.soak --minutes 480 --seed 7

At the end every machine's copy must be what its events make anew, and what the hub says. The
client of two versions ago cannot be in the mix yet: there has been one version of the protocol.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.chaos.nursery import Program
from tests.chaos.rung import Rung
from tests.chaos.storm import Storm
from tests.chaos.storm_world import World

MACHINES = ("anna-pc", "studio-mac", "shed-pi")
FAULT_EVERY_SECONDS = 6.0
BACKLOG_MAX = 12
"""Jobs that wait before the person asks for no more: they read what they asked for."""
MIB = 1024 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    print(f"replay: python -m tests.chaos.soak --minutes {options.minutes} --seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix=f"deskhand-soak-{seed}-"))
    with World(folder, seed) as world:
        world.start_hub()
        for name in MACHINES:
            world.add_machine(name)
        storm = Storm(world)
        # What is taken back is lost, which is no drift: that fault is the other rung's.
        storm.leave_out("worker_restored")
        before = sizes(world)
        live(storm, world, options.minutes * 60)
        found = storm.end()
        print("\n".join(found.faults), end="\n" if found.faults else "")
        for line in growth(before, sizes(world)):
            print(line)
    rung = Rung(
        name="soak",
        tried=found.tried,
        faults=storm.faults.total(),
        lost=len(found.lost),
        doubled=len(found.doubled),
        stuck=len(found.stuck),
    )
    if rung.is_clean:
        shutil.rmtree(folder)
    else:
        print(f"its stores and logs: {folder}")
    print(rung.line())
    return 0 if rung.is_clean else 1


def live(storm: Storm, world: World, seconds: float) -> None:
    """Ask and answer as fast as work gets done, and let a fault happen now and then."""
    ends = time.monotonic() + seconds
    fault_at = time.monotonic() + FAULT_EVERY_SECONDS
    while (now := time.monotonic()) < ends:
        if now >= fault_at:
            fault_at = now + FAULT_EVERY_SECONDS * (0.5 + world.random.random())
            storm.step()
        elif storm.open_count() < BACKLOG_MAX:
            storm.work()
        else:
            storm.tend()


def sizes(world: World) -> dict[str, tuple[int, int]]:
    """Each program's process number and memory that is in no file, in bytes."""
    programs: dict[str, Program | None] = {"hub": world.hub}
    programs |= {name: machine.program for name, machine in world.machines.items()}
    return {
        name: (program.pid, psutil.Process(program.pid).memory_full_info().uss)
        for name, program in programs.items()
        if program is not None and program.is_alive
    }


def growth(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    """Say how much memory each program took first and last; one that was killed began anew."""
    return [
        f"{name}: {before[name][1] / MIB:.1f} MiB, then {now / MIB:.1f} MiB"
        + ("" if before[name][0] == pid else " (another process)")
        for name, (pid, now) in after.items()
        if name in before
    ]


if __name__ == "__main__":
    sys.exit(main())
