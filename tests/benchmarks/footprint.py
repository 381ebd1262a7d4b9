"""How long a hub takes from the command to its first answer, and how much memory it idles at.

    python -m tests.benchmarks.footprint [--rounds 5]

The first start makes the store; every other finds it. Nothing is asserted: the machine decides.
"""

from __future__ import annotations

import argparse
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

SETTLE_SECONDS = 1.0
"""Idle memory is read this long after the first answer."""
PATIENCE_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def rss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise LookupError("VmRSS")


def seconds_to_answer(port: int) -> float:
    begun = time.perf_counter()
    while time.perf_counter() - begun < PATIENCE_SECONDS:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=2):
                return time.perf_counter() - begun
        except (urllib.error.URLError, OSError):
            time.sleep(0.002)
    raise TimeoutError("the hub did not answer")


def start(folder: Path) -> tuple[float, float]:
    """Start a hub; return seconds to its first answer, and its idle memory in MiB."""
    port = free_port()
    command = [sys.executable, "-m", "hub", "serve", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            seconds = seconds_to_answer(port)
            time.sleep(SETTLE_SECONDS)
            return seconds, rss_mib(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)


def main() -> None:
    parser = argparse.ArgumentParser(description="Start-up time and idle memory of a hub.")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        first = start(Path(name))
        again = [start(Path(name)) for _ in range(options.rounds)]
    seconds = [found[0] for found in again]
    sizes = [found[1] for found in again]
    print(f"first start, store made   {first[0]:6.2f} s    {first[1]:6.1f} MiB idle")
    print(
        f"later starts, median      {statistics.median(seconds):6.2f} s    "
        f"{statistics.median(sizes):6.1f} MiB idle   (fastest {min(seconds):.2f} s)"
    )


if __name__ == "__main__":
    main()
