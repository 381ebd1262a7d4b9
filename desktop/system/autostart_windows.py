"""Autostart on Windows: the Run key of the person, and what Task Manager says of it."""

from __future__ import annotations

import contextlib
import sys
from typing import Protocol

from desktop.core.autostart import entry_name, run_value
from desktop.system.login_start import Program, State, start_detached

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
"""Task Manager's switch: the first byte is odd for what a person switched off there."""


class Registry(Protocol):
    """The person's part of the registry (HKEY_CURRENT_USER)."""

    def read(self, key: str, name: str) -> str | bytes | None: ...
    def write(self, key: str, name: str, value: str) -> None: ...
    def delete(self, key: str, name: str) -> None: ...


class RunKey:
    def __init__(self, program: Program, registry: Registry) -> None:
        self._program = program
        self._registry = registry
        self._name = entry_name(program.home).capitalize()

    def turn_on(self, *, is_now: bool = False) -> State:
        self._registry.write(RUN, self._name, run_value(self._program.command))
        # A switch that stands on "off" would win; whoever asks for this now means it.
        self._registry.delete(APPROVED, self._name)
        if is_now:
            start_detached(self._program.command, self._program.log)
        return self.state()

    def turn_off(self) -> State:
        self._registry.delete(RUN, self._name)
        self._registry.delete(APPROVED, self._name)
        return self.state()

    def state(self) -> State:
        place = rf"HKEY_CURRENT_USER\{RUN}\{self._name}"
        if self._registry.read(RUN, self._name) is None:
            return State(is_on=False, place=place)
        switch = self._registry.read(APPROVED, self._name)
        if isinstance(switch, bytes) and switch[:1] and switch[0] & 1:
            note = "It was switched off in Task Manager, under Startup apps."
            return State(is_on=False, place=place, notes=(note,))
        return State(is_on=True, place=place)


if sys.platform == "win32":
    import winreg

    class CurrentUser:
        """The real one."""

        def read(self, key: str, name: str) -> str | bytes | None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                    value, _ = winreg.QueryValueEx(opened, name)
            except FileNotFoundError:
                return None
            return value if isinstance(value, (str, bytes)) else None

        def write(self, key: str, name: str, value: str) -> None:
            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                # Not REG_EXPAND_SZ: a percent sign in a path is a percent sign.
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)

        def delete(self, key: str, name: str) -> None:
            access = winreg.KEY_SET_VALUE
            with (
                contextlib.suppress(FileNotFoundError),
                winreg.OpenKey(winreg.HKEY_CURRENT_USER, key, 0, access) as opened,
            ):
                winreg.DeleteValue(opened, name)
