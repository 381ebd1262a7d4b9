"""Names of branches pass by git's own rules, and a job's branch is one by construction."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.code.refs import checked_branch, is_own, job_branch, slug
from shared.errors import BadInput
from tests.desktop.core.code.hostile_names import BRANCHES


@pytest.mark.parametrize("number", range(len(BRANCHES)))
def test_a_hostile_branch_is_refused_with_what_is_wrong(number: int) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a branch") as caught:
        checked_branch(BRANCHES[number])
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "name",
    ["main", "release/1.x", "feature/ünï", "a@b", "dependabot/npm/@x-1", "v1.0", "refs/heads/x"],
)
def test_a_real_branch_is_taken(name: str) -> None:
    assert checked_branch(f" {name} ") == name.removeprefix("refs/heads/")


@settings(max_examples=60)
@given(st.text(alphabet="ab.@{}/-lock~^: \\*[\x01é", min_size=1, max_size=12))
def test_what_is_taken_git_takes_too(name: str) -> None:
    try:
        bare = checked_branch(name)
    except BadInput:
        return
    argv = ["git", "check-ref-format", f"refs/heads/{bare}"]
    assert subprocess.run(argv, check=False).returncode == 0


@given(st.text(max_size=200))
def test_a_jobs_branch_is_a_good_name_whatever_its_title(title: str) -> None:
    branch = job_branch("K7Q2", title)
    assert branch.isascii()
    assert len(branch) <= 60
    assert checked_branch(branch) == branch
    assert is_own(branch)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Fix the parser!", "fix-the-parser"),
        ("  --force; rm -rf / ", "force-rm-rf"),
        ("Größe & Maß", "groe-ma"),
        ("Почини парсер", "work"),
        ("a.lock", "a-lock"),
        ("x" * 90, "x" * 40),
        ("the quick brown fox jumps over the lazy dog", "the-quick-brown-fox-jumps-over-the-lazy"),
    ],
)
def test_a_slug_is_cut_between_words(title: str, words: str) -> None:
    assert slug(title) == words


def test_only_what_is_below_our_name_is_our_own() -> None:
    assert not is_own("main")
    assert not is_own("deskhand/")
    assert not is_own("deskhand/../main")
    assert not is_own("Deskhand/x")
