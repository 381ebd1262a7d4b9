"""How soon a step begins that a plan wants: kept by its worker, or run by another one.

    python -m tests.benchmarks.plans.steps [--steps 100]

A real hub, two real workers and their children in one machine, one step after the other. "Started"
is when the start stands in the log of the step's worker, "ran" the first line of its executor, a
coroutine; both from the plan's call. For a step elsewhere the hub's two commits and the offer are
in it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from desktop.core.policy import Policy
from shared.ids import JobId
from shared.jobs import JobState, Origin
from tests.flows.play import KINDS
from tests.flows.play_steps import TurnsOutput
from tests.flows.ring import Ring, a_ring

GOAL_MS = 200.0
KIND = "play.step_clock"


def allowing(folder: Path, *left_out: str) -> Policy:
    kinds = tuple(kind for kind in KINDS if kind not in left_out)
    return Policy(kinds=dict.fromkeys(Origin, kinds), folders=(str(folder),), slots=4)


async def waits_ms(ring: Ring, worker: str, steps: int) -> tuple[list[float], list[float]]:
    """Return how long each of some steps took to be started, and to run."""
    maker = await ring.ask_for("turns", worker=worker, of=KIND, number=steps)
    card = await ring.until(maker, JobState.SUCCEEDED, JobState.FAILED)
    assert card.result is not None, card.error
    told = TurnsOutput.model_validate(card.result)
    started = []
    for job_id, wanted in zip(told.jobs, told.wanted, strict=True):
        facts = await ring.history(JobId(job_id))
        [at] = [fact.at for fact in facts if fact.type == "job_started"]
        started.append(at.timestamp() - wanted)
    ran = [begun - wanted for begun, wanted in zip(told.begun, told.wanted, strict=True)]
    return [wait * 1000 for wait in started], [wait * 1000 for wait in ran]


def row(name: str, what: str, waits: list[float]) -> str:
    told = sorted(waits)
    p95 = told[int(len(told) * 0.95)]
    median = statistics.median(told)
    return (
        f"{name:10} {what:8} median {median:6.1f} ms  p95 {p95:6.1f} ms  max {told[-1]:6.1f} ms"
        f"  (goal {GOAL_MS:.0f} ms)"
    )


async def both_places(
    folder: Path, steps: int
) -> AsyncIterator[tuple[str, list[float], list[float]]]:
    """Yield where, and how long each step took to be started and to run, in milliseconds."""
    async with a_ring(folder) as ring:
        await ring.join("anna-pc", policy=allowing(folder))
        await ring.join("lab", policy=allowing(folder, KIND))
        for where, worker in (("kept", "anna-pc"), ("elsewhere", "lab")):
            await waits_ms(ring, worker, 2)  # children have started
            started, ran = await waits_ms(ring, worker, steps)
            yield where, started, ran


async def measure(steps: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        async for where, started, ran in both_places(Path(name), steps):
            print(row(where, "started", started))
            print(row(where, "ran", ran))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    asyncio.run(measure(asked.steps))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
