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
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.machine import WORK

STARTS = 5
BYTECODE = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(WORK / "bytecode")}
"""For a hub as an installed one is: a checkout that may write none compiles it at each start."""
IDLE_SECONDS = 3.0
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a process holds."""

    rss_mib: float
    pss_mib: float

    def __str__(self) -> str:
        return f"{self.rss_mib:.0f} / {self.pss_mib:.0f}"


@dataclass(frozen=True, slots=True)
class Footprint:
    """Starts in seconds, and what is held while nothing happens."""

    first: float
    """The hub's, which makes its store."""
    later: list[float]
    hub: Memory
    worker: Memory


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), STARTS)
    later = statistics.median(found.later)
    print("| measure | value |")
    print("|---|---|")
    print(f"| hub: first start to first answer, the store is made, s | {found.first:.2f} |")
    print(f"| hub: later starts to first answer, s (median of {STARTS}) | {later:.2f} |")
    print(f"| hub idle, one worker: RSS / PSS, MiB | {found.hub} |")
    print(f"| headless worker idle: RSS / PSS, MiB | {found.worker} |")


def measured(folder: Path, starts: int) -> Footprint:
    """Start a hub once and as many times more, then look at it and a worker at rest."""
    port = free_port()
    seconds = []
    for _ in range(1 + starts):
        hub, took = start_hub(folder / "hub", port)
        seconds.append(took)
        stop(hub)
    hub, _ = start_hub(folder / "hub", port)
    try:
        worker = start_worker(folder, port)
        try:
            time.sleep(IDLE_SECONDS)
            return Footprint(seconds[0], seconds[1:], memory(hub.pid), memory(worker.pid))
        finally:
            stop(worker)
    finally:
        stop(hub)


def start_hub(data: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    begin = time.monotonic()
    hub = subprocess.Popen(
        [sys.executable, "-m", "hub", "serve"],
        env={**os.environ, **BYTECODE, "HUB_DATA": str(data), "HUB_PORT": str(port)},
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


def memory(pid: int) -> Memory:
    """What a process holds (Linux)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (int(re.search(rf"^{name}:\s+(\d+)", rollup, re.M)[1]) for name in ("Rss", "Pss"))  # type: ignore[index]
    return Memory(rss / 1024, pss / 1024)


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
