"""The tray app beside Vorta, in the same run, on one screen with one panel.

    python -m tests.benchmarks.desktop [--frozen FOLDER] [--quick]

Vorta lives in an environment of its own (`tests.benchmarks.peers`). All programs take turns, so
that whatever else the machine does hits all of them. Ours is paired with a real hub on loopback and
online; Vorta is as it comes, without a repository.

Times are from the start of the process to the registration of its icon. Memory is the proportional
set (PSS) of the whole process tree. Wake-ups are voluntary switches of all its threads.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import psutil

from tests.benchmarks.footprint import free_port, start_hub, start_worker, stop
from tests.benchmarks.peers import python_of, versions_of
from tests.desktop.gui.tray.panel import Panel, Thread
from tests.desktop.gui.tray.programs import a_bus, a_screen, plain, windows

ROOT = Path(__file__).parents[3]
PEERS = ("vorta==0.11.6", "PyQt6==6.11.0")
STARTS = 7
COLD_STARTS = 3
SETTLE_SECONDS = 15.0
IDLE_SECONDS = 30.0
PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.001


@dataclass
class Subject:
    """A program that is measured."""

    name: str
    command: list[str]
    environment: dict[str, str]
    files: tuple[Path, ...] = ()
    """What a cold start reads."""
    warm: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Seconds until the icon, of warm starts; a busy machine stretches these the least."""
    idle: Idle | None = None


@dataclass(frozen=True, kw_only=True)
class Idle:
    """What a program does while nothing happens."""

    pss_mib: float
    processes: int
    cpu_percent: float
    wakeups: float
    """A second."""
    windows: int


def main() -> None:
    options = arguments()
    if options.quick:
        globals().update(STARTS=3, COLD_STARTS=1, SETTLE_SECONDS=5.0, IDLE_SECONDS=20.0)
    with stage() as (panel, home, environment):
        subjects = [source(home, environment), *frozen(options.frozen, home, environment)]
        if not options.alone:
            subjects.append(vorta(environment))
        take_turns(subjects, panel, starts=STARTS, cold_starts=COLD_STARTS)
        for subject in subjects:
            subject.idle = idle(subject, panel, SETTLE_SECONDS, IDLE_SECONDS)
    report(subjects)


@contextmanager
def stage() -> Iterator[tuple[Panel, Path, dict[str, str]]]:
    """A screen, a panel and a paired profile: the panel, that profile's folder, the environment."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = stack.enter_context(a_bus())
        screen = stack.enter_context(a_screen(address))
        environment = {**plain(address), **screen, "HOME": str(folder)}
        thread = Thread()
        stack.callback(thread.close)
        panel = Panel(thread, address)
        yield panel, stack.enter_context(paired(folder)), environment


def take_turns(subjects: list[Subject], panel: Panel, *, starts: int, cold_starts: int) -> None:
    """Start all of them again and again, in turn."""
    for subject in subjects:
        timed(subject, panel)  # the first start makes settings and caches; it does not count
    for turn in range(starts):
        for subject in subjects:
            seconds, cpu = timed(subject, panel)
            subject.warm.append(seconds)
            subject.cpu.append(cpu)
            if turn < cold_starts:
                evict(subject.files)
                subject.cold.append(timed(subject, panel)[0])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frozen", type=Path, help="a frozen folder (packaging/freeze.py slim …)")
    parser.add_argument("--alone", action="store_true", help="without Vorta")
    parser.add_argument("--quick", action="store_true", help="fewer starts, shorter waits")
    return parser.parse_args()


@contextmanager
def paired(folder: Path) -> Iterator[Path]:
    """A hub on loopback, and a profile that belongs to it; the profile's folder."""
    hub, _ = start_hub(folder / "hub", port := free_port())
    try:
        # Pairing takes a headless worker along; it is not what is measured.
        stop(start_worker(folder, port))
        yield folder / "worker"
    finally:
        stop(hub)


def source(home: Path, environment: dict[str, str]) -> Subject:
    command = [sys.executable, "-m", "desktop", "--home", str(home), "--background"]
    return Subject("Deskhand, source", command, environment, libraries("PySide6", "shiboken6"))


def frozen(folder: Path | None, home: Path, environment: dict[str, str]) -> Iterator[Subject]:
    """The frozen one, where there is one: a folder, or what is installed from the .deb."""
    folder = folder or Path("/opt/deskhand")
    program = folder / "deskhand"
    if program.exists():
        clean = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
        command = [str(program), "--home", str(home), "--background"]
        yield Subject("Deskhand, frozen", command, clean, (folder,))


def vorta(environment: dict[str, str]) -> Subject:
    """Install Vorta where that was not done yet.

    Raises:
        subprocess.SubprocessError: as `python_of`.
    """
    python = python_of("vorta", *PEERS)
    own, qt = versions_of(python, "vorta", "PyQt6").values()
    clean = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    command = [str(python.with_name("vorta"))]
    return Subject(f"Vorta {own} (PyQt6 {qt})", command, clean, (python.parents[1],))


def libraries(*names: str) -> tuple[Path, ...]:
    packages = Path(psutil.__file__).parents[1]
    return (*(packages / name for name in names), ROOT / "desktop", ROOT / "shared")


@contextmanager
def started(subject: Subject, panel: Panel) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run a program inside the block, from the moment its icon is there; the seconds it took."""
    panel.come()
    begin = time.monotonic()
    program = subprocess.Popen(
        subject.command, env=subject.environment, cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not panel.items:
            if time.monotonic() - begin > PATIENCE_SECONDS or program.poll() is not None:
                raise SystemExit(f"{subject.name} shows no icon")
            time.sleep(LOOK_SECONDS)
        yield program, time.monotonic() - begin
    finally:
        end(program)
        panel.go()


def timed(subject: Subject, panel: Panel) -> tuple[float, float]:
    """Start once; seconds until its icon, and seconds of CPU."""
    with started(subject, panel) as (program, seconds):
        return seconds, spent(family(program.pid))[0]


def idle(subject: Subject, panel: Panel, settle: float, seconds: float) -> Idle:
    """Leave it alone for a while, then look for some seconds at what it does."""
    with started(subject, panel) as (program, _):
        time.sleep(settle)
        tree = family(program.pid)
        before, begin = spent(tree), time.monotonic()
        time.sleep(seconds)
        after, seconds = spent(tree), time.monotonic() - begin
        return Idle(
            pss_mib=sum(map(pss_mib, tree)),
            processes=len(tree),
            cpu_percent=(after[0] - before[0]) / seconds * 100,
            wakeups=(after[1] - before[1]) / seconds,
            windows=len([title for title in windows(subject.environment) if title[:1].isupper()]),
        )


def family(pid: int) -> list[int]:
    root = psutil.Process(pid)
    return [pid, *(child.pid for child in root.children(recursive=True))]


def spent(tree: list[int]) -> tuple[float, int]:
    """CPU seconds and wake-ups of all threads so far (Linux)."""
    seconds, wakeups = 0.0, 0
    for pid in tree:
        for task in Path(f"/proc/{pid}/task").iterdir():
            seconds += int((task / "schedstat").read_text().split()[0]) / 1e9
            for line in (task / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    wakeups += int(line.split()[1])
    return seconds, wakeups


def pss_mib(pid: int, which: str = "Pss") -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the kernel tells no PSS")


def evict(folders: tuple[Path, ...]) -> None:
    """Take files out of the page cache, as after a boot; what others have mapped stays."""
    for folder in folders:
        for place in folder.rglob("*"):
            if place.is_file() and not place.is_symlink():
                with place.open("rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def end(program: subprocess.Popen[bytes]) -> None:
    tree = [psutil.Process(pid) for pid in family(program.pid)] if program.poll() is None else []
    for process in tree:
        process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=5)
    for process in alive:
        process.kill()
    program.wait(5)


def report(subjects: list[Subject]) -> None:
    print(f"\nPySide6 {version('pyside6-essentials')}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {STARTS} starts each, idle for {IDLE_SECONDS:.0f} s\n")
    print(
        "| program | to tray, s (range) | cold files, s | PSS, MiB "
        "| CPU, % | wake-ups/s | windows |"
    )
    print("|---|---|---|---|---|---|---|")
    for subject in subjects:
        told = subject.idle
        assert told is not None
        low, high = min(subject.warm), max(subject.warm)
        print(
            f"| {subject.name} | {statistics.median(subject.warm):.2f} ({low:.2f}–{high:.2f}) "
            f"| {statistics.median(subject.cold):.2f} | {told.pss_mib:.0f} ({told.processes} pr.) "
            f"| {told.cpu_percent:.3f} | {told.wakeups:.2f} | {told.windows} |"
        )
    for package in sorted((ROOT / "dist").glob("*.deb")):
        print(f"\n{package.name}: {package.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
