"""Disks that fail or are small, under real programs; and what must hold afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.world import World
from tests.flows import programs

ENDED = {"succeeded", "failed", "cancelled", "dead"}
STORES = ("hub/hub.sqlite3", "anna-pc/worker.sqlite3", "studio-mac/worker.sqlite3")
POINTS = ("posix/io/rw/pwrite", "posix/io/sync/fdatasync")
"""Where SQLite writes, and where it waits for the disk (libfiu's names)."""
EIO = 5
FILLER_BLOCK_BYTES = 64 * 1024

is_linux = pytest.mark.skipif(sys.platform != "linux", reason="the disks are Linux's")
is_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount a small disk"
)


@contextlib.contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path]:
    """Mount a disk of a size ("6m") at a folder, which is made."""
    place.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Filler:
    """Takes all room of a disk, and gives it back."""

    def __init__(self, disk: Path) -> None:
        self._path = disk / "filler"

    def fill(self) -> None:
        """Leave nothing, not a page."""
        with self._path.open("ab", buffering=0) as file:
            size = FILLER_BLOCK_BYTES
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2

    def free(self) -> None:
        self._path.unlink(missing_ok=True)


def needs_libfiu() -> None:
    """Fail by name where the failing disks are missing."""
    if shutil.which("fiu-run") is None:
        pytest.fail("fiu-run is missing; on Debian: apt-get install fiu-utils libfiu0")


def fail_now(world: World, probability: float) -> None:
    """Let every disk fail now and then from here on."""
    for point in POINTS:
        _control(world, f"enable_random name={point},probability={probability},failinfo={EIO}")


def mend(world: World) -> None:
    for point in POINTS:
        _control(world, f"disable name={point}")


def _control(world: World, command: str) -> None:
    assert world.hub is not None
    for process in (world.hub, *world.workers.values()):
        assert process.poll() is None, "a program did not survive its disk"
        subprocess.run(["fiu-ctrl", "-c", command, str(process.pid)], check=True, timeout=30)


def faults_told(world: World) -> int:
    """Count the lines in which programs tell that something could not be stored."""
    logs = [world.log(name).read_text() for name in ("hub", *world.workers)]
    return sum(log.count("store_failed") + log.count("could not be written") for log in logs)


def ask_once(world: World, key: str, kind: str, inputs: dict[str, object]) -> None:
    """Ask for a job, which may be refused; one that was taken counts."""
    with contextlib.suppress(httpx.HTTPStatusError):
        shown = world.post("/tasks", {"kind": kind, "inputs": inputs})
        world.asked[key] = str(shown["job_id"])


def settle(world: World) -> None:
    """Answer what was interrupted, and wait until everything has ended."""

    def all_ended() -> bool:
        for question_id in world.open_questions():
            world.post(f"/questions/{question_id}/answer", {"reply": "Mark done"})
        return all(shown["state"] in ENDED for shown in world.jobs().values())

    world.wait_for("every job has ended", all_ended)


def judge(world: World) -> None:
    """Nothing acknowledged is gone, nothing ran twice, nothing is damaged."""
    shown = world.jobs()
    assert len(shown) == len(world.asked), "an acknowledged job is gone"
    marks = Counter(world.marks.read_text().split()) if world.marks.exists() else Counter()
    assert not {job_id for job_id, count in marks.items() if count > 1}, "a job ran twice"
    for job_id, job in shown.items():
        assert job["state"] == "succeeded", f"{job_id}: {job['state']} {job['error']}"
        if job["kind"] == "play.effect" and "Marked as done" not in str(job["result"]):
            assert marks[job_id] == 1, f"{job_id} succeeded without its effect"


def judge_stores(world: World) -> None:
    """Look at every store as its program left it."""
    assert world.hub is not None
    for process in (world.hub, *world.workers.values()):
        programs.kill(process)
    for name in STORES:
        path = world.folder / name
        if path.exists():
            with contextlib.closing(sqlite3.connect(path)) as store:
                assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)], name
