"""Score, seconds and memory of our training beside plain scikit-learn, AutoGluon and FLAML.

    python -m tests.benchmarks.ml [--tools deskhand,hgb,...] [--tables churn,...] [--seeds 0,1,2]

Each run is a process of its own with one thread, peers in environments of their own
(`tests.benchmarks.peers`); tools take turns on each table, so that all meet the same load. Every
result is one line of `runs.jsonl` in a cache folder: run again to go on, add --again to measure
anew. At the end (or at once with --render) the table in docs/ml.md is written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from tests.benchmarks import peers
from tests.benchmarks.ml import report as ml_report
from tests.benchmarks.ml import tables as ml_tables

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "ml.md"
CHILD = Path(__file__).with_name("peers.py")

BUDGET_SECONDS = 60.0
RUN_SECONDS_MAX = 420.0
INSTALL_SECONDS_MAX = 1800.0
SAMPLE_SECONDS = 0.05

REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "autogluon": ("autogluon.tabular[lightgbm,xgboost,catboost]==1.6.3",),
    "flaml": ("flaml[automl]==2.7.0",),
}
"""What the throw-away environment of each peer holds; the others run in our own."""
TOOLS = ("linear", "forest", "hgb", "deskhand", "flaml", "autogluon")
SEEDS_OF_TOOL: dict[str, int] = {"flaml": 1, "forest": 1, "linear": 1}
"""How many seeds a tool is given when fewer than asked for; the page tells."""


def python_of(tool: str, *, seconds_max: float = INSTALL_SECONDS_MAX) -> str:
    """Return the interpreter of a tool, making its environment when it is not there.

    Raises:
        subprocess.SubprocessError: as `peers.python_of`.
    """
    if tool not in REQUIREMENTS:
        return sys.executable
    return str(peers.python_of(tool, *REQUIREMENTS[tool], seconds_max=seconds_max))


def measure(
    command: list[str], errors: Path, seconds_max: float = RUN_SECONDS_MAX
) -> dict[str, Any]:
    """Run a child; return its result, its wall seconds and the peak memory of its whole tree."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    started = time.perf_counter()
    with (
        errors.open("a") as error_file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=error_file, text=True, env=environment
        ) as child,
    ):
        assert child.stdout is not None
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(child.stdout or ()))
        reader.start()
        peak = watch(child, started, seconds_max)
        reader.join()
    told = [json.loads(line[7:]) for line in lines if line.startswith("RESULT ")]
    return {
        "exit": child.returncode,
        "wall_seconds": time.perf_counter() - started,
        "peak_mb": peak / 2**20,
        **(told[-1] if told else {}),
    }


def watch(child: subprocess.Popen[str], started: float, seconds_max: float) -> int:
    """Wait for a child; return its tree's peak memory in bytes. Ends it when it takes too long."""
    root, peak = psutil.Process(child.pid), 0
    while child.poll() is None:
        peak = max(peak, memory_of_tree(root))
        if time.perf_counter() - started > seconds_max:
            for process in [*root.children(recursive=True), root]:
                process.kill()
        time.sleep(SAMPLE_SECONDS)
    return peak


def memory_of_tree(root: psutil.Process) -> int:
    total = 0
    try:
        for process in [root, *root.children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.Error:
        return total
    return total


def planned(
    tools: list[str], tables: list[str], seeds: list[int]
) -> Iterator[tuple[int, str, str]]:
    """Yield (seed, table, tool): the tools take turns on each table."""
    for seed in seeds:
        for table in tables:
            for tool in tools:
                if seeds.index(seed) < SEEDS_OF_TOOL.get(tool, len(seeds)):
                    yield seed, table, tool


def run_all(arguments: argparse.Namespace, cache: Path) -> None:
    runs = cache / "runs.jsonl"
    done = set() if arguments.again else {ml_report.key_of(run) for run in ml_report.read(runs)}
    for seed, table, tool in planned(arguments.tools, arguments.tables, arguments.seeds):
        if (seed, table, tool) in done:
            continue
        command = command_of(tool, table, seed, BUDGET_SECONDS, cache)
        result = measure(command, cache / "errors.log")
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        line = {"table": table, "tool": tool, "seed": seed, "load": load, **result}
        with runs.open("a") as file:
            file.write(json.dumps(line) + "\n")
        score, seconds = result.get("score", float("nan")), result.get("fit_seconds", 0.0)
        print(f"{seed} {table} {tool}: {score:.4f}, {seconds:.1f} s, {result['peak_mb']:.0f} MB")


def command_of(tool: str, table: str, seed: int, budget: float, cache: Path) -> list[str]:
    """Return what runs a tool on a table, whose files are written if they are not there."""
    ml_tables.write(cache / "tables", table, seed)
    source = ml_tables.SOURCES[table]
    train, test = ml_tables.files_of(cache / "tables", table, seed)
    # -P keeps this folder off the path: its files are named like standard modules.
    command = [python_of(tool), "-P", str(CHILD), str(train), str(test), source.target]
    return [*command, source.task, tool, str(budget), str(seed)]


def words(text: str) -> list[str]:
    return text.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=None, help="where runs and tools are kept")
    parser.add_argument("--tools", type=words, default=list(TOOLS))
    parser.add_argument("--tables", type=words, default=list(ml_tables.SOURCES))
    parser.add_argument(
        "--seeds", type=lambda text: [int(s) for s in words(text)], default=[0, 1, 2]
    )
    parser.add_argument("--again", action="store_true", help="measure what is there once more")
    parser.add_argument("--render", action="store_true", help="only write the table")
    arguments = parser.parse_args()
    cache: Path = arguments.cache or platformdirs.user_cache_path("deskhand") / "bench-ml"
    cache.mkdir(parents=True, exist_ok=True)
    if not arguments.render:
        run_all(arguments, cache)
    ml_report.write(cache / "runs.jsonl", PAGE)


if __name__ == "__main__":
    main()
