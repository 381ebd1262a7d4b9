"""Hundreds of workers that are busy."""

from __future__ import annotations

from tests.benchmarks.report import OURS, Growth, Part
from tests.benchmarks.scale.sizes import Sizes
from tests.benchmarks.scale.world import a_world

CALLERS = 64


def measure_busy(part: Part, sizes: Sizes) -> None:
    """Have jobs done by workers of many people, three sizes, a few jobs first to warm up."""
    people = sizes.busy_workers // sizes.busy_each
    costs: list[float] = []
    name = f"{sizes.busy_workers} busy workers"
    rate = part.figure(f"{name}: durable jobs", "1/s")
    cpu = part.figure(f"{name}: CPU of the hub for a job", "µs", better="less")
    events = part.figure(f"{name}: events", "1/s")
    with a_world(people, sizes.busy_each) as world:
        world.start_workers()
        world.hub.ask(f"jobs {sizes.busy_jobs[0]} {CALLERS}")
        rounds = [(jobs, world.hub.ask(f"jobs {jobs} {CALLERS}")) for jobs in sizes.busy_jobs]
        for jobs, done in rounds:
            rate.add(OURS, jobs / done["seconds"])
            cpu.add(OURS, done["cpu_seconds"] / jobs * 1e6)
            events.add(OURS, done["events"] / done["seconds"])
            costs.append(done["cpu_seconds"])
    jobs, done = rounds[-1]
    cpu.why = (
        f"All threads; {sizes.busy_each} workers a person, and each of them is told everything"
        f" that happens to its person: {done['events'] / jobs:.0f} events a job,"
        f" {done['loop_cpu_seconds'] / done['cpu_seconds']:.0%} of it on the event loop."
    )
    rate.why = f"{CALLERS} callers, {people} people; the workers share the cores with the hub."
    part.growths.append(Growth("CPU of jobs", list(sizes.busy_jobs), costs, "s"))
