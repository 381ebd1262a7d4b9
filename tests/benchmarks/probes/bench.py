"""Calls of models in a probe run beside inspect_ai and a plain client: rate, CPU, memory.

    python -m tests.benchmarks.probes.bench [--quick] [--out FILE]

The same conversations as `python -m tests.benchmarks.probes`, fewer of them. inspect_ai stands in
the developers' lock (its logs are read by tests of the export), so it needs no other environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.metadata import version

from tests.benchmarks import program
from tests.benchmarks.probes.__main__ import (
    GOAL_BYTES,
    GOAL_CALLS_A_SECOND,
    GOAL_CPU_MS,
    Measured,
    measure,
    server,
)
from tests.benchmarks.report import OURS, Part

LATENCY_MS = 50.0
NAMES = {"plain": "plain httpx2", "ours": OURS, "inspect": "inspect_ai"}
STANDS = {
    "plain": "the floor: no retries, a line of JSON at the end",
    "ours": "each turn committed before the next is asked",
    "inspect": "its log as it comes",
}


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked at a time."""

    at_a_time: int
    probes: int
    quick_probes: int


LOADS = (Load(20, 300, 80), Load(200, 300, 220))
ROUNDS = 2


def main() -> None:
    part = Part(
        "probes",
        "Calls of language models in a probe run",
        about=f"Conversations of 3 turns against a server that answers after {LATENCY_MS:.0f} ms; "
        "each program in a process of its own, in turn. CPU is of all its threads and children, a "
        "call, without imports; memory is the peak of the whole process.",
        versions={name: version(name) for name in ("inspect_ai", "httpx2")},
    )
    program.run(part, calls)


def calls(part: Part, quick: bool) -> None:
    with server(LATENCY_MS) as base_url:
        for load in LOADS:
            for _ in range(1 if quick else ROUNDS):
                for subject in NAMES:
                    probes = load.quick_probes if quick else load.probes
                    found = measure(subject, base_url, probes, load.at_a_time)
                    add(part, load.at_a_time, subject, found)
    judge(part)


def add(part: Part, at_a_time: int, subject: str, found: Measured) -> None:
    """Add what one run of one subject found."""
    few = at_a_time == LOADS[0].at_a_time
    name, stands = NAMES[subject], STANDS[subject]
    part.figure(
        f"calls a second, {at_a_time} at a time",
        "1/s",
        goal=f"at least {GOAL_CALLS_A_SECOND:.0f} on idle cores" if few else "",
    ).add(name, found.calls_a_second, stands=stands if few else "")
    part.figure(
        f"CPU a call, {at_a_time} at a time",
        "ms",
        better="less",
        goal=f"at most {GOAL_CPU_MS:.0f}" if few else "",
    ).add(name, found.cpu_ms)
    part.figure(
        f"peak memory, {at_a_time} at a time",
        "MB",
        better="less",
        goal="" if few else f"at most {GOAL_BYTES / 1e6:.0f}",
    ).add(name, found.peak_bytes / 1e6)


def judge(part: Part) -> None:
    """Judge by the goals of probe runs; a goal stands at one of the two loads."""
    few, many = (load.at_a_time for load in LOADS)
    rate = part.figure(f"calls a second, {few} at a time", "1/s")
    floor = rate.median(NAMES["plain"])
    least = few / (LATENCY_MS / 1000)
    rate.judge_limit(
        GOAL_CALLS_A_SECOND,
        f"the machine was at load {os.getloadavg()[0]:.1f}; the plain client reached {floor:.0f} "
        f"of the {least:.0f} that the server's wait allows",
    )
    part.figure(f"CPU a call, {few} at a time", "ms").judge_limit(
        GOAL_CPU_MS, "requests, checks and a commit a turn take more than that"
    )
    part.figure(f"peak memory, {many} at a time", "MB").judge_limit(
        GOAL_BYTES / 1e6, "conversations under way are kept whole"
    )


if __name__ == "__main__":
    main()
