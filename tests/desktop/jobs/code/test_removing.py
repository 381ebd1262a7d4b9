"""A folder goes whatever a hostile program made of it, and nothing outside of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.jobs.code import removing
from desktop.jobs.code.removing import remove
from tests.desktop.jobs.code.escape.world import new_folder, python_for

DEEPER_THAN_PYTHON = 1100
NAME = "a" * 20
ROOT = Path(__file__).resolve().parents[4]
LOCKED = """
import sys
from pathlib import Path
from desktop.jobs.code.removing import remove
folder = Path(sys.argv[1])
for mode in (0o000, 0o300, 0o500):
    locked = folder / f"{mode:o}" / "below"
    locked.mkdir(parents=True)
    (locked / "file").write_text("x")
    locked.chmod(mode)
    locked.parent.chmod(mode)
folder.chmod(0o000)
remove(folder)
sys.exit(folder.exists())
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    yield from new_folder()


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "clone" / "a" / "b").mkdir(parents=True)
    (tmp_path / "clone" / "a" / "file").write_text("x")

    remove(tmp_path / "clone")
    remove(tmp_path / "clone")

    assert not (tmp_path / "clone").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="paths are short there")
def test_a_folder_goes_that_is_deeper_than_any_path_can_say(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    with contextlib.ExitStack() as back:
        back.callback(os.chdir, Path.cwd())
        os.chdir(folder)
        for _ in range(DEEPER_THAN_PYTHON):
            Path(NAME).mkdir()
            os.chdir(NAME)

    remove(folder)

    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing there")
def test_folders_that_may_not_be_entered_go(open_folder: Path) -> None:
    user = 65534 if os.geteuid() == 0 else None  # no mode keeps root out
    if user is not None:
        os.chown(open_folder, user, user)
    done = subprocess.run(
        [python_for(user), "-c", LOCKED, str(open_folder / "clone")],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/", capture_output=True, text=True, user=user, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_no_link_is_followed_even_by_hand(tmp_path: Path) -> None:
    (tmp_path / "person").mkdir(mode=0o750)
    (tmp_path / "person" / "file").write_text("mine")
    (tmp_path / "clone" / "below").mkdir(parents=True)
    (tmp_path / "clone" / "below" / "link").symlink_to(tmp_path / "person")
    (tmp_path / "clone" / "file").symlink_to(tmp_path / "person" / "file")

    removing._remove_by_hand(tmp_path / "clone")

    assert not (tmp_path / "clone").exists()
    assert (tmp_path / "person" / "file").read_text() == "mine"
    assert (tmp_path / "person").stat().st_mode & 0o777 == 0o750
