"""Try worlds by their seeds, and tell what came of them in one line."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter

HASH_SEED = "0"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds")
    parser.add_argument("--seed", type=int, default=1, help="the first one's")
    parser.add_argument("--trace", action="store_true", help="tell all that happens")
    parser.add_argument("--digest", action="store_true", help="tell what each world came to")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        # The order of a set of texts must be the same in every run.
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    return _try(options)


def _try(options: argparse.Namespace) -> int:
    # Where pandas is installed, the library for schemas would draw it in, for seconds.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    from tests.simulation.world import try_world

    faults, seconds, bad = 0, 0.0, Counter[str]()
    for seed in range(options.seed, options.seed + options.seeds):
        began = time.monotonic()
        report = try_world(seed, print if options.trace else None)
        faults += report.faults
        seconds += report.seconds
        if options.digest:
            print(
                f"world {seed}  {report.digest[:16]}  jobs {report.jobs}  effects {report.effects}"
                f"  faults {report.faults}  sim-s {report.seconds:.0f}"
                f"  s {time.monotonic() - began:.2f}"
            )
        for sort in {breach.sort for breach in report.breaches}:
            bad[sort] += 1
        if report.breaches:
            print(f"world {seed}: replay with  python -m tests.simulation --seed {seed} --trace")
            for breach in report.breaches:
                print(f"  {breach}")
    print(
        f"simulation  tried {options.seeds} worlds  faults {faults}"
        f"  sim-hours {seconds / 3600:.1f}"
        f"  lost {bad['lost']}  doubled {bad['doubled']}  stuck {bad['stuck']}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
