"""Lines of logs on a page: colours become classes, and nothing that acts is left."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.frontends.web.ansi import Piece, bare, pieces

ESC = "\x1b"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("plain", [Piece("plain", "")]),
        (f"{ESC}[31mred{ESC}[0m off", [Piece("red", "ansi-red"), Piece(" off", "")]),
        (
            f"{ESC}[1mbold{ESC}[32mgreen{ESC}[22mthin",
            [
                Piece("bold", "ansi-bold"),
                Piece("green", "ansi-bold ansi-green"),
                Piece("thin", "ansi-green"),
            ],
        ),
        (f"{ESC}[95mbright{ESC}[39mnone", [Piece("bright", "ansi-magenta"), Piece("none", "")]),
        (f"{ESC}[38;5;196mmany{ESC}[m", [Piece("many", "")]),
        (
            f"{ESC}]0;title\x07a{ESC}[2Kb{ESC}[1;1Hc",
            [Piece("a", ""), Piece("b", ""), Piece("c", "")],
        ),
        (f"cut{ESC}[", [Piece("cut", "")]),
    ],
    ids=["plain", "colour", "styles", "bright", "many colours", "other escapes", "cut off"],
)
def test_colours_become_classes(line: str, told: list[Piece]) -> None:
    assert pieces(line) == told


def test_what_is_searched_for_is_marked_in_any_case() -> None:
    assert pieces("An AUC, an auc", "auc") == [
        Piece("An ", ""),
        Piece("AUC", "", is_hit=True),
        Piece(", an ", ""),
        Piece("auc", "", is_hit=True),
    ]
    assert pieces("a.b axb", "a.b") == [Piece("a.b", "", is_hit=True), Piece(" axb", "")]


@given(st.text(f"{ESC}[]013;mKH?!\x07\x00\x9b\\aA é漢\u202e\r\t\n"))
@example(f"{ESC}[{';'.join('9' * 5000)}m")
@example(f"{ESC}[99999999999999999999m")
def test_any_line_is_harmless_and_loses_no_word(line: str) -> None:
    told = "".join(piece.text for piece in pieces(line))
    assert ESC not in told
    assert "\n" not in told
    assert told == "".join(piece.text for piece in pieces(line, "a"))
    assert ESC not in bare(line)
