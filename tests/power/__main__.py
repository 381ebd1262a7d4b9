"""python -m tests.power --images N --seed S: cut the power N times; one line; 1 when it harmed."""

from __future__ import annotations

import argparse
import random
import sys

from tests.power.campaign import SUBJECTS, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.power", description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", choices=[s.name for s in SUBJECTS], default="")
    parser.add_argument("--cut", type=int, default=0, help="only after this step")
    parser.add_argument(
        "--synchronous", default="FULL", help="NORMAL or OFF must lose something, and does"
    )
    options = parser.parse_args()
    try:
        tally = run(
            options.images,
            options.seed,
            synchronous=options.synchronous,
            only=options.only,
            cut=options.cut,
        )
    except RuntimeError as error:
        sys.exit(f"power cuts  not tried: {error}")
    print(tally)
    for shown in tally.shown:
        print(f"  {shown}", file=sys.stderr)
    if not tally.is_clean:
        again = f"python -m tests.power --images {options.images} --seed {options.seed}"
        print(f"  replay: {again}", file=sys.stderr)
    return 0 if tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
