"""Autostart on Linux: a systemd user unit, or a desktop's own autostart folder without systemd."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path

from desktop.core.autostart import desktop_entry, entry_name, is_hidden, systemd_unit
from desktop.system.login_start import (
    Autostart,
    Program,
    Run,
    State,
    refused,
    start_detached,
    write_if_new,
)
from desktop.system.program import BACKGROUND

IS_UP = frozenset({"running", "degraded", "starting", "initializing", "maintenance"})
"""What `systemctl is-system-running` says of a manager that answers (systemctl(1))."""
GRAPHICAL = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP")


def on_linux(program: Program, run: Run, variables: Mapping[str, str]) -> Autostart | None:
    """Choose by what is there; None when nothing is."""
    config = Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    is_graphical = any(variables.get(name) for name in GRAPHICAL)
    if run(("systemctl", "--user", "is-system-running")).said.strip() in IS_UP:
        return SystemdUnit(program, run, config / "systemd" / "user", is_graphical=is_graphical)
    entry = DesktopEntry(program, config / "autostart")
    return entry if is_graphical or entry.file.exists() else None


class SystemdUnit:
    """A unit of the person's own manager; their journal keeps what it says."""

    def __init__(self, program: Program, run: Run, folder: Path, *, is_graphical: bool) -> None:
        self._program = program
        self._run = run
        self._is_graphical = is_graphical
        self.name = f"{entry_name(program.home)}.service"
        self.file = folder / self.name

    def turn_on(self, *, is_now: bool = False) -> State:
        write_if_new(self.file, systemd_unit(self._program.command).encode())
        self._control("daemon-reload")
        self._control("enable", self.name)
        if is_now:
            self._control("start", self.name)
        return State(is_on=True, place=str(self.file), notes=self._lingering())

    def turn_off(self) -> State:
        if self.file.exists():
            self._control("disable", self.name)
            self.file.unlink()
            self._control("daemon-reload")
        return self.state()

    def state(self) -> State:
        enabled = self._run(("systemctl", "--user", "is-enabled", self.name)).said.strip()
        is_on = self.file.exists() and enabled == "enabled"
        notes = ("It was switched off in systemd.",) if self.file.exists() and not is_on else ()
        return State(is_on=is_on, place=str(self.file), notes=notes)

    def _control(self, *arguments: str) -> None:
        command = ("systemctl", "--user", *arguments)
        ran = self._run(command)
        if ran.code != 0:
            raise refused(command, ran)

    def _lingering(self) -> tuple[str, ...]:
        """Without a screen nobody may ever log in: ask that it starts with the machine."""
        if self._is_graphical:
            return ()
        person = getpass.getuser()
        asked = self._run(("loginctl", "show-user", person, "--property=Linger", "--value"))
        if asked.said.strip() == "yes" or self._run(("loginctl", "enable-linger")).code == 0:
            return ("It starts with the machine and stays when you log out.",)
        return (
            "It starts at your login and ends with your last session. To start it with the "
            f"machine: sudo loginctl enable-linger {person}",
        )


class DesktopEntry:
    """A file that desktops read at login (Desktop Application Autostart Specification)."""

    def __init__(self, program: Program, folder: Path) -> None:
        self._program = program
        self.file = folder / f"{entry_name(program.home)}.desktop"

    def turn_on(self, *, is_now: bool = False) -> State:
        command = self._program.command
        write_if_new(self.file, desktop_entry(command, needs_tray=BACKGROUND in command).encode())
        if is_now:
            start_detached(self._program.command, self._program.log)
        return self.state()

    def turn_off(self) -> State:
        self.file.unlink(missing_ok=True)
        return self.state()

    def state(self) -> State:
        if not self.file.exists():
            return State(is_on=False, place=str(self.file))
        if is_hidden(self.file.read_text(encoding="utf-8", errors="replace")):
            note = "It was switched off in the desktop's settings."
            return State(is_on=False, place=str(self.file), notes=(note,))
        return State(is_on=True, place=str(self.file))
