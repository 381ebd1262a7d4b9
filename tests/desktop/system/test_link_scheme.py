"""Links come to this program, and to the packaged one where there is one."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from desktop.system.link_scheme import on_linux, on_windows
from desktop.system.login_start import Ran

COMMAND = ("/opt/desk hand/100% $x/deskhand",)


class System:
    """Keeps what it was asked to run."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, command: Sequence[str]) -> Ran:
        self.asked.append(" ".join(command))
        return Ran(127, "not found")


def test_the_entry_is_written_once_and_desktops_are_told(tmp_path: Path) -> None:
    system = System()
    variables = {"XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path / "none")}
    entry = on_linux(COMMAND, tmp_path / "icon.png", variables, system)
    assert entry == tmp_path / "applications" / "deskhand.desktop"
    told = [
        f"update-desktop-database {tmp_path / 'applications'}",
        "xdg-mime default deskhand.desktop x-scheme-handler/deskhand",
    ]
    assert system.asked == told
    on_linux(COMMAND, tmp_path / "icon.png", variables, system)
    assert system.asked == told


def test_a_packaged_entry_is_left_to_its_package(tmp_path: Path) -> None:
    packaged = tmp_path / "usr" / "applications" / "deskhand.desktop"
    packaged.parent.mkdir(parents=True)
    packaged.touch()
    variables = {
        "XDG_DATA_HOME": str(tmp_path / "own"),
        "XDG_DATA_DIRS": f"{tmp_path / 'none'}:{tmp_path / 'usr'}",
    }
    system = System()
    assert on_linux(COMMAND, tmp_path / "icon.png", variables, system) is None
    assert system.asked == []
    assert not (tmp_path / "own").exists()


@pytest.mark.skipif(
    shutil.which("desktop-file-validate") is None, reason="needs desktop-file-validate"
)
def test_the_entry_is_valid_by_the_desktops_own_tool(tmp_path: Path) -> None:
    variables = {"XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path / "none")}
    entry = on_linux(COMMAND, tmp_path / "icon.png", variables, System())
    assert entry is not None
    said = subprocess.run(
        ["desktop-file-validate", entry], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (0, "")


def test_windows_gets_the_class_of_the_person_alone() -> None:
    class Registry:
        def __init__(self) -> None:
            self.held: dict[tuple[str, str], str] = {}

        def write(self, key: str, name: str, value: str) -> None:
            self.held[key, name] = value

    registry = Registry()
    on_windows((r"C:\d\deskhand.exe",), registry)
    assert registry.held[r"Software\Classes\deskhand\shell\open\command", ""] == (
        r'"C:\d\deskhand.exe" "%1"'
    )
    assert len(registry.held) == 3
