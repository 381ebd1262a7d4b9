"""What one hub holds: idle workers, busy ones, storms, followers, a large store; issue by issue.

    python -m tests.benchmarks.scale.bench --out FILE [--quick] [--only NAME...] [--store-jobs N]

Hub, workers, followers and bare servers are programs of their own on one machine; the bare ones
carry the same frames at the same time and are the limit. It asserts nothing about time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version

from tests.benchmarks import program
from tests.benchmarks.report import Part
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
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--store-jobs", type=int, help="in the store whose pages are measured")
    asked, rest = parser.parse_known_args()
    versions = {name: version(name) for name in ("uvicorn", "uvloop", "websockets")}
    part = Part("scale", "Hub scale", ABOUT, versions=versions)
    program.run(part, *(_step(name, asked.store_jobs) for name in asked.only), words=rest)


def _step(name: str, store_jobs: int | None) -> program.Step:
    def step(part: Part, is_quick: bool) -> None:
        sizes = QUICK if is_quick else Sizes()
        if store_jobs:
            sizes = replace(sizes, store_jobs=store_jobs, may_take_larger=False)
        STEPS[name](part, sizes)

    step.__name__ = name
    return step


if __name__ == "__main__":
    main()
