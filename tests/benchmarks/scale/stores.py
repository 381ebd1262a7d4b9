"""What a hub with many jobs in its store takes: its start, its memory, a page, a snapshot."""

from __future__ import annotations

import http.client
import os
import statistics
import subprocess
import tempfile
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from hub.store.database import STORE_NAME
from hub.store.snapshots import write_snapshot
from shared.api.client import Client
from shared.api.sign_ins import NewSignInLink
from shared.ids import PersonId
from shared.snapshot import SnapshotHead
from tests.benchmarks.footprint import free_port, start_hub, stop
from tests.benchmarks.scale.hub import store_bytes
from tests.benchmarks.scale.task_rows import fill

LOOKS = 40
QUIET_SECONDS = 3.0
"""For what a hub does at once after its start."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class StoreFound:
    jobs: int
    waiting: int
    load: float
    store_mib: float
    start_seconds: float
    """To its first answer."""
    start_cpu_seconds: float
    rss_mib: float
    page_p50_ms: float
    page_p95_ms: float
    page_cpu_ms: float
    snapshot_mib: float
    snapshot_events: int
    snapshot_cpu_seconds: float


def measure_store(jobs: int, waiting: int) -> StoreFound:
    """Write a store, start the product's hub on it, and look at it."""
    with tempfile.TemporaryDirectory(dir=Path(".benchmarks")) as name:
        folder = Path(name).resolve()
        person_id, _ = fill(folder, jobs, waiting=waiting)
        port = free_port()
        # The first start has more to do: a key for its commands, statistics for its queries.
        hub, _ = start_hub(folder, port)
        stop(hub)
        hub, start_seconds = start_hub(folder, port)
        start_cpu = cpu_seconds(hub)
        try:
            time.sleep(QUIET_SECONDS)
            rss = rss_mib(hub)
            waits, page_cpu = look_at_queue(hub, folder, port)
        finally:
            stop(hub)
        size, count, snapshot_cpu = _snapshot(folder, person_id)
        return StoreFound(
            jobs=jobs,
            waiting=waiting,
            load=os.getloadavg()[0],
            store_mib=store_bytes(folder) / 2**20,
            start_seconds=start_seconds,
            start_cpu_seconds=start_cpu,
            rss_mib=rss,
            page_p50_ms=statistics.median(waits),
            page_p95_ms=sorted(waits)[int(len(waits) * 0.95)],
            page_cpu_ms=page_cpu,
            snapshot_mib=size / 2**20,
            snapshot_events=count,
            snapshot_cpu_seconds=snapshot_cpu,
        )


def look_at_queue(
    hub: subprocess.Popen[bytes], folder: Path, port: int
) -> tuple[list[float], float]:
    """Fetch the queue's page; return how long it took each time, and the CPU of one, in ms."""
    cookie = sign_in(folder, port)
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    waits = []
    used = 0.0
    for number in range(LOOKS + 1):
        begun = time.perf_counter()
        line.request("GET", "/queue", headers={"Cookie": cookie})
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        if number:  # the first has templates to read
            waits.append((time.perf_counter() - begun) * 1e3)
        else:
            used = cpu_seconds(hub)
    return waits, (cpu_seconds(hub) - used) / LOOKS * 1e3


def sign_in(folder: Path, port: int) -> str:
    """Sign the hub's owner in on its pages; return the cookie."""
    client = Client(f"http://127.0.0.1:{port}", (folder / "admin.key").read_text().strip())
    link = client.create_sign_in_link(NewSignInLink())
    path = urllib.parse.urlsplit(link.url).path
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    line.request("POST", path, headers={"Sec-Fetch-Site": "same-origin"})
    answer = line.getresponse()
    answer.read()
    line.close()
    # The last one is kept; others are taken back by the same answer.
    return (answer.msg.get_all("Set-Cookie") or [""])[-1].partition(";")[0]


def _snapshot(folder: Path, person_id: PersonId) -> tuple[int, int, float]:
    target = folder / "snapshot.gz"
    upto = 10**15
    head = SnapshotHead(hub_epoch="bench", lineage=(), after=0, upto=upto, count=0)
    begun = time.process_time()
    write_snapshot(folder / STORE_NAME, target, person_id, head)
    took = time.process_time() - begun
    import gzip

    with gzip.open(target, "rt") as lines:
        count = SnapshotHead.model_validate_json(next(lines)).count
    return target.stat().st_size, count, took


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """What a process has used in all its threads (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def rss_mib(process: subprocess.Popen[bytes]) -> float:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
