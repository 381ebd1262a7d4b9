"""Which figures of an answer stand in what was computed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.analysis.figures import cited, unfounded
from desktop.core.analysis.results import Numbered, Results, Tabled

RESULTS = Results(
    numbers=(
        Numbered(name="share", value=0.041897),
        Numbered(name="revenue", value=1_234_567.0),
        Numbered(name="change", value=-12.5),
    ),
    tables=(
        Tabled(
            name="by year",
            columns=("year", "mean", "when"),
            rows=((2023, 38.79, "2024-05-17"), (2024, 48.834, "Q3")),
            rows_total=344,
        ),
    ),
)


@pytest.mark.parametrize(
    "text",
    [
        "It is 38.79.", "It is 38.8 mm", "about 39", "48.83", "4.2 %", "4.19%", "4 percent",
        "1,234,567", "1.2 million", "1.23M", "1,235 thousand", "1,234,567.00", "1 234 567",
        "a fall of 12.5", "−12.5", "in 2023", "344 rows", "2 rows", "on 2024-05-17", "1,230,000",
        "1. first\n2. second\n3) third", "no figure at all", "Q3", "covid19 and H2O",
    ],
)  # fmt: skip
def test_what_was_computed_founds_its_roundings(text: str) -> None:
    assert unfounded(text, RESULTS) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It is 38.7.", ("38.7",)),
        ("5.2 %", ("5.2 %",)),
        ("1.3 million", ("1.3 million",)),
        ("1,234,568", ("1,234,568",)),
        ("in 1999", ("1999",)),
        ("38.79 and 99 and 99", ("99",)),
        ("1,300,000", ("1,300,000",)),
        ("7 of them", ("7",)),
        ("grew by 73 % to 48.83", ("73 %",)),
    ],
)
def test_what_was_not_is_told(text: str, found: tuple[str, ...]) -> None:
    assert unfounded(text, RESULTS) == found


def test_figures_of_the_question_need_no_ground() -> None:
    assert unfounded("Since 1999, none.", RESULTS, known=["What since 1999?"]) == ()


@given(st.floats(min_value=0.01, max_value=1e9), st.integers(min_value=0, max_value=6))
def test_any_number_founds_itself_as_it_is_written(value: float, digits: int) -> None:
    results = Results(numbers=(Numbered(name="n", value=value),))
    assert unfounded(f"It is {value:,.{digits}f}.", results) == ()


@pytest.mark.parametrize("text", ["1,", "9", "1 ", "-", "1.1", "1,111", "12. "])
def test_hostile_text_comes_to_an_end(text: str) -> None:
    assert len(list(cited(text * 25_000))) <= 50_000
