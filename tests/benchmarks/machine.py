"""What machine this is and what mood it is in: its disk, its loopback, who else is at work."""

from __future__ import annotations

import os
import platform
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / ".benchmarks"
"""Beside the checkout, for a temporary folder may lie in memory and know no fsync."""
LOOKS = 50
OWN_PACKAGES = ("websockets", "uvicorn", "fastapi", "pydantic", "uvloop", "scikit-learn", "pandas")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the checkout's disk, gone at the end of the block."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        yield Path(name)


def facts() -> dict[str, str]:
    """What stays the same while a benchmark runs."""
    packages = {name: version(name) for name in OWN_PACKAGES}
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{_memory_bytes() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **packages,
    }


def mood(folder: Path = WORK) -> dict[str, float]:
    """What changes: the disk, the loopback and the load."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "fsync p50 ms": fsync_ms(folder),
        "loopback round trip p50 ms": round_trip_ms(),
        "load": os.getloadavg()[0],
    }


def fsync_ms(folder: Path) -> float:
    """Measure the disk's mood: the median time of a durable 4 KiB overwrite."""
    times = []
    path = folder / "mood"
    with path.open("wb", buffering=0) as file:
        file.write(bytes(4096))
        os.fsync(file.fileno())
        for _ in range(LOOKS):
            file.seek(0)
            file.write(os.urandom(4096))
            begun = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    path.unlink()
    return statistics.median(times) * 1e3


def round_trip_ms() -> float:
    """Measure a byte's way over TCP on loopback to a thread and back, the median."""
    times = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_echo, args=(server,), daemon=True)
        answering.start()
        with socket.create_connection(server.getsockname()) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(LOOKS):
                begun = time.perf_counter()
                line.sendall(b"x")
                line.recv(1)
                times.append(time.perf_counter() - begun)
        answering.join()
    return statistics.median(times) * 1e3


def _echo(server: socket.socket) -> None:
    line, _ = server.accept()
    with line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while said := line.recv(1):
            line.sendall(said)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((one.split(":")[1].strip() for one in lines if "model name" in one), "unknown")


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
