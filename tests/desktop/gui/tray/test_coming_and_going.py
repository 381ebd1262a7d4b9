"""Panels that come late, crash or sleep; no panel at all; and how the program starts and ends."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.desktop.gui.tray.conftest import Session, a_session
from tests.desktop.gui.tray.programs import ROOT, App, need, wait_for, windows

HEAVY = {"pandas", "numpy", "sklearn", "sqlite_utils", "pyarrow", "matplotlib"}


@pytest.fixture(scope="module", params=["xcb", "wayland"])
def lonely(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session whose panel comes when a test says so; the program runs in it already."""
    with a_session(request.param) as session:
        session.app.environment["DBUS_SYSTEM_BUS_ADDRESS"] = session.address
        session.paired()
        session.app.start("--background")
        wait_for(session.app.control.exists, "the program")
        yield session
        session.app.stop()
        # Qt says it when a panel crashes while the icon is on its way there.
        assert [c for c in session.app.complaints if "ServiceUnknown" not in c] == []


def close_window(session: Session, title: str) -> None:
    """Press the window manager's key until the window has gone; it may not have the focus yet."""
    need("xdotool")
    find = ["xdotool", "search", "--onlyvisible", "--name", title]

    def has_gone() -> bool:
        subprocess.run(
            [*find, "windowactivate", "key", "alt+F4"],
            env=session.app.environment, capture_output=True, check=False,
        )  # fmt: skip
        told = windows(session.app.environment)
        return not any(one.startswith(title) for one in told)

    wait_for(has_gone, f"the end of {title}")


def test_a_panel_that_comes_late_gets_the_icon_and_its_menu(lonely: Session) -> None:
    lonely.panel.come()
    lonely.panel.until_icon()
    assert lonely.panel.look()["Id"] == "deskhand"
    assert "Quit Deskhand" in lonely.panel.menu()
    lonely.panel.go()


def test_a_watcher_whose_panel_comes_after_it_is_told_again(lonely: Session) -> None:
    lonely.panel.come(has_host=False)
    lonely.panel.until_icon()
    before = len(lonely.panel.items)
    lonely.panel.host_comes()
    lonely.panel.until_icon(before + 1)
    assert lonely.panel.look()["Status"] == "Active"
    lonely.panel.go()


def test_a_panel_that_crashes_thrice_gets_the_icon_each_time(lonely: Session) -> None:
    for _ in range(3):
        lonely.panel.come()
        lonely.panel.until_icon()
        lonely.panel.go()
    lonely.panel.come()
    lonely.panel.until_icon()
    assert "Chat" in lonely.panel.menu()
    lonely.panel.go()


def test_after_a_sleep_the_icon_is_told_to_the_panel_again(lonely: Session) -> None:
    lonely.panel.come()
    lonely.panel.until_icon()
    before = len(lonely.panel.items)
    lonely.panel.sleep_and_wake()
    lonely.panel.until_icon(before + 1)
    lonely.panel.go()


def test_without_any_tray_a_window_opens_and_its_end_is_the_programs(xcb: Session) -> None:
    xcb.app.start("--background")
    title = "Chat – Deskhand"
    wait_for(lambda: title in windows(xcb.app.environment), "the window that stands in")
    # As a click on its cross does: the window manager asks it to close.
    close_window(xcb, "Chat")
    assert xcb.app.wait() == 0
    assert xcb.app.complaints == []


def test_with_a_tray_nothing_opens_by_itself_in_the_background(xcb: Session) -> None:
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_icon()
    xcb.panel.until_tooltip("Ready")
    assert not [title for title in windows(xcb.app.environment) if "– Deskhand" in title]
    xcb.panel.click()
    wait_for(lambda: "Chat – Deskhand" in windows(xcb.app.environment), "the window last used")


def test_an_unpaired_program_opens_the_assistant(xcb: Session) -> None:
    fresh = replace(xcb.app, home=xcb.app.home / "fresh")
    fresh.home.mkdir()
    try:
        fresh.start()
        title = "Connect this computer – Deskhand"
        wait_for(lambda: title in windows(xcb.app.environment), "the assistant")
    finally:
        fresh.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(xcb: Session, number: signal.Signals) -> None:
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_tooltip_of_new("Ready")
    assert xcb.app.program is not None
    os.kill(xcb.app.program.pid, number)
    assert xcb.app.wait() == 0
    assert not xcb.app.control.exists()
    assert xcb.app.complaints == []


def test_quit_in_the_menu_ends_it(xcb: Session) -> None:
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_tooltip_of_new("Ready")
    xcb.panel.choose("Quit Deskhand")
    assert xcb.app.wait() == 0


def test_nothing_heavy_is_imported_from_start_to_quit(xcb: Session) -> None:
    """Also not on the first start, which makes the store, nor for a notification."""
    fresh = App(xcb.app.home / "new", {**xcb.app.environment, "PYTHONPROFILEIMPORTTIME": "1"})
    fresh.home.mkdir()
    fresh.start()
    wait_for(fresh.control.exists, "the program")
    fresh.run("deskhand://pair?hub=https://hub.example.org&code=BCDF-GHJK")
    told = (fresh.home / "errors.txt").read_text(encoding="utf-8")
    fresh.stop()
    names = {
        line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import ")
    }
    assert "PySide6.QtWidgets" in names
    assert not {name.partition(".")[0] for name in names} & HEAVY


def children_cpu_seconds() -> float:
    """What ended children have used: the time on the clock depends on who else works."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_second_start_hands_over_at_once(xcb: Session) -> None:
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_tooltip_of_new("Ready")
    took = []
    for _ in range(5):
        began = children_cpu_seconds()
        assert xcb.app.run().returncode == 0
        took.append(children_cpu_seconds() - began)
    bare = children_cpu_seconds()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert min(took) - (children_cpu_seconds() - bare) < 0.15
    assert xcb.app.program is not None
    assert xcb.app.program.poll() is None


def test_no_call_of_qt_loses_a_reference() -> None:
    """PySide6 6.12.0 lost one of None with each void call, until Python 3.11 ended the process."""
    told = subprocess.run(
        [
            sys.executable, "-c",
            "import sys; from PySide6.QtCore import QCoreApplication, QTimer\n"
            "app = QCoreApplication([]); timer = QTimer(); before = sys.getrefcount(None)\n"
            "for _ in range(1000): timer.setInterval(5)\n"
            "print(abs(sys.getrefcount(None) - before))",
        ],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert int(told.stdout) < 100
