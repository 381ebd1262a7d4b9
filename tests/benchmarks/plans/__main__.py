"""What a plan costs beside its models and its steps: planning, carrying out, answering.

    python -m tests.benchmarks.plans [runs]

Models answer and steps end at once, so what is left is the work of the plan itself, its state on
the disk included: until it is proposed (files of a full folder looked through, the reply read and
checked), and for the whole task. CPU is what is left of it on a machine that does other things.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from shared.plan import STEPS_MAX, PlanStage, ShownPlan
from tests.desktop.jobs.plan.room import a_plan, a_step, a_world, planner

RUNS = 30
WIDTH = 4
FILES = 100
GOAL_MS = 20.0


class Noting(list[tuple[PlanStage, ShownPlan]]):
    """What was shown of a plan, and when first."""

    first_at = 0.0

    def append(self, one: tuple[PlanStage, ShownPlan]) -> None:
        self.first_at = self.first_at or time.perf_counter()
        super().append(one)


def steps_of(count: int) -> list[dict[str, object]]:
    """Make steps in rows of four; each row needs the one before, and the last needs all of it."""
    made: list[dict[str, object]] = []
    for number in range(count - 1):
        row = number // WIDTH
        before = [f"s{one}" for one in range((row - 1) * WIDTH, row * WIDTH)] if row else []
        made.append(a_step(f"s{number}", *before))
    rest = range((count - 2) // WIDTH * WIDTH, count - 1)
    return [*made, a_step("end", *(f"s{one}" for one in rest))]


async def timed(folder: Path, count: int) -> tuple[float, float, float]:
    """Run one plan; return milliseconds until it is proposed, until its answer, and of CPU."""
    world = a_world(folder, planner(a_plan(*steps_of(count))))
    for number in range(FILES):
        (world.files / f"report {number}.md").touch()
    world.shown = told = Noting()
    began, used = time.perf_counter(), time.process_time()
    await world.run(jobs_max=STEPS_MAX)
    ended, used = time.perf_counter(), time.process_time() - used
    return (told.first_at - began) * 1000, (ended - began) * 1000, used * 1000


async def measure(runs: int) -> None:
    print(
        f"{FILES} files in the folder, {runs} runs each; goal: proposed within {GOAL_MS:.0f} ms\n"
    )
    print("steps    proposed (max)       whole (max)      CPU, of it a step")
    with tempfile.TemporaryDirectory() as name:
        await timed(Path(name) / "warm", 4)
        for count in (2, 4, 8, 24):
            times = [await timed(Path(name) / f"{count}-{one}", count) for one in range(runs)]
            first, whole, cpu = zip(*times, strict=True)
            middle = statistics.median(cpu)
            print(
                f"{count:>5} {statistics.median(first):>8.1f} ({max(first):.1f})"
                f" {statistics.median(whole):>12.1f} ({max(whole):.1f})"
                f" {middle:>10.1f} {middle / count:>9.2f} ms"
            )


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
