"""The facts of a change are what git tells between NULs, whatever files are called."""

from __future__ import annotations

import pytest

from desktop.core.code.change import parse_files
from shared.unified_diff import FileStatus

_A, _B, _0 = "a" * 40, "b" * 40, "0" * 40


def test_files_are_told_with_their_lines() -> None:
    output = (
        f":100644 100755 {_A} {_B} M\0run.sh\0"
        f":000000 100644 {_0} {_B} A\0new\tname\n\0"
        f":100644 100644 {_A} {_B} R091\0from\0to\0"
        f":100644 000000 {_A} {_0} D\0gone\0"
        f":000000 120000 {_0} {_B} A\0link\0"
        "3\t1\trun.sh\0-\t-\tnew\tname\n\0" + "5\t2\t\0from\0to\0" + "0\t9\tgone\0" + "1\t0\tlink\0"
    )
    files = parse_files(output.encode())
    assert [(f.path, f.status, f.added, f.removed) for f in files] == [
        ("run.sh", FileStatus.CHANGED, 3, 1),
        ("new name ", FileStatus.ADDED, 0, 0),
        ("to", FileStatus.RENAMED, 5, 2),
        ("gone", FileStatus.DELETED, 0, 9),
        ("link", FileStatus.ADDED, 1, 0),
    ]
    assert files[0].is_mode_changed
    assert files[1].is_binary
    assert not files[1].is_mode_changed
    assert files[2].old_path == "from"
    assert files[4].is_link


def test_nothing_changed_is_no_file() -> None:
    assert parse_files(b"") == ()


@pytest.mark.parametrize("output", [b":1 2 3", b"x", b":1 2 3 4 Q\0p\0"])
def test_what_git_never_writes_is_refused(output: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_files(output)
