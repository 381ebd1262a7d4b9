"""Long texts are cut where people would cut them; nothing is lost and nothing is twice there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.pieces import PIECE_CHARS_MIN, groups, pieces


@given(st.text(max_size=3000), st.integers(0, 1500))
def test_the_pieces_together_are_the_text_and_none_is_too_long(text: str, size: int) -> None:
    made = pieces(text, size)
    assert "".join(made) == text
    assert all(len(piece) <= max(size, PIECE_CHARS_MIN) for piece in made)
    assert all(made) or text == ""


def test_a_piece_ends_where_a_paragraph_does() -> None:
    text = "a" * 150 + ".\n\n" + "b" * 180
    assert pieces(text, 200) == ["a" * 150 + ".\n\n", "b" * 180]


def test_a_border_that_comes_too_early_is_none() -> None:
    text = "a.\n\n" + "b" * 150 + " " + "c" * 150
    assert pieces(text, 220)[0] == "a.\n\n" + "b" * 150 + " "


def test_a_text_without_any_border_is_cut_all_the_same() -> None:
    assert [len(piece) for piece in pieces("x" * 1000, 300)] == [300, 300, 300, 100]


@given(st.lists(st.text(max_size=50), max_size=30), st.integers(1, 200))
def test_groups_keep_the_order_and_what_fits_goes_together(texts: list[str], size: int) -> None:
    made = groups(texts, size)
    assert [text for group in made for text in group] == texts
    assert all(len(group) == 1 or sum(map(len, group)) <= size for group in made)
