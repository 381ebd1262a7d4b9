"""What a new file may be called, on every system."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.documents.format import Format, format_of
from desktop.core.documents.new_name import check_new, fault_of, free_beside, same, with_ending
from shared.errors import BadInput


@pytest.mark.parametrize(
    "part", [".bashrc", "..", "~a", "$a", "a.", "a ", " a", "a:b", "nul.md", "a\u202eb", "é" * 121]
)
def test_what_some_system_refuses_is_refused_on_all(part: str) -> None:
    assert fault_of(part)


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_refused(name: str) -> None:
    with contextlib.suppress(BadInput):
        assert all(fault_of(part) == "" for part in check_new(name))


def test_a_free_name_is_one_that_no_system_takes_for_another() -> None:
    assert free_beside("a.md", ["b.md"]) == "a.md"
    assert free_beside("a.md", ["A.MD", "a 2.md"]) == "a 3.md"
    assert free_beside("a", ["a"]) == "a 2"
    assert same("Caf\u00e9") == same("CAFE\u0301")


def test_the_ending_says_the_format() -> None:
    assert with_ending("a.MD", ".md") == "a.MD"
    assert with_ending("run.sh", ".md") == "run.sh.md"
    assert format_of("a.PDF", None) is Format.PDF
    assert format_of("a", None) is Format.MD
    with pytest.raises(BadInput):
        format_of("a.pdf", "docx")
