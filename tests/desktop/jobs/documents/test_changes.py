"""Changes happen once, whenever the process dies, and never over somebody else's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.jobs.documents.changes import (
    KEPT_SECONDS,
    Change,
    Changes,
    hash_of,
)
from shared.errors import AppError
from shared.ids import JobId


def job(number: int) -> JobId:
    return JobId(f"01900000-0000-7000-8000-{number:012x}")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize(
    ("word", "left", "steps_min"),
    [("edit", ["notes.md"], 7), ("new", ["notes.md"], 7), ("gone", [], 5)],
)
def test_killed_between_any_two_steps_a_change_happens_once(
    tmp_path: Path, word: str, left: list[str], steps_min: int
) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.desktop.jobs.documents.killing", str(tmp_path), word],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    told = [json.loads(line) for line in said.stdout.splitlines()]
    assert len(told) > steps_min
    assert [one["was_killed"] for one in told] == [True] * (len(told) - 1) + [False]
    for one in told:
        assert one["between"], "half a file was seen"
        assert one["is_after"]
        assert one["is_once"]
        assert one["can_undo"]
        assert one["left"] == left
        assert one["mode"] in (("0o640",) if word == "edit" else ("0o644", "0o664", ""))


def begun(tmp_path: Path, before: bytes | None, after: bytes | None) -> tuple[Changes, Change]:
    changes = Changes(tmp_path / "data")
    path = tmp_path / "notes.md"
    if before is not None:
        path.write_bytes(before)
    return changes, changes.begin(job(1), path, before, after, now=100.0)


@pytest.mark.parametrize(("before", "after"), [(b"a", b"b"), (None, b"b"), (b"a", None)])
def test_what_somebody_else_wrote_meanwhile_is_left(
    tmp_path: Path, before: bytes | None, after: bytes | None
) -> None:
    changes, change = begun(tmp_path, before, after)
    (tmp_path / "notes.md").write_bytes(b"theirs")
    with pytest.raises(AppError) as caught:
        changes.carry_out(change)
    assert caught.value.code == "file_changed"
    assert (tmp_path / "notes.md").read_bytes() == b"theirs"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_file_that_came_in_the_last_moment_is_left(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"

    def between(step: str) -> None:
        if step == "replace":
            path.write_bytes(b"theirs")

    for before in (None, b"mine"):
        if before is not None:
            path.write_bytes(before)
        changes = Changes(tmp_path / f"data{before!r}", between=between)
        with pytest.raises(AppError):
            changes.carry_out(changes.begin(job(1), path, before, b"b", now=0.0))
        assert path.read_bytes() == b"theirs"
        path.unlink()


def test_a_place_that_may_not_be_written_any_more_is_left(tmp_path: Path) -> None:
    changes, change = begun(tmp_path, b"a", b"b")

    def check() -> None:
        raise AppError("file_outside_folders", "No.", "")

    with pytest.raises(AppError):
        changes.carry_out(change, check=check)
    assert (tmp_path / "notes.md").read_bytes() == b"a"


def test_a_damaged_copy_is_not_written(tmp_path: Path) -> None:
    changes, change = begun(tmp_path, b"a", b"b")
    (tmp_path / "data" / "changes" / change.job_id / "after").write_bytes(b"half")
    with pytest.raises(AppError) as caught:
        changes.carry_out(change)
    assert caught.value.code == "change_lost"
    assert (tmp_path / "notes.md").read_bytes() == b"a"


def test_a_broken_record_is_no_change(tmp_path: Path) -> None:
    changes, change = begun(tmp_path, b"a", b"b")
    (tmp_path / "data" / "changes" / change.job_id / "record.json").write_bytes(b'{"job\xff')
    assert changes.find(change.job_id) is None
    assert changes.find("../../etc") is None


def test_old_changes_are_forgotten_and_open_ones_are_not(tmp_path: Path) -> None:
    changes, change = begun(tmp_path, b"a", b"b")
    changes.carry_out(change)
    path = tmp_path / "other.md"
    changes.begin(job(2), path, None, b"x", now=100.0)
    changes.begin(job(3), path, None, b"x", now=100.0 + 2 * KEPT_SECONDS)
    assert changes.find(job(1)) is None
    assert changes.find(job(2)) is not None


def test_only_so_many_changes_are_kept(tmp_path: Path) -> None:
    changes = Changes(tmp_path / "data", kept_max=7)
    for number in range(12):
        path = tmp_path / f"{number}.md"
        changes.carry_out(changes.begin(job(number), path, None, b"x", now=float(number)))
    kept = changes.done()
    assert [one.name for one in kept] == [f"{number}.md" for number in range(11, 4, -1)]
    assert hash_of(None) == ""
