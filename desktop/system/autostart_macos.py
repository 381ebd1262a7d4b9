"""Autostart on macOS: a launchd agent of the person."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.core.autostart import NAME, entry_name, launch_agent
from desktop.system.login_start import Program, Run, State, refused, write_if_new


class LaunchAgent:
    """A property list in the person's LaunchAgents folder."""

    def __init__(self, program: Program, run: Run, folder: Path) -> None:
        self._program = program
        self._run = run
        mark = entry_name(program.home).removeprefix(NAME)
        self.label = f"org.deskhand.worker{mark}"
        self.file = folder / f"{self.label}.plist"

    def turn_on(self, *, is_now: bool = False) -> State:
        content = launch_agent(self.label, self._program.command, str(self._program.log))
        write_if_new(self.file, content)
        self._run(("launchctl", "enable", self._target))
        if is_now:
            # One that is loaded already, with the old text perhaps, goes first.
            self._run(("launchctl", "bootout", self._target))
            command = ("launchctl", "bootstrap", self._domain, str(self.file))
            ran = self._run(command)
            if ran.code != 0:
                raise refused(command, ran)
        return self.state()

    def turn_off(self) -> State:
        # Not booted out: that would end the worker that runs.
        self.file.unlink(missing_ok=True)
        return self.state()

    def state(self) -> State:
        if not self.file.exists():
            return State(is_on=False, place=str(self.file))
        disabled = self._run(("launchctl", "print-disabled", self._domain)).said
        if any(
            self.label in line and ("=> true" in line or "=> disabled" in line)
            for line in disabled.splitlines()
        ):
            note = "It was switched off in System Settings, under Login Items."
            return State(is_on=False, place=str(self.file), notes=(note,))
        return State(is_on=True, place=str(self.file))

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}" if hasattr(os, "getuid") else "gui/0"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{self.label}"
