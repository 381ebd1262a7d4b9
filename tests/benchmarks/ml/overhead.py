"""What our child process and its progress cost, beside the same fit in a bare script.

Both build the same trees of the same rows, a few at a time, in a fresh process with one thread.
Ours tells progress after each few, line by line to a worker that watches its memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from desktop.core.outcome import Ending
from desktop.jobs.context import Context
from desktop.runner.child import Child, ChildLimits
from desktop.runner.lines import FromChild, Order
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from shared.kinds import Inputs, Kind, Output
from tests.benchmarks.ml.fitting import fitted

SCRIPT = Path(__file__).with_name("fitting.py")
MEMORY_BYTES_MAX = 2 * 2**30
SECONDS_MAX = 300.0


class FitInputs(Inputs):
    trees: int


class FitOutput(Output):
    peak_bytes: float
    score: float


KIND = Kind(
    name="bench.fit",
    summary="benchmark: a fit",
    inputs=FitInputs,
    output=FitOutput,
    idempotent=True,
    timeout_seconds=SECONDS_MAX,
)
KINDS = {KIND.name: KIND}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run, from the start of its process to its end."""

    seconds: float
    cpu_seconds: float
    """Of ours with what the watching worker used meanwhile."""
    peak_mb: float
    score: float
    lines: int = 0
    """What was told meanwhile."""


def fit(context: Context, inputs: FitInputs) -> FitOutput:
    """The same, as an executor."""
    told = fitted(inputs.trees, lambda done: context.progress("fit", done, inputs.trees))
    return FitOutput(headline="The trees are there.", **told)


def bare(trees: int) -> Cost:
    """Run the script as a person would, with the one thread that a job of this size has, too."""
    command = [sys.executable, "-P", str(SCRIPT), str(trees)]
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_NUM_THREADS": "1"}
    begun, cpu = time.perf_counter(), used()
    ended = subprocess.run(
        command,
        env={**os.environ, **threads},
        stdout=subprocess.PIPE,
        timeout=SECONDS_MAX,
        check=True,
    )
    seconds, cpu = time.perf_counter() - begun, used() - cpu
    told = json.loads(ended.stdout)
    return Cost(seconds, cpu, told["peak_bytes"] / 1e6, told["score"])


async def as_job(trees: int, folder: Path) -> Cost:
    """Run it as a worker does: a child with limits, watched, its lines read."""
    lines: list[FromChild] = []
    order = Order(
        spec=JobSpec(
            job_id=JobId("job"),
            task_id=TaskId("task"),
            kind=KIND.name,
            title="fit",
            inputs={"trees": trees},
        ),
        executor=f"{__name__}:fit",
        kinds_at=f"{__name__}:KINDS",
        workdir=str(folder),
        workspace=str(folder),
        models_folder=str(folder),
        folders=(str(folder),),
        memory_bytes_max=MEMORY_BYTES_MAX,
        threads_max=1,
    )
    limits = ChildLimits(memory_bytes_max=MEMORY_BYTES_MAX, running_seconds_max=SECONDS_MAX)
    begun, cpu = time.perf_counter(), used()
    outcome = await Child(order, limits, Environment(), lines.append).run()
    seconds, cpu = time.perf_counter() - begun, used() - cpu
    assert outcome.ending is Ending.RESULT, outcome.failure()
    told = FitOutput.model_validate(outcome.output)
    return Cost(seconds, cpu, told.peak_bytes / 1e6, told.score, len(lines))


def used() -> float:
    """CPU seconds of this process and of all its children that have ended."""
    of = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in of)


def both(trees: int, folder: Path) -> tuple[Cost, Cost]:
    """Run ours and the script, one after the other."""
    return asyncio.run(as_job(trees, folder)), bare(trees)
