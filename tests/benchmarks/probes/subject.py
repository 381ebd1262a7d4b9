"""One subject of the probe benchmark, measured in a process of its own; prints one line of JSON.

    python -m tests.benchmarks.probes.subject SUBJECT URL --probes 500 --concurrency 20

A few probes go first, so that imports and first connections are not counted; CPU is that of this
process and its children from then on, memory the highest resident set of the whole process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.probes.peers import TURNS, inspect, plain

WARM_PROBES = 20


def run_plain(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    asyncio.run(plain(base_url, folder, probes, concurrency))


def run_ours(base_url: str, folder: Path, probes: int, concurrency: int) -> None:
    from desktop.runner.sparing import spare_collector
    from tests.benchmarks.probes.ours import ours

    spare_collector()
    asyncio.run(ours(base_url, folder, probes, concurrency))


SUBJECTS: dict[str, Callable[[str, Path, int, int], None]] = {
    "plain": run_plain,
    "ours": run_ours,
    "inspect": inspect,
}


def cpu_seconds() -> float:
    """Return what this process and its ended children have used."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_bytes() -> int:
    """Return the highest resident set since this program began (not what its parent had)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("base_url")
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--concurrency", type=int, default=20)
    asked = parser.parse_args()
    run = SUBJECTS[asked.subject]
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder, "warm")
        real = Path(folder, "real")
        warm.mkdir()
        real.mkdir()
        run(asked.base_url, warm, WARM_PROBES, min(asked.concurrency, WARM_PROBES))
        cpu, begun = cpu_seconds(), time.perf_counter()
        run(asked.base_url, real, asked.probes, asked.concurrency)
        seconds, cpu = time.perf_counter() - begun, cpu_seconds() - cpu
        kept = sum(file.stat().st_size for file in real.rglob("*") if file.is_file())
    facts = {
        "calls": asked.probes * TURNS,
        "seconds": seconds,
        "cpu_seconds": cpu,
        "peak_bytes": peak_bytes(),
        "kept_bytes": kept,
    }
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
