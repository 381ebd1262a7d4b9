"""One program starts at login: the tray app or the worker without a window, never both."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.system.login_choice import login_of
from desktop.system.login_start import Autostart
from desktop.system.paths import Paths
from tests.desktop.system.test_autostart import System


class Session:
    """A profile on a Linux desktop with systemd."""

    def __init__(self, home: Path, manager: str = "running") -> None:
        self.paths = Paths(data=home / "data", config=home / "data", home=None)
        self.system = System(manager=manager)
        self.variables = {"XDG_CONFIG_HOME": str(home), "DISPLAY": ":0"}
        self.entry = home / "autostart" / "deskhand.desktop"
        self.unit = home / "systemd" / "user" / "deskhand.service"

    def switch(self, *, is_tray: bool) -> Autostart:
        return login_of(
            self.paths,
            is_tray=is_tray,
            run=self.system,
            variables=self.variables,
            platform="linux",
        )


def test_the_tray_app_is_a_file_of_the_desktop_and_takes_the_workers_place(
    tmp_path: Path,
) -> None:
    here = Session(tmp_path)
    assert here.switch(is_tray=False).turn_on().place == str(here.unit)
    state = here.switch(is_tray=True).turn_on()
    assert (state.is_on, state.place) == (True, str(here.entry))
    assert "--background" in here.entry.read_text()
    assert "--headless" not in here.entry.read_text()
    assert not here.unit.exists()


def test_asking_for_the_worker_leaves_the_tray_app_that_starts_it_anyway(tmp_path: Path) -> None:
    here = Session(tmp_path)
    here.switch(is_tray=True).turn_on()
    assert here.switch(is_tray=False).turn_on().place == str(here.entry)
    assert not here.unit.exists()
    assert here.switch(is_tray=False).state().is_on


@pytest.mark.parametrize("is_tray", [True, False])
def test_off_is_off_whoever_says_it_and_whatever_was_on(tmp_path: Path, is_tray: bool) -> None:
    here = Session(tmp_path)
    for was_tray in (True, False):
        here.switch(is_tray=was_tray).turn_on()
        assert not here.switch(is_tray=is_tray).turn_off().is_on
        assert not here.entry.exists()
        assert not here.unit.exists()


def test_what_a_person_switched_off_in_the_desktop_is_told_and_left(tmp_path: Path) -> None:
    here = Session(tmp_path)
    here.switch(is_tray=True).turn_on()
    hidden = here.entry.read_text() + "Hidden=true\n"
    here.entry.write_text(hidden)
    state = here.switch(is_tray=True).state()
    assert not state.is_on
    assert "switched off" in " ".join(state.notes)
    assert here.entry.read_text() == hidden


def test_without_systemd_both_are_the_same_file(tmp_path: Path) -> None:
    here = Session(tmp_path, manager="offline")
    here.switch(is_tray=False).turn_on()
    assert "--headless" in here.entry.read_text()
    here.switch(is_tray=True).turn_on()
    assert "--background" in here.entry.read_text()
    assert here.switch(is_tray=False).turn_off().is_on is False
    assert not here.entry.exists()


def test_the_entry_of_the_tray_is_as_desktops_read_it(tmp_path: Path) -> None:
    here = Session(tmp_path)
    here.switch(is_tray=True).turn_on()
    lines = here.entry.read_text().splitlines()
    assert lines[0] == "[Desktop Entry]"
    assert "Type=Application" in lines
    assert "Terminal=false" in lines
    assert "X-KDE-autostart-after=panel" in lines
    assert "X-LXQt-Need-Tray=true" in lines
    [command] = [line for line in lines if line.startswith("Exec=")]
    assert command.endswith('"--background"')
