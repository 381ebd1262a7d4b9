"""`deskhand quit`, by which installers end the program before they replace it."""

from __future__ import annotations

from tests.desktop.gui.tray.conftest import Session


def test_the_command_ends_the_program_and_returns_when_it_is_gone(xcb: Session) -> None:
    xcb.panel.come()
    xcb.app.start("--background")
    xcb.panel.until_icon()
    told = xcb.app.run("quit")
    assert told.returncode == 0, told.stderr
    assert xcb.app.program is not None
    assert xcb.app.program.wait(1) == 0
    assert not xcb.app.control.exists()
    again = xcb.app.run("quit")
    assert again.returncode == 0, "nothing runs, so there is nothing to end"
