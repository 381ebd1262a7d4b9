"""Exact replacements: each old part stands once, or nothing is changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.documents.edits import Replacement, edited, with_ends_of
from shared.errors import BadInput


def test_each_part_is_found_in_the_text_as_it_was() -> None:
    edits = [Replacement("b", "a"), Replacement("a", "b")]
    assert edited("a-b", edits, name="a.md") == "b-a"


@pytest.mark.parametrize(
    ("text", "old", "code"),
    [
        ("one two", "three", "edit_not_found"),
        ("one one", "one", "edit_ambiguous"),
        ("aaa", "aa", "edit_ambiguous"),
        ("One", "one", "edit_not_found"),
    ],
)
def test_what_does_not_stand_there_once_is_refused(text: str, old: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        edited(text, [Replacement(old, "x")], name="a.md")
    assert caught.value.code == code


def test_edits_of_the_same_part_are_refused() -> None:
    edits = [Replacement("one two", "1"), Replacement("two three", "2")]
    with pytest.raises(BadInput) as caught:
        edited("one two three", edits, name="a.md")
    assert caught.value.code == "edits_overlap"


def test_line_ends_are_those_of_the_file() -> None:
    text = "one\r\ntwo\r\n"
    assert edited(text, [Replacement("one\ntwo", "1\n2")], name="a") == "1\r\n2\r\n"
    assert with_ends_of("a\nb\n", text) == "a\r\nb\r\n"
    assert with_ends_of("a\r\nb\n", "x\n") == "a\nb\n"


@given(st.text(alphabet="ab\n", max_size=30), st.text(alphabet="ab\n", min_size=1, max_size=4))
def test_an_edit_and_its_contrary_leave_the_text_as_it_was(text: str, old: str) -> None:
    new = "X"
    if text.count(old) != 1 or text.find(old, text.find(old) + 1) >= 0:
        return
    there = edited(text, [Replacement(old, new)], name="a")
    assert edited(there, [Replacement(new, old)], name="a") == text
