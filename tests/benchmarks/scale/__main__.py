"""Where one hub ends on this machine: workers, jobs, events, bytes; `make bench-scale`.

    python -m tests.benchmarks.scale [--steps 100 300 1000 3000] [--stores 100000 1000000]
                                     [--rest-seconds 30] [--jobs 2000] [--out .benchmarks/scale]
                                     [--page docs/scale.md]

The hub is a process of its own (`scale.hub`), its workers another (`scale.workers`): real
WebSockets, the real protocol, the real store. It writes OUT.json and OUT.md, the tables of
docs/scale.md. CPU is of the hub's process, all threads; wall times stand beside the load average,
for they are the machine's as much as the hub's. It asserts nothing about time.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import fsync_ms
from tests.benchmarks.scale.stores import measure_store
from tests.benchmarks.scale.tables import fill, written
from tests.benchmarks.scale.world import a_world

EACH = 10
"""Workers of one person, as long as nothing else is measured."""
CALLERS = 64
FAN_OUTS = (1, 10, 100)
"""Workers of one person, for what it costs that each of them is told everything."""
FAN_OUT_WORKERS = 300
QUIET_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Step:
    """What was found with so many workers."""

    workers: int
    people: int
    load: float
    connect_seconds: float
    connect_cpu_ms: float
    """A worker."""
    rss_mib: float
    kib_per_worker: float
    rest_cpu_share: float
    """Of one core, with beats and nothing else."""
    jobs_per_second: float
    cpu_us_per_job: float
    loop_us_per_job: float
    """Of it, on the thread of the event loop; the rest is the store's."""
    events_per_second: float
    events_per_job: float
    ack_p50_ms: float
    bytes_per_job: float
    bytes_per_event: float
    back_seconds: float
    """From the kill of the hub until all are online again, its start included."""
    back_start_seconds: float
    """Until it listens."""
    back_cpu_seconds: float
    """Of the new hub, its start included."""


def measure_step(
    workers: int, each: int, jobs: int, rest_seconds: float, profile: Path | None = None
) -> Step:
    """Measure with so many workers, `each` of them one person's.

    `profile`: the jobs once more, under cProfile, whose figures go there.
    """
    people = max(1, workers // each)
    with a_world(people, each) as world:
        time.sleep(QUIET_SECONDS)
        empty = world.usage()
        connect_seconds = world.start_workers()
        full = world.usage()
        time.sleep(QUIET_SECONDS)
        rested = world.usage(), time.monotonic()
        time.sleep(rest_seconds)
        beaten, took = world.usage(), time.monotonic() - rested[1]
        world.hub.ask(f"jobs {jobs // 10} {CALLERS}")  # sessions and pages of the store are there
        done = world.hub.ask(f"jobs {jobs} {CALLERS}")
        if profile is not None:
            world.hub.ask(f"profile {jobs} {CALLERS} {profile.resolve()}")
        begun, killed_at = time.monotonic(), time.time()
        world.hub.kill()
        back_start = world.start_hub()
        world.until_online(after=killed_at)
        back_seconds = time.monotonic() - begun
        back = world.usage()
        return Step(
            workers=len(world.tokens),
            people=people,
            load=os.getloadavg()[0],
            connect_seconds=connect_seconds,
            connect_cpu_ms=(full.cpu_seconds - empty.cpu_seconds) / len(world.tokens) * 1e3,
            rss_mib=beaten.rss_mib,
            kib_per_worker=(beaten.rss_mib - empty.rss_mib) * 1024 / len(world.tokens),
            rest_cpu_share=(beaten.cpu_seconds - rested[0].cpu_seconds) / took,
            jobs_per_second=jobs / done["seconds"],
            cpu_us_per_job=done["cpu_seconds"] / jobs * 1e6,
            loop_us_per_job=done["loop_cpu_seconds"] / jobs * 1e6,
            events_per_second=done["events"] / done["seconds"],
            events_per_job=done["events"] / jobs,
            ack_p50_ms=done["ack_p50_ms"],
            bytes_per_job=done["store_bytes"] / jobs,
            bytes_per_event=done["store_bytes"] / done["events"],
            back_seconds=back_seconds,
            back_start_seconds=back_start,
            back_cpu_seconds=back.cpu_seconds,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--steps", type=int, nargs="*", default=[100, 300, 1000, 3000])
    parser.add_argument("--stores", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--fan-outs", type=int, nargs="*", default=FAN_OUTS)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--profile", action="store_true", help="of each step, beside OUT")
    parser.add_argument("--rest-seconds", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=Path(".benchmarks/scale"))
    parser.add_argument("--page", type=Path, help="a page whose tables are to be these")
    asked = parser.parse_args()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    Path(".benchmarks").mkdir(exist_ok=True)
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "fsync_p50_ms": fsync_ms(asked.out.parent),
        "steps": [],
        "fan_out": [],
        "stores": [],
    }
    for workers in asked.steps:
        profile = asked.out.with_name(f"{workers}.prof") if asked.profile else None
        step = measure_step(workers, EACH, asked.jobs, asked.rest_seconds, profile)
        found["steps"].append(asdict(step))
        _keep(asked.out, found)
    for each in asked.fan_outs:
        step = measure_step(FAN_OUT_WORKERS, each, asked.jobs, 0.0)
        found["fan_out"].append({"each": each, **asdict(step)})
        _keep(asked.out, found)
    for jobs in asked.stores:
        for waiting in (3_000, min(jobs, 100_000)):
            found["stores"].append(asdict(measure_store(jobs, waiting)))
            _keep(asked.out, found)
    if asked.page is not None:
        fill(asked.page, "scale", written(found))
    print(written(found))


def _keep(out: Path, found: dict[str, Any]) -> None:
    """Write down what was found so far: what takes long may be cut short."""
    out.with_suffix(".json").write_text(json.dumps(found, indent=1))
    out.with_suffix(".md").write_text(written(found))


if __name__ == "__main__":
    main()
