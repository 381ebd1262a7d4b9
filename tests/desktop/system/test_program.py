"""How this program is started again: the path must outlive the version it was started from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.system.program import lasting, start_command, worker_command


def test_the_command_that_starts_it_again_is_this_program(tmp_path: Path) -> None:
    said = subprocess.run(
        [*start_command(), "--help"], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    assert said.startswith("usage: deskhand")


def test_a_profile_apart_is_named_in_the_command(tmp_path: Path) -> None:
    assert worker_command(None)[-1] == "--headless"
    assert "--home" not in worker_command(None)
    assert worker_command(tmp_path)[-3:] == ("--home", str(tmp_path), "--headless")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize("inside", ["deskhand", "bin/deskhand", "venv/bin/deskhand"])
def test_a_version_in_a_folder_of_its_own_is_started_through_current(
    tmp_path: Path, inside: str
) -> None:
    for version in ("1.0-abc", "1.1-def"):
        program = tmp_path / version / inside
        program.parent.mkdir(parents=True)
        program.write_text("")
    (tmp_path / "current").symlink_to("1.1-def")
    newest = tmp_path / "1.1-def" / inside
    assert lasting(newest) == tmp_path / "current" / inside
    older = tmp_path / "1.0-abc" / inside
    assert lasting(older) == older, "current is another version"
    (tmp_path / "1.1-def" / "deskhand").touch()
    assert lasting(newest) == tmp_path / "current" / "deskhand", "stays whatever lies inside"


def test_a_program_in_any_other_place_stays_where_it_is(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "deskhand"
    assert lasting(program) == program
