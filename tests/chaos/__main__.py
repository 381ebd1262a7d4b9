"""python -m tests.chaos: climb the ladder, or one rung of it; 1 when anything was found.

The sizes are those of `make chaos SEEDS=… KILLS=… IMAGES=… FRAMES=… MINUTES=…`.
"""

from __future__ import annotations

import argparse
import sys

from tests.chaos.ladder import Step, climb


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("only", nargs="*", help="rungs; every one when none is named")
    parser.add_argument("--examples", type=int, default=1000, help="games of the protocol")
    parser.add_argument("--seeds", type=int, default=300, help="simulated worlds")
    parser.add_argument("--images", type=int, default=2000, help="power cuts")
    parser.add_argument("--kills", type=int, default=60, help="faults of real processes")
    parser.add_argument("--jobs", type=int, default=40, help="asked for while disks fail")
    parser.add_argument("--frames", type=int, default=20_000, help="fuzzed frames")
    parser.add_argument("--minutes", type=float, default=2, help="of the soak")
    parser.add_argument("--asked", type=int, default=50, help="kills of coding jobs that ask")
    parser.add_argument("--seed", type=int, default=None, help="of every rung; random")
    asked = parser.parse_args(arguments)
    steps = [step for step in ladder(asked) if not asked.only or step.name in asked.only]
    if not steps:
        parser.error(f"the rungs are {', '.join(step.name for step in ladder(asked))}")
    is_clean = True
    for outcome in climb(steps, asked.seed):
        print(outcome.line(), flush=True)
        if not outcome.is_passed:
            is_clean = False
            print(outcome.said, file=sys.stderr, flush=True)
    return 0 if is_clean else 1


def ladder(sizes: argparse.Namespace) -> list[Step]:
    """Every rung, in its order."""
    return [
        Step(
            name="protocol", module="tests.protocol_machine", size="--examples",
            count=sizes.examples,
        ),
        Step(name="simulation", module="tests.simulation", size="--seeds", count=sizes.seeds),
        Step(name="power", module="tests.power", size="--images", count=sizes.images),
        Step(
            name="processes", module="tests.chaos.processes", size="--faults", count=sizes.kills
        ),
        Step(name="coding", module="tests.chaos.coding", size="--kills", count=sizes.asked),
        Step(name="fleet", module="tests.chaos.fleet", size="--kills", count=sizes.kills),
        Step(name="disks", module="tests.chaos.failing_disks", size="--jobs", count=sizes.jobs),
        Step(name="fuzz", module="tests.fuzz", size="--frames", count=sizes.frames),
        Step(name="soak", module="tests.chaos.soak", size="--minutes", count=sizes.minutes),
        Step(name="mutants", module="tests.mutants", takes_seed=False),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
