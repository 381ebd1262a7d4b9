"""How this program is started again: the path must outlive the version it was started from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.system.program import (
    environment_for_others,
    forget_our_libraries,
    hub_command,
    job_command,
    lasting,
    start_command,
    worker_command,
)


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


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this process believe it is the self-contained program in a folder; return that."""
    program = tmp_path / ("deskhand.exe" if sys.platform == "win32" else "deskhand")
    program.touch()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    return tmp_path


def test_a_frozen_program_runs_jobs_by_the_program_beside_it_or_by_itself(frozen: Path) -> None:
    assert job_command() == [sys.executable, "run-job"], "the worker for servers has one only"
    assert hub_command() is None
    suffix = Path(sys.executable).suffix
    for name in ("deskhand-job", "deskhand-hub"):
        (frozen / f"{name}{suffix}").touch()
    assert job_command() == [str(frozen / f"deskhand-job{suffix}")]
    assert hub_command() == [str(frozen / f"deskhand-hub{suffix}")]


def test_from_source_the_hub_is_the_one_in_this_python() -> None:
    command = hub_command()
    assert command is not None
    said = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "deskhand-hub" in said


OURS = {
    "LD_LIBRARY_PATH": "/opt/deskhand/_internal",
    "QT_PLUGIN_PATH": "/opt/deskhand/_internal/PySide6/Qt/plugins",
    "_PYI_APPLICATION_HOME_DIR": "/opt/deskhand/_internal",
    "HOME": "/home/anna",
}


@pytest.mark.usefixtures("frozen")
def test_other_programs_see_nothing_of_what_freezing_put_into_the_environment() -> None:
    assert environment_for_others(OURS) == {"HOME": "/home/anna"}
    own = OURS | {"LD_LIBRARY_PATH_ORIG": "/usr/local/lib"}
    assert environment_for_others(own)["LD_LIBRARY_PATH"] == "/usr/local/lib"


def test_from_source_the_environment_stays_as_the_person_set_it() -> None:
    assert environment_for_others(OURS) == OURS


@pytest.mark.usefixtures("frozen")
def test_the_frozen_program_forgets_its_libraries_for_all_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (OURS | {"LD_LIBRARY_PATH_ORIG": "/usr/local/lib"}).items():
        monkeypatch.setenv(name, value)
    forget_our_libraries()
    assert os.environ["LD_LIBRARY_PATH"] == "/usr/local/lib"
    assert not {"QT_PLUGIN_PATH", "LD_LIBRARY_PATH_ORIG"} & os.environ.keys()
    assert os.environ["HOME"] == "/home/anna"
