"""Clones are found again by their session, worked in by one job, and go when nobody needs them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from desktop.jobs.code.clone_folders import FRESH_SECONDS, CloneFolder, CloneFolders
from shared.errors import Conflict

NAME = "01900000-0000-7000-8000-00000000cccc"


@pytest.fixture
def clones(tmp_path: Path) -> CloneFolders:
    return CloneFolders(tmp_path / "clones")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    (tmp_path / "session").mkdir()
    return tmp_path / "session"


def aged(folder: CloneFolder, seconds: float) -> None:
    when = time.time() - seconds
    os.utime(folder.path, (when, when))


def test_the_next_job_of_a_session_finds_its_clone(clones: CloneFolders, session: Path) -> None:
    with clones.held(NAME, session) as folder:
        clones.note(session, NAME)
        folder.tree.mkdir()

    assert clones.noted(session) == NAME


def test_a_clone_is_worked_in_by_one_job_at_a_time(clones: CloneFolders, session: Path) -> None:
    with clones.held(NAME, session), pytest.raises(Conflict), clones.held(NAME, session):
        pass

    with clones.held(NAME, session) as folder:
        assert folder.home.is_dir()


@pytest.mark.parametrize("note", ["", "{}", '{"clone": "../../etc"}', '{"clone": 3}', "[1]"])
def test_a_note_that_names_no_clone_is_none(clones: CloneFolders, session: Path, note: str) -> None:
    (session / "clone.json").write_text(note)

    assert clones.noted(session) == ""


def test_a_clone_goes_when_neither_session_nor_job_is_there(
    clones: CloneFolders, session: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "workdir"
    workdir.mkdir()
    with clones.held(NAME, session, workdir) as folder:
        (folder.tree / "locked").mkdir(parents=True)
        (folder.tree / "locked" / "file").touch()
        (folder.tree / "locked").chmod(0o500)
    aged(folder, FRESH_SECONDS + 1)

    session.rmdir()
    assert clones.sweep(7) == 0
    workdir.rmdir()
    assert clones.sweep(7) == 1

    assert not folder.path.exists()


def test_a_clone_that_is_worked_in_stays(clones: CloneFolders, tmp_path: Path) -> None:
    with clones.held(NAME, tmp_path / "gone") as folder:
        aged(folder, 10**7)

        assert clones.sweep(0) == 0

    assert clones.sweep(0) == 1


def test_a_clone_that_nobody_touched_for_days_goes_even_if_its_session_is_there(
    clones: CloneFolders, session: Path
) -> None:
    with clones.held(NAME, session) as folder:
        pass
    aged(folder, 3 * 86_400)

    assert clones.sweep(7) == 0
    assert clones.sweep(2) == 1
