"""How quickly hub and worker are there, and how much memory they take while nothing happens.

    python -m tests.benchmarks.footprint

Times are medians of several starts of whole processes; memory is the resident set (RSS) and the
proportional set (PSS, shared pages divided among those who share them) in MiB.
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

STARTS = 5
IDLE_SECONDS = 3.0
PATIENCE_SECONDS = 30.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, later, hub_memory, worker_memory = measure(Path(folder))
    print("| measure | value |")
    print("|---|---|")
    print(f"| hub: first start to first answer, the store is made, s | {first:.2f} |")
    print(f"| hub: later starts to first answer, s (median of {STARTS}) | {later:.2f} |")
    print(f"| hub idle, one worker: RSS / PSS, MiB | {hub_memory} |")
    print(f"| headless worker idle: RSS / PSS, MiB | {worker_memory} |")


def measure(folder: Path) -> tuple[float, float, str, str]:
    port = free_port()
    starts = []
    for _ in range(1 + STARTS):
        hub, seconds = start_hub(folder / "hub", port)
        starts.append(seconds)
        stop(hub)
    hub, _ = start_hub(folder / "hub", port)
    worker = start_worker(folder, port)
    time.sleep(IDLE_SECONDS)
    first, *later = starts
    told = first, statistics.median(later), memory(hub.pid), memory(worker.pid)
    stop(worker)
    stop(hub)
    return told


def start_hub(data: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    begin = time.monotonic()
    hub = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve"],
        env={**os.environ, "HUB_DATA": str(data), "HUB_PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    while time.monotonic() - begin < PATIENCE_SECONDS:
        try:
            # The port is taken early; only an answer shows that somebody is there.
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=5):
                return hub, time.monotonic() - begin
        except OSError:
            time.sleep(0.005)
    raise SystemExit("the hub does not listen")


def start_worker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    url = f"http://127.0.0.1:{port}"
    told = subprocess.run(
        [sys.executable, "-m", "hub", "invite", "--yes"],
        env={**os.environ, "HUB_DATA": str(folder / "hub"), "HUB_PORT": str(port)},
        capture_output=True,
        text=True,
        check=True,
    )
    code = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", told.stdout)
    assert code is not None, told.stdout
    home = ["--home", str(folder / "worker")]
    deskhand = [sys.executable, "-m", "desktop", *home]
    subprocess.run(
        [*deskhand, "pair", code[0], "--hub", url], stdout=subprocess.DEVNULL, check=True
    )
    worker = subprocess.Popen([*deskhand, "--headless"], stderr=subprocess.DEVNULL)
    begin = time.monotonic()
    while time.monotonic() - begin < PATIENCE_SECONDS:
        with urllib.request.urlopen(f"{url}/api/v1/health") as answer:
            if b'"workers_online":1' in answer.read().replace(b" ", b""):
                return worker
        time.sleep(0.05)
    raise SystemExit("the worker does not come online")


def memory(pid: int) -> str:
    """RSS and PSS of a process (Linux)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (int(re.search(rf"^{name}:\s+(\d+)", rollup, re.M)[1]) for name in ("Rss", "Pss"))  # type: ignore[index]
    return f"{rss / 1024:.0f} / {pss / 1024:.0f}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
