"""A diff is read by its counts: no line in it can pass for a header, and names are as on disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.unified_diff import LINES_MAX, FileStatus, LineSort, parse_diff, unquoted


def _diff(folder: Path, *, before: dict[str, bytes], after: dict[str, bytes]) -> str:
    """Have git write the diff of two folders' worth of files."""
    for name, files in (("a", before), ("b", after)):
        (folder / name).mkdir()
        for path, content in files.items():
            (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / path).write_bytes(content)
        _git(folder, f"--work-tree={name}", "add", "-A", "-f")
        tree = _git(folder, "write-tree").strip()
        (folder / f"{name}.tree").write_text(tree)
        _git(folder, "read-tree", "--empty")
    trees = [(folder / f"{name}.tree").read_text() for name in ("a", "b")]
    return _git(folder, "diff-tree", "-r", "-p", "-M", *trees)


def _git(folder: Path, *words: str) -> str:
    if not (folder / "g").exists():
        subprocess.run(["git", "init", "-q", str(folder / "g")], check=True)
    argv = ["git", f"--git-dir={folder / 'g' / '.git'}", "-c", "core.quotePath=false", *words]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return done.stdout.decode(errors="replace")


def test_lines_are_numbered_on_both_sides(tmp_path: Path) -> None:
    text = _diff(tmp_path, before={"x": b"1\n2\n3\n"}, after={"x": b"1\ntwo\n3\n4\n"})
    (file,) = parse_diff(text).files
    assert (file.path, file.status, file.added, file.removed) == ("x", FileStatus.CHANGED, 2, 1)
    lines = file.hunks[0].lines
    assert [(one.sort, one.text, one.old_number, one.new_number) for one in lines] == [
        (LineSort.SAME, "1", 1, 1),
        (LineSort.REMOVED, "2", 2, None),
        (LineSort.ADDED, "two", None, 2),
        (LineSort.SAME, "3", 3, 3),
        (LineSort.ADDED, "4", None, 4),
    ]


def test_a_line_that_looks_like_a_header_is_a_line(tmp_path: Path) -> None:
    odd = b"diff --git a/x b/x\n@@ -1 +1 @@\n-- a/etc/passwd\n++ b/y\nrename from z\n"
    text = _diff(tmp_path, before={"x": b"-- gone\n"}, after={"x": odd})
    (file,) = parse_diff(text).files
    assert file.path == "x"
    assert (file.added, file.removed) == (5, 1)
    assert file.hunks[0].lines[0].text == "-- gone"


@pytest.mark.parametrize(
    "name", ["ünï.txt", "a b.txt", 'quo"te', "back\\slash", "tab\there", "ü\n2"]
)
def test_odd_names_are_read_as_they_are_on_the_disk(tmp_path: Path, name: str) -> None:
    text = _diff(tmp_path, before={"k": b""}, after={"k": b"", name: b"x\n", "e" + name: b""})
    paths = {file.path for file in parse_diff(text).files}
    told = name.replace("\n", " ").replace("\t", " ")
    assert paths == {told, "e" + told}


def test_renames_modes_binaries_and_deletions_are_told(tmp_path: Path) -> None:
    long = b"".join(b"line %d\n" % n for n in range(50))
    text = _diff(
        tmp_path,
        before={"old name": long, "gone": b"1\n", "picture": b"\0\1"},
        after={"new name": long + b"more\n", "picture": b"\0\2"},
    )
    files = {file.path: file for file in parse_diff(text).files}
    assert files["new name"].status is FileStatus.RENAMED
    assert files["new name"].old_path == "old name"
    assert files["gone"].status is FileStatus.DELETED
    assert files["picture"].is_binary
    assert not files["picture"].hunks


def test_a_missing_line_end_is_a_note_and_no_line(tmp_path: Path) -> None:
    text = _diff(tmp_path, before={"x": b"1"}, after={"x": b"2"})
    (file,) = parse_diff(text).files
    assert (file.added, file.removed) == (1, 1)
    assert [line.sort for line in file.hunks[0].lines].count(LineSort.NOTE) == 2


def test_what_acts_in_a_line_is_blotted_out(tmp_path: Path) -> None:
    text = _diff(tmp_path, before={"x": b""}, after={"x": "a\x1b[2Jb\u202ec\n".encode()})
    assert parse_diff(text).files[0].hunks[0].lines[0].text == "a\ufffd[2Jb\ufffdc"


def test_a_diff_cut_in_a_hunk_says_so(tmp_path: Path) -> None:
    text = _diff(tmp_path, before={"x": b""}, after={"x": b"1\n2\n3\n"})
    cut = parse_diff(text[: text.index("+3")])
    assert cut.is_cut
    assert not parse_diff(text).is_cut


def test_lines_are_bounded() -> None:
    body = "\n".join("+x" for _ in range(LINES_MAX + 5))
    text = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -0,0 +1,{LINES_MAX + 5} @@\n{body}\n"
    diff = parse_diff(text)
    assert diff.is_cut
    assert diff.files[0].added == LINES_MAX


@given(st.text(max_size=300))
def test_nothing_that_is_no_diff_raises(text: str) -> None:
    parse_diff(text)
    parse_diff("diff --git a/x b/x\n@@ -1,3 +1,3 @@\n" + text)
    unquoted(f'"{text}"')
