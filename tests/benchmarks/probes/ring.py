"""A whole run at a terminal: `deskhand probe`, its worker, its shared child, statistics at the end.

    python -m tests.benchmarks.probes.ring [--probes 1000] [--concurrency 20]

Every probe is a job of the worker's log with a start and an end, made by its run and counted, and
its turns are in the transcripts. Seconds are from the command to its end, children and all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.probes.__main__ import say, server
from tests.benchmarks.probes.peers import ASKED, MODEL, TURNS

RUN_SECONDS_MAX = 1800


def definition(folder: Path) -> Path:
    """Write one scenario of three turns; JSON is YAML."""
    file = folder / "trolley.yaml"
    scenario = {"id": "trolley", "prompt": ASKED[0], "followups": list(ASKED[1:])}
    file.write_text(json.dumps({"name": "bench", "scenarios": [scenario]}), encoding="utf-8")
    return file


def policy(folder: Path, base_url: str, concurrency: int) -> None:
    """Let the worker ask the server, and read the definition."""
    config = folder / "config" / "deskhand"
    config.mkdir(parents=True)
    lines = [
        f"folders = [{json.dumps(str(folder))}]",
        "[[llm.endpoints]]",
        'name = "stub"',
        f'base_url = "{base_url}"',
        f"concurrency_max = {concurrency}",
    ]
    (config / "policy.toml").write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=20)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, server(asked.latency_ms) as base_url:
        folder = Path(name)
        policy(folder, base_url, asked.concurrency)
        homes = {f"XDG_{what.upper()}_HOME": str(folder / what) for what in ("config", "data")}
        homes |= {"XDG_STATE_HOME": str(folder / "state"), "XDG_CACHE_HOME": str(folder / "cache")}
        command = [sys.executable, "-m", "desktop", "probe", str(definition(folder)), "--json"]
        begun = time.perf_counter()
        ended = subprocess.run(
            [*command, "--models", f"stub:{MODEL}", "--repeats", str(asked.probes)],
            env={**os.environ, **homes, "HOME": name},
            stdout=subprocess.PIPE,
            text=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        seconds = time.perf_counter() - begun
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        say(ended.stdout[-600:])
    calls = asked.probes * TURNS
    cpu_ms = (used.ru_utime + used.ru_stime) / calls * 1000
    say(f"exit code {ended.returncode}, {seconds:.1f} s, load {os.getloadavg()[0]:.1f}")
    say(f"{calls / seconds:.0f} calls/s, {asked.probes / seconds:.0f} probes/s")
    say(f"{cpu_ms:.2f} ms CPU per call, all processes of ours")


if __name__ == "__main__":
    main()
