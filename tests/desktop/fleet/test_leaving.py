"""A node keeps nothing: not of jobs that are over, and not of nodes that were killed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from desktop.fleet.leaving import LOCK_NAME, PREFIX, Leftovers, own_folder
from desktop.system.paths import Paths
from shared.environment import Environment
from shared.ids import JobId

JOB = JobId("0198c0de-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_folder_is_gone_with_its_node(tmp_path: Path) -> None:
    with own_folder() as paths:
        (paths.jobs / "note").write_text("something")
        assert paths.data.parent == tmp_path

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_node_left_goes_with_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK_NAME).touch()
    (tmp_path / f"{PREFIX}unlike").mkdir()

    with own_folder() as mine, own_folder() as other:
        assert mine.data.exists()
        assert other.data.exists()

    assert [one.name for one in tmp_path.iterdir()] == [f"{PREFIX}unlike"]


async def test_folders_of_jobs_go_once_they_are_over(tmp_path: Path) -> None:
    paths = Paths(data=tmp_path, config=tmp_path, home=tmp_path)
    paths.make()
    for folder in (paths.jobs / JOB, paths.runs / JOB, paths.jobs / "another"):
        folder.mkdir(parents=True)
    leftovers = Leftovers(paths, Environment())

    leftovers.ended(JOB)
    leftovers.ended(JobId("../worker.sqlite3"))
    await leftovers.run_once()

    assert [one.name for one in paths.jobs.iterdir()] == ["another"]
    assert not (paths.runs / JOB).exists()
