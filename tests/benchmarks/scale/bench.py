"""What one hub holds: idle workers, busy ones, storms, followers, a large store; issue by issue.

    python -m tests.benchmarks.scale.bench --out FILE [--quick] [--only NAME...] [--store-jobs N]

Hub, workers, followers and bare servers are programs of their own on one machine; the bare ones
carry the same frames at the same time and are the limit. It asserts nothing about time.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks import machine
from tests.benchmarks.report import Part, table
from tests.benchmarks.scale.busy import measure_busy
from tests.benchmarks.scale.following import measure_followers, measure_progress
from tests.benchmarks.scale.idle import measure_idle
from tests.benchmarks.scale.pages import measure_pages
from tests.benchmarks.scale.sizes import QUICK, Sizes, allow_files
from tests.benchmarks.scale.storm import measure_storm
from tests.benchmarks.scale.world import a_world

ABOUT = """\
The hub is a program of its own on its real store (WAL, `synchronous=FULL`) with authentication and
the real protocol; its workers are light ones in one other program, followers in a third, all on the
same cores. CPU is the hub's, all threads. *limit* is a bare server that carries the same frames
without a store, a protocol or a person; nothing that keeps a promise can cost less."""


def measure_workers(part: Part, sizes: Sizes) -> None:
    """Idle workers, and then the storm of all of them: one hub."""
    most = allow_files(sizes.idle[-1])
    if most < sizes.idle[-1]:
        part.notes.append(
            f"This machine allows {most:,} workers' sockets a program (`ulimit -n`): so many were"
            f" connected, not {sizes.idle[-1]:,}."
        )
        sizes = replace(sizes, idle=(*(n for n in sizes.idle if n < most), most))
    people = -(-most // sizes.each)
    with a_world(people, sizes.each, beat_seconds=sizes.beat_seconds) as world:
        floor_seconds = measure_idle(part, world, sizes)
        measure_storm(part, world, sizes, floor_seconds)


STEPS: dict[str, Callable[[Part, Sizes], None]] = {
    "workers": measure_workers,
    "busy": measure_busy,
    "followers": measure_followers,
    "progress": measure_progress,
    "pages": measure_pages,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=machine.WORK / "scale-part.json")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--store-jobs", type=int, help="in the store whose pages are measured")
    asked = parser.parse_args()
    sizes = QUICK if asked.quick else Sizes()
    if asked.store_jobs:
        sizes = replace(sizes, store_jobs=asked.store_jobs, may_take_larger=False)
    part = Part(
        "scale",
        "Hub scale",
        ABOUT,
        mood=machine.mood(),
        versions={name: version(name) for name in ("uvicorn", "uvloop", "websockets")},
    )
    for name in asked.only:
        STEPS[name](part, sizes)
        # What was found is kept, should the rest be cut short.
        part.save(asked.out)
    part.notes.append(f"Load average at the end: {os.getloadavg()[0]:.1f}.")
    part.save(asked.out)
    print(table(part))


if __name__ == "__main__":
    main()
