"""The programs of a real session: a bus, a screen, and Deskhand itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 40.0
LOOK_SECONDS = 0.05


def need(*programs: str) -> None:
    """Skip where a program is missing; on the machine that decides about a landing that fails."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        told = f"not installed: {', '.join(missing)} (see packaging/setup.sh)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)


def wait_for(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(LOOK_SECONDS)


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a program inside the block, in a group of its own."""
    program = subprocess.Popen(
        command, env=environment, cwd=ROOT, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield program
    finally:
        end(program)


def end(program: subprocess.Popen[str]) -> None:
    """End a program and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGTERM)
    try:
        program.wait(5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait(5)
    if program.stdout is not None:
        program.stdout.close()


@contextlib.contextmanager
def a_bus() -> Iterator[str]:
    """A D-Bus session of its own; its address."""
    need("dbus-daemon")
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with running(command, dict(os.environ)) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()


@contextlib.contextmanager
def a_screen(address: str) -> Iterator[dict[str, str]]:
    """An X server with a window manager; the variables that lead there."""
    need("Xvfb", "openbox")
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        "1280x800x24",
        "-nolisten",
        "tcp",
    ]
    screen = subprocess.Popen(
        command, pass_fds=[writing], start_new_session=True, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        variables = {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        with running(["openbox"], {**plain(address), **variables}):
            yield variables
    finally:
        end(screen)


@contextlib.contextmanager
def a_wayland(folder: Path, address: str) -> Iterator[dict[str, str]]:
    """A Wayland compositor without a screen; the variables that lead there."""
    need("weston")
    folder.chmod(0o700)
    variables = {
        "XDG_RUNTIME_DIR": str(folder), "WAYLAND_DISPLAY": "desk", "QT_QPA_PLATFORM": "wayland",
    }  # fmt: skip
    command = ["weston", "--backend=headless-backend.so", "--socket=desk", "--idle-time=0"]
    with running(command, {**plain(address), **variables}):
        wait_for((folder / "desk").exists, "the compositor")
        yield variables


def plain(address: str) -> dict[str, str]:
    """The environment of a session, without what this test run was started with."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "DBUS_SESSION_BUS_ADDRESS": address,
        "LC_ALL": "C.UTF-8",
    }


@dataclass
class App:
    """Deskhand in a profile of its own, in a session."""

    home: Path
    environment: dict[str, str]
    program: subprocess.Popen[str] | None = None
    arguments: list[str] = field(default_factory=list)

    def start(self, *arguments: str) -> None:
        with (self.home / "errors.txt").open("a") as errors:
            self.program = subprocess.Popen(
                self.command(*arguments), env=self.environment, cwd=ROOT, start_new_session=True,
                text=True, stdout=subprocess.DEVNULL, stderr=errors,
            )  # fmt: skip

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "desktop", "--home", str(self.home), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the same profile beside it."""
        return subprocess.run(
            self.command(*arguments), env=self.environment, cwd=ROOT, text=True,
            capture_output=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip

    @property
    def control(self) -> Path:
        return self.home / "control.json"

    @property
    def complaints(self) -> list[str]:
        """What it said of faults, its own and Qt's."""
        told = (self.home / "errors.txt").read_text(encoding="utf-8")
        at = told.find("Traceback")
        if at >= 0:
            return told[at:].splitlines()
        return [line for line in told.splitlines() if line.startswith(("Q", "qt.", "Fatal"))]

    def wait(self) -> int:
        assert self.program is not None
        return self.program.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        if self.program is not None:
            end(self.program)
            self.program = None


def windows(environment: dict[str, str]) -> list[str]:
    """The titles of the windows on an X screen."""
    told = subprocess.run(
        ["xwininfo", "-root", "-tree"], env=environment, capture_output=True, text=True, check=False
    ).stdout  # it stops at a window that goes while it looks: what it saw until then counts
    return [line.split('"')[1] for line in told.splitlines() if line.count('"') >= 2]
