"""What the machine senses of itself, against a real bus and a real X server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.run_policy import Readings, Sense
from desktop.system import power, senses_linux, senses_macos, senses_windows

ROOT = Path(__file__).parents[3]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux' own senses")
needs_bus = pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="needs dbus-daemon")
needs_x = pytest.mark.skipif(
    not (shutil.which("Xvfb") and shutil.which("xdotool")), reason="needs Xvfb and xdotool"
)

SERVICE = """
import asyncio, sys
from dbus_fast import PropertyAccess
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

class Manager(ServiceInterface):
    def __init__(self):
        super().__init__("org.freedesktop.NetworkManager")
    @dbus_property(access=PropertyAccess.READ)
    def Metered(self) -> "u":
        return int(sys.argv[1])

class Session(ServiceInterface):
    def __init__(self):
        super().__init__("org.freedesktop.login1.Session")
    @dbus_property(access=PropertyAccess.READ)
    def IdleHint(self) -> "b":
        return sys.argv[2] == "idle"
    @dbus_property(access=PropertyAccess.READ)
    def IdleSinceHintMonotonic(self) -> "t":
        return int(sys.argv[3])

async def main():
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/NetworkManager", Manager())
    bus.export("/org/freedesktop/login1/session/auto", Session())
    await bus.request_name("org.freedesktop.NetworkManager")
    await bus.request_name("org.freedesktop.login1")
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bus of our own in place of the system's; nobody is on it yet."""
    address = f"unix:path={tmp_path / 'bus'}"
    config = tmp_path / "bus.conf"
    config.write_text(
        textwrap.dedent(
            f"""\
            <busconfig><type>session</type><listen>{address}</listen>
            <policy context="default"><allow send_destination="*"/><allow own="*"/>
            <allow eavesdrop="false"/></policy></busconfig>
            """
        )
    )
    command = ("dbus-daemon", "--nofork", "--print-address", f"--config-file={config}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        monkeypatch.delenv("DISPLAY", raising=False)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield
        daemon.terminate()


class Services:
    """NetworkManager and logind as one program that tells what a test wants."""

    def __init__(self, metered: int, idle: str = "", since: int = 0) -> None:
        self._command = (sys.executable, "-c", SERVICE, str(metered), idle, str(since))

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


@on_linux
@needs_bus
@pytest.mark.usefixtures("bus")
@pytest.mark.parametrize(
    ("told", "is_metered"), [(0, None), (1, True), (2, False), (3, True), (4, False), (9, None)]
)
def test_networkmanager_says_whether_the_network_counts(told: int, is_metered: bool | None) -> None:
    with Services(told):
        assert power.is_metered() is is_metered


@on_linux
@needs_bus
@pytest.mark.usefixtures("bus")
def test_a_bus_with_nobody_on_it_knows_nothing_and_starts_nobody() -> None:
    assert power.read(frozenset({Sense.METERED, Sense.IDLE})) == Readings()


@on_linux
def test_no_bus_at_all_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nowhere = f"unix:path={tmp_path / 'nowhere'}"
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", nowhere)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", nowhere)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert power.is_metered() is None
    assert power.idle_seconds() is None


@on_linux
@needs_bus
@pytest.mark.usefixtures("bus")
def test_logind_tells_since_when_nobody_is_there() -> None:
    since = int((time.monotonic() - 90) * 1_000_000)
    with Services(0, "idle", since):
        seconds = power.idle_seconds()
        assert seconds is not None
        assert 89 < seconds < 100
    with Services(0, "busy", since):
        assert power.idle_seconds() == 0
    with Services(0, "busy", 0):
        assert power.idle_seconds() is None, "a desktop that never gives the hint tells nothing"


@on_linux
@needs_x
def test_the_x_server_knows_of_the_last_touch(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    command = ("Xvfb", "-displayfd", str(writing), "-screen", "0", "64x64x8", "-noreset")
    with subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as told:
            monkeypatch.setenv("DISPLAY", f":{told.readline().strip()}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        try:
            seconds = 0.0
            while seconds < 0.3:
                told_now = senses_linux.idle_seconds()
                assert told_now is not None
                seconds = told_now
            subprocess.run(("xdotool", "mousemove", "5", "5", "key", "a"), check=True)
            after = senses_linux.idle_seconds()
            assert after is not None
            assert after < seconds
        finally:
            server.terminate()


def test_ioreg_tells_nanoseconds() -> None:
    told = '  | "HIDIdleTime" = 12500000000\n  | "Other" = 3\n'
    assert senses_macos.idle_of(told) == 12.5
    assert senses_macos.idle_of("nothing of the kind") is None


def test_windows_ticks_start_anew_after_49_days() -> None:
    assert senses_windows.elapsed_seconds(5_000, 2_000) == 3
    assert senses_windows.elapsed_seconds(1_000, 0xFFFFFFFF - 999) == 2


def test_nothing_is_read_that_no_rule_needs() -> None:
    assert power.read(frozenset()) == Readings()
