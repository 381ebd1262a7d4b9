"""T3: real processes, lines, clocks and stores fail at random, as many times as asked for.

python -m tests.chaos.processes --faults 1000 --seed 7

The worlds are small and many: a fresh hub and two or three machines each, and 30 faults in it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.chaos.rung import Rung
from tests.chaos.storm import Storm
from tests.chaos.storm_world import World

WORLD_FAULTS = 30
NAME = "processes"
MACHINES = ("anna-pc", "studio-mac", "shed-pi")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.processes", description=__doc__)
    parser.add_argument("--faults", type=int, default=60, help="how many altogether")
    parser.add_argument("--seed", type=int, default=None, help="of the first world")
    parser.add_argument("--jobs", type=int, default=2, help="worlds at the same time")
    options = parser.parse_args()
    first = random.randrange(10**6) if options.seed is None else options.seed
    count = -(-options.faults // WORLD_FAULTS)
    print(f"replay: python -m tests.chaos.processes --faults {options.faults} --seed {first}")
    total = Rung(name=NAME)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for rung in pool.map(one_world, range(first, first + count)):
            total += rung
    print(total.line())
    return 0 if total.is_clean else 1


def one_world(seed: int) -> Rung:
    """Live through one world; what is wrong in it is printed with the command that replays it."""
    folder = Path(tempfile.mkdtemp(prefix=f"deskhand-chaos-{seed}-"))
    storm = None
    try:
        with World(folder, seed) as world:
            world.start_hub()
            for name in MACHINES[: 2 + seed % 2]:
                world.add_machine(name)
            storm = Storm(world)
            found = storm.run(WORLD_FAULTS)
    except Exception:
        traceback.print_exc()
        faults = storm.faults.total() if storm else 0
        rung = Rung(name=NAME, tried=1, faults=faults, stuck=1)
    else:
        print("\n".join(found.faults), end="\n" if found.faults else "")
        rung = Rung(
            name=NAME,
            tried=found.tried,
            faults=storm.faults.total(),
            lost=len(found.lost),
            doubled=len(found.doubled),
            stuck=len(found.stuck),
        )
    if rung.is_clean:
        shutil.rmtree(folder)
    else:
        print(f"replay: python -m tests.chaos.processes --faults {WORLD_FAULTS} --seed {seed}")
        print(f"its stores and logs: {folder}", flush=True)
    return rung


if __name__ == "__main__":
    sys.exit(main())
