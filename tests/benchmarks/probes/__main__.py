"""Probes as the shared child holds them, beside inspect_ai and a plain client, in one run.

    python -m tests.benchmarks.probes [--probes 500] [--concurrency 20 200] [--latency-ms 50]
        [--rounds 1] [--subjects plain ours inspect]

All hold the same conversations of three turns against the same server (a process of its own, which
answers after a fixed while) and keep what was said: ours in its transcripts, committed turn by
turn, inspect_ai in its log, the plain client as lines of JSON. They take turns, so that whatever
else the machine does hits all. CPU is per model call, without imports and the first twenty probes;
memory is the peak of the whole process. It asserts nothing about time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from tests.benchmarks.probes.subject import SUBJECTS

SUBJECT_SECONDS_MAX = 900
GOAL_CPU_MS = 4.0
GOAL_CALLS_A_SECOND = 250.0
GOAL_BYTES = 200e6


@dataclass(frozen=True, slots=True)
class Measured:
    """One subject, once."""

    calls_a_second: float
    cpu_ms: float
    """Per call."""
    peak_bytes: float
    kept_bytes: float
    """Per call."""


@contextmanager
def server(latency_ms: float) -> Iterator[str]:
    """Run the server beside; yields its base URL."""
    command = [sys.executable, "-m", "tests.benchmarks.probes.server"]
    with subprocess.Popen(
        [*command, "--latency-ms", str(latency_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.stdin.close()
            process.wait(10)


def measure(subject: str, base_url: str, probes: int, concurrency: int) -> Measured:
    """Run one subject in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.probes.subject", subject, base_url]
    ended = subprocess.run(
        [*command, "--probes", str(probes), "--concurrency", str(concurrency)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=SUBJECT_SECONDS_MAX,
        check=True,
    )
    facts = json.loads(ended.stdout.splitlines()[-1])
    calls = facts["calls"]
    return Measured(
        calls / facts["seconds"],
        facts["cpu_seconds"] / calls * 1000,
        facts["peak_bytes"],
        facts["kept_bytes"] / calls,
    )


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def median(of: list[float]) -> float:
    return statistics.median(of)


def show(concurrency: int, probes: int, rounds: dict[str, list[Measured]]) -> None:
    """Print one table, with ratios to ours."""
    say(f"\n{concurrency} at a time, {probes} probes of 3 turns")
    say(f"{'':<10}{'calls/s':>10}{'CPU ms/call':>13}{'peak MB':>9}{'kept B/call':>13}{'CPU x':>8}")
    cpu = {name: median([one.cpu_ms for one in runs]) for name, runs in rounds.items()}
    base = cpu.get("ours", next(iter(cpu.values())))
    for name, runs in rounds.items():
        rate = median([one.calls_a_second for one in runs])
        peak = median([one.peak_bytes for one in runs]) / 1e6
        kept = median([one.kept_bytes for one in runs])
        ratio = cpu[name] / base
        say(f"{name:<10}{rate:>10.0f}{cpu[name]:>13.2f}{peak:>9.0f}{kept:>13.0f}{ratio:>8.1f}")


def goals(results: dict[int, dict[str, list[Measured]]]) -> None:
    """Print the goals beside what was reached; a busy machine does not reach the second."""
    few = results.get(20, {}).get("ours")
    many = results.get(200, {}).get("ours")
    if few:
        cpu = median([one.cpu_ms for one in few])
        rate = median([one.calls_a_second for one in few])
        say(f"\nCPU per call at 20: {cpu:.2f} ms (goal {GOAL_CPU_MS:.0f})")
        say(f"Calls a second at 20: {rate:.0f} (goal {GOAL_CALLS_A_SECOND:.0f} on idle cores)")
    if many:
        peak = median([one.peak_bytes for one in many])
        say(f"Peak memory at 200: {peak / 1e6:.0f} MB (goal {GOAL_BYTES / 1e6:.0f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[20, 200])
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--subjects", nargs="+", default=list(SUBJECTS), choices=list(SUBJECTS))
    asked = parser.parse_args()
    say(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores,"
        f" {asked.latency_ms:.0f} ms latency,"
        f" inspect_ai {version('inspect_ai')}, httpx2 {version('httpx2')}"
    )
    results: dict[int, dict[str, list[Measured]]] = {}
    with server(asked.latency_ms) as base_url:
        for concurrency in asked.concurrency:
            rounds: dict[str, list[Measured]] = defaultdict(list)
            for _ in range(asked.rounds):
                for subject in asked.subjects:
                    rounds[subject].append(measure(subject, base_url, asked.probes, concurrency))
            results[concurrency] = rounds
            show(concurrency, asked.probes, rounds)
    goals(results)


if __name__ == "__main__":
    main()
