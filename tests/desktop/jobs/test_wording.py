"""Sizes, ages and counts read as a person would write them."""

import pytest

from desktop.jobs import wording


@pytest.mark.parametrize(
    ("file_bytes", "written"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9_940, "9.9 kB"),
        (9_960, "10 kB"),
        (999_499, "999 kB"),
        (999_950, "1.0 MB"),
        (2_100_000, "2.1 MB"),
        (507_000_000, "507 MB"),
        (3_221_225_472, "3.2 GB"),
        (5_000_000_000_000, "5,000 GB"),
    ],
)
def test_a_size_has_a_unit_in_which_it_is_short(file_bytes: int, written: str) -> None:
    assert wording.size(file_bytes) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86_399, "23 hours ago"),
        (86_400, "yesterday"),
        (2 * 86_400, "2 days ago"),
        (4_000 * 86_400, "4,000 days ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, written: str) -> None:
    assert wording.age(seconds) == written


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (0.0, "0 %"),
        (0.0004, "under 1 %"),
        (0.01, "1 %"),
        (0.5, "50 %"),
        (0.99, "99 %"),
        (0.9996, "over 99 %"),
        (1.0, "100 %"),
    ],
)
def test_only_nothing_is_0_percent_and_only_all_is_100(part: float, written: str) -> None:
    assert wording.share(part) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (7043.0, "7,043"),
        (-12.0, "-12"),
        (0.03125, "0.03125"),
        (0.031257, "0.03126"),
        (29.85, "29.85"),
        (1889.5, "1,890"),
    ],
)
def test_a_number_has_four_telling_digits_unless_it_is_whole(value: float, written: str) -> None:
    assert wording.number(value) == written


def test_a_count_agrees_with_its_noun() -> None:
    assert wording.count(1, "row") == "1 row"
    assert wording.count(7043, "row") == "7,043 rows"
    assert wording.count(2, "class", "classes") == "2 classes"


def test_a_long_list_of_names_ends_with_how_many_are_left_out() -> None:
    assert wording.listed([]) == ""
    assert wording.listed(["a"]) == "'a'"
    assert wording.listed(["a", "b"]) == "'a' and 'b'"
    assert wording.listed(["a", "b", "c"]) == "'a', 'b' and 'c'"
    assert wording.listed(["a", "b", "c", "d", "e"]) == "'a', 'b', 'c' and 2 more"
