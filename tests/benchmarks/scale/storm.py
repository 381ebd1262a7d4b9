"""All workers lose the hub at once and come back, with jobs in their hands.

Twice: once all call in the same moment, so that what is measured is the hub's own work; once each
calls again when its back-off says so. Every job must be granted once and end once.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hub.store.database import STORE_NAME
from shared.backoff import RECONNECT
from tests.benchmarks.report import OURS, Part
from tests.benchmarks.scale.idle import LIMIT, STANDS
from tests.benchmarks.scale.sizes import Sizes
from tests.benchmarks.scale.world import PATIENCE_SECONDS, World

CALLERS = 64
GOAL_WORKERS, GOAL_SECONDS = 10_000, 15.0
LOOK_SECONDS = 0.2
ENDINGS = ("job_succeeded", "job_failed", "job_cancelled", "job_interrupted", "job_dead")


@dataclass(frozen=True, slots=True)
class Back:
    """The hub was killed, and all are back."""

    start_seconds: float
    """Until the new hub listens."""
    seconds: float
    """From then, or from the call, until the last worker is online."""
    cpu_seconds: float
    """Of the hub meanwhile."""
    workers_cpu_seconds: float
    """Of the workers' programs meanwhile, on the same cores."""


def measure_storm(part: Part, world: World, sizes: Sizes, floor_seconds: dict[str, float]) -> None:
    """Kill the hub under all workers, twice."""
    world.say_to_workers("hold")
    world.hub.ask(f"ask {sizes.granted} {CALLERS}")
    until_told(world, "job_started", sizes.granted)
    at_once = lose_hub(world, are_called=True)
    late = lose_hub(world, are_called=False, meanwhile="end")
    until_told(world, "job_succeeded", sizes.granted)
    aborted = sum(told["aborted"] for told in world.ask_workers())
    wrong = wrongs(world.folder / "hub") + aborted
    count = sizes.idle[-1]
    is_whole = count == GOAL_WORKERS
    back = part.figure(
        f"{count:,} lose the hub and all call at once: the last is back after", "s", better="less",
        goal=f"at most {GOAL_SECONDS:.0f} s" if is_whole else "",
    )  # fmt: skip
    back.add(OURS, at_once.seconds)
    back.add(LIMIT, floor_seconds[LIMIT], stands=STANDS[LIMIT] + "; opened for the first time")
    share = (
        f"The hub used {at_once.cpu_seconds:.1f} s of CPU for it, the workers' own program"
        f" {at_once.workers_cpu_seconds:.1f} s on the same cores; counted from when the new hub"
        f" listens, {at_once.start_seconds:.1f} s after `kill -9`."
    )
    if is_whole:
        back.judge(at_once.seconds <= GOAL_SECONDS, share)
    back.why = share
    cpu = part.figure("CPU of the hub for a worker that comes back", "ms", better="less")
    cpu.add(OURS, at_once.cpu_seconds / count * 1e3)
    real = part.figure(
        f"{count:,} lose the hub and keep to their back-off: the last is back after", "s",
        better="less",
    )  # fmt: skip
    real.add(OURS, late.seconds)
    real.why = (
        f"Each waits {RECONNECT.min_seconds} s to a ceiling that doubles up to"
        f" {RECONNECT.max_seconds:.0f} s, with full jitter: this is the wait they chose, counted"
        f" from when the hub listens ({late.start_seconds:.1f} s after the kill)."
    )
    lost = part.figure(
        f"{sizes.granted:,} jobs that ran through both: lost, granted again or ended twice", "",
        better="less", goal="none",
    )  # fmt: skip
    lost.add(OURS, wrong)
    lost.judge(wrong == 0, "" if wrong == 0 else "Each of them is a broken promise.")


def lose_hub(world: World, *, are_called: bool, meanwhile: str = "") -> Back:
    """Kill the hub, start it again and wait until all are back.

    Args:
        are_called: nobody calls before the new hub listens; then all do at once.
        meanwhile: an order to the workers while there is no hub.
    """
    if are_called:
        world.say_to_workers("away")
    world.hub.kill()
    world.until_offline()
    if meanwhile:
        world.say_to_workers(meanwhile)
    start_seconds = world.start_hub()
    used = world.usage().cpu_seconds
    theirs = _workers_cpu(world)
    begun, at = time.monotonic(), time.time()
    world.say_to_workers("call")
    world.until_online(after=at)
    return Back(
        start_seconds=start_seconds,
        seconds=time.monotonic() - begun,
        cpu_seconds=world.usage().cpu_seconds - used,
        workers_cpu_seconds=_workers_cpu(world) - theirs,
    )


def _workers_cpu(world: World) -> float:
    return sum(float(told["cpu_seconds"]) for told in world.ask_workers())


def wrongs(folder: Path) -> int:
    """How many jobs were not granted once and ended once, by the hub's log."""
    jobs = _told(folder, "job_queued")
    granted = _told(folder, "job_granted")
    ended = sum((_told(folder, ending) for ending in ENDINGS), Counter[str]())
    well = _told(folder, "job_succeeded")
    return sum((granted[job], ended[job], well[job]) != (1, 1, 1) for job in jobs)


def _told(folder: Path, type_: str) -> Counter[str]:
    """How often the log tells such a thing of each job."""
    connection = sqlite3.connect(f"file:{folder / STORE_NAME}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT entity FROM events WHERE type = ?", (type_,))
        return Counter(entity for (entity,) in rows)
    finally:
        connection.close()


def until_told(world: World, type_: str, jobs: int) -> None:
    """Wait until the hub's log tells such a thing of so many jobs."""
    until = time.monotonic() + PATIENCE_SECONDS
    while len(_told(world.folder / "hub", type_)) < jobs:
        if time.monotonic() > until:
            raise SystemExit(f"the log does not tell {type_} of {jobs} jobs")
        time.sleep(LOOK_SECONDS)
