"""The old tray of X11, as small panels still have it: real clicks and keys on a real icon."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.desktop.gui.tray.conftest import Session, a_session
from tests.desktop.gui.tray.programs import need, running, wait_for, windows

TRAYER = (
    "trayer", "--edge", "top", "--align", "right", "--widthtype", "request", "--height", "32",
    "--SetDockType", "true", "--expand", "true",
)  # fmt: skip
LOOK = """
import sys
from PySide6.QtGui import QGuiApplication
app = QGuiApplication(["look"])
seen = app.primaryScreen().grabWindow(0, *map(int, sys.argv[1:])).toImage()
print(*{seen.pixelColor(x, y).name() for x in range(seen.width()) for y in range(seen.height())})
"""
DOUBLE_CLICK_SECONDS = 0.5
ICON = re.compile(r'"Deskhand": \("deskhand".* (\d+)x(\d+)\+\S+ +\+(\d+)\+(\d+)$')


@pytest.fixture(scope="module")
def old() -> Iterator[Session]:
    """A session with an XEmbed panel, into which the program's icon has come."""
    need("trayer", "xdotool", "xwininfo")
    with a_session("xcb") as session, ExitStack() as stack:
        session.paired()
        session.panel.take_notices()
        session.app.start("--background")
        wait_for(session.app.control.exists, "the program")
        stack.enter_context(running(TRAYER, session.app.environment))
        wait_for(lambda: icon(session), "the icon in the panel")
        yield session
        session.app.stop()
        assert session.app.complaints == []


def tree(session: Session) -> list[str]:
    told = subprocess.run(
        ["xwininfo", "-root", "-tree"],
        env=session.app.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.splitlines()


def icon(session: Session) -> tuple[int, int, int, int] | None:
    """Where the icon is on the screen: left, top, width, height."""
    for line in tree(session):
        if found := ICON.search(line):
            width, height, left, top = (int(number) for number in found.groups())
            if width > 8 and left > 0:  # until a panel takes it in, it lies in the corner
                return left, top, width, height
    return None


def hand(session: Session, *does: str) -> None:
    subprocess.run(["xdotool", *does], env=session.app.environment, check=True, capture_output=True)


def point(session: Session) -> None:
    place = icon(session)
    assert place is not None
    left, top, width, height = place
    hand(session, "mousemove", str(left + width // 2), str(top + height // 2))


def colors(session: Session, left: int, top: int, width: int, height: int) -> set[str]:
    """The colours of a piece of the screen."""
    told = subprocess.run(
        [sys.executable, "-c", LOOK, *map(str, (left, top, width, height))],
        env=session.app.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(told.stdout.split())


def popups(session: Session) -> list[str]:
    """The menus on the screen: windows of ours that are larger than an icon and have no frame."""
    return [
        line
        for line in tree(session)
        if '("deskhand" "deskhand")' in line and re.search(r"\b\d{3}x\d{3}\+", line)
        and "– Deskhand" not in line
    ]  # fmt: skip


def open_menu(session: Session) -> None:
    point(session)
    # A press too soon after another would count as its second half.
    time.sleep(DOUBLE_CLICK_SECONDS)
    hand(session, "click", "3")
    wait_for(lambda: popups(session), "the menu")


def test_a_panel_that_comes_after_the_program_shows_its_icon(old: Session) -> None:
    place = icon(old)
    assert place is not None
    assert len(colors(old, *place)) > 4


def test_a_left_click_opens_the_chat(old: Session) -> None:
    point(old)
    hand(old, "click", "1")
    wait_for(lambda: "Chat – Deskhand" in windows(old.app.environment), "the chat")


def test_a_right_click_shows_the_menu_and_escape_takes_it_away(old: Session) -> None:
    open_menu(old)
    hand(old, "key", "Escape")
    wait_for(lambda: not popups(old), "the end of the menu")


def test_the_menu_is_used_by_keys_alone(old: Session) -> None:
    open_menu(old)
    # The last entry but one is Pause; its first length is "Until I resume".
    hand(old, "key", "Up")
    hand(old, "key", "Up")
    hand(old, "key", "Right")
    wait_for(lambda: len(popups(old)) == 2, "the lengths of a pause")
    hand(old, "key", "Return")
    wait_for(lambda: "paused" in old.app.run("status").stdout, "the pause")
    assert old.app.run("resume").returncode == 0


def test_the_icon_changes_while_the_program_is_paused(old: Session) -> None:
    place = icon(old)
    assert place is not None
    before = colors(old, *place)
    assert old.app.run("pause").returncode == 0
    wait_for(lambda: colors(old, *place) != before, "another icon")
    assert old.app.run("resume").returncode == 0
    wait_for(lambda: colors(old, *place) == before, "the icon as it was")


def test_a_panel_that_is_started_again_gets_the_icon_again(old: Session) -> None:
    """Its name is not on the bus, so that Qt itself has to see it come."""
    subprocess.run(
        ["xdotool", "search", "--class", "trayer", "windowkill"],
        env=old.app.environment, check=False, capture_output=True,
    )  # fmt: skip
    wait_for(lambda: icon(old) is None, "the panel's end")
    began = time.monotonic()
    with running(TRAYER, old.app.environment):
        wait_for(lambda: icon(old), "the icon in the new panel")
        assert time.monotonic() - began < 10
