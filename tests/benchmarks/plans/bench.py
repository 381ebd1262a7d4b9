"""What a plan costs beside its models and steps, and how soon a ready step is granted.

python -m tests.benchmarks.plans.bench [--quick] [--out FILE]
"""

from __future__ import annotations

import asyncio
import logging
import os

import structlog

from tests.benchmarks import program
from tests.benchmarks.machine import scratch
from tests.benchmarks.plans import __main__ as planning
from tests.benchmarks.plans import steps
from tests.benchmarks.report import OURS, Part

RUNS, QUICK_RUNS = 20, 5
STEPS, QUICK_STEPS = 60, 15
SIZES = (4, 24)
"""Steps of a plan."""
PLACES = {"kept": "kept by its worker", "elsewhere": "run by another worker"}


def main() -> None:
    part = Part(
        "plans",
        "Plans without model time",
        about=f"Models answer and steps end at once, so what is left is the plan's own work: "
        f"{planning.FILES} files of a folder looked through, the reply checked, its state kept on "
        "the disk. Ready steps go through a real hub and two real workers with their children.",
    )
    program.run(part, proposals, ready_steps)


def proposals(part: Part, quick: bool) -> None:
    asyncio.run(proposed(part, QUICK_RUNS if quick else RUNS))


async def proposed(part: Part, runs: int) -> None:
    with scratch() as folder:
        await planning.timed(folder / "warm", SIZES[0])
        for one in range(runs):
            for count in SIZES:
                first, whole, cpu = await planning.timed(folder / f"{count}-{one}", count)
                goal = f"at most {planning.GOAL_MS:.0f}"
                planned = part.figure(f"planning, {count} steps", "ms", better="less", goal=goal)
                planned.add(OURS, first)
                part.figure(f"whole plan, {count} steps", "ms", better="less").add(OURS, whole)
                used = part.figure(f"CPU a step, of {count}", "ms", better="less")
                used.add(OURS, cpu / count)
    for count in SIZES:
        part.figure(f"planning, {count} steps", "ms").judge_limit(planning.GOAL_MS, meanwhile(part))


def meanwhile(part: Part) -> str:
    """Say what a missed goal is to be read beside."""
    fsync = part.mood.get("fsync p50 ms", 0.0)
    return f"load {os.getloadavg()[0]:.1f} meanwhile; an fsync took {fsync:.1f} ms at the start"


def ready_steps(part: Part, quick: bool) -> None:
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(granted(part, QUICK_STEPS if quick else STEPS))


async def granted(part: Part, count: int) -> None:
    """Let one step after the other become ready, here and elsewhere."""
    with scratch() as folder:
        async for where, started, ran in steps.both_places(folder, count):
            goal = f"at most {steps.GOAL_MS:.0f}"
            of = f"ready step, {PLACES[where]}"
            at_start = part.figure(f"{of}: until its start is kept", "ms", better="less", goal=goal)
            at_start.add(OURS, *started)
            part.figure(f"{of}: until its first line runs", "ms", better="less").add(OURS, *ran)
            at_start.judge_limit(steps.GOAL_MS, meanwhile(part))


if __name__ == "__main__":
    main()
