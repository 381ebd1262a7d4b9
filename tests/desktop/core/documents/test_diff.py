"""Diffs: as the program `diff` and our own reader understand them, bounded, never slow."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.documents.diff import diff

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d e\n"]), max_size=25)


@given(LINES, LINES)
@settings(max_examples=60)
def test_what_is_counted_is_what_changed(old: list[str], new: list[str]) -> None:
    made = diff("".join(old), "".join(new), name="a.md", chars_max=100_000)
    assert len(new) - len(old) == made.added - made.removed
    assert (made.text == "") == (old == new)


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program patch")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\nb\nc\n", "a\nX\nc\n"),
        ("", "a\nb\n"),
        ("a\nb\n", ""),
        ("a\nb", "a\nb\n"),
        ("".join(f"{n}\n" for n in range(100)), "".join(f"{n}\n" for n in range(100) if n % 40)),
        ("x\n" * 3000, "y\n" * 3000),
    ],
    ids=["middle", "new", "gone", "end", "far", "huge"],
)
def test_the_program_patch_makes_the_new_text_of_it(tmp_path: Path, old: str, new: str) -> None:
    made = diff(old, new, name="a.md", chars_max=1_000_000)
    (tmp_path / "a.md").write_text(old)
    subprocess.run(
        ["patch", "--silent", "-p1"], cwd=tmp_path, input=made.text, text=True, check=True,
        timeout=20,
    )  # fmt: skip
    left = tmp_path / "a.md"
    assert (left.read_text() if left.exists() else "") == new


def test_a_long_diff_is_cut_at_a_line_and_counted_whole() -> None:
    made = diff("", "line\n" * 1000, name="a.md", chars_max=200)
    assert made.is_cut
    assert made.added == 1000
    assert made.text.endswith("+line\n")
    assert len(made.text) <= 200


def test_a_name_cannot_forge_a_line() -> None:
    made = diff("a\n", "b\n", name="x\n+++ y", chars_max=1000)
    assert made.text.splitlines()[0] == "--- a/x +++ y"
