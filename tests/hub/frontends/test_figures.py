"""Numbers read as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.frontends.figures import ago, bar, capital, count, duration, moment, plural

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(0, "░░░░░"), (0.6, "▓▓▓░░"), (0.999, "▓▓▓▓░"), (1, "▓▓▓▓▓"), (7, "▓▓▓▓▓"), (-1, "░░░░░")],
)
def test_a_bar_is_full_only_when_all_is_done(share: float, drawn: str) -> None:
    assert bar(share) == drawn


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"), (18, "18 s"), (59.6, "1 min"), (90, "1 min 30 s"), (600, "10 min"),
        (3600, "1 h"), (3900, "1 h 5 min"), (90_000, "1 d 1 h"), (-3, "0 s"),
    ],
)  # fmt: skip
def test_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("then", "text"),
    [
        (NOW - timedelta(minutes=28), "14:02"),
        (NOW - timedelta(days=1), "yesterday 14:30"),
        (NOW - timedelta(days=9), "12 Nov 14:30"),
        (NOW - timedelta(days=400), "17 Oct 2025"),
    ],
)
def test_a_moment_is_told_as_briefly_as_it_is_clear(then: datetime, text: str) -> None:
    assert moment(then, NOW, UTC) == text


def test_small_words() -> None:
    assert (count(7043), count(2.5), plural(1, "job"), plural(3, "job")) == (
        "7,043", "2.5", "1 job", "3 jobs",
    )  # fmt: skip
    assert (ago(NOW, NOW), ago(NOW - timedelta(minutes=3), NOW)) == ("just now", "3 min ago")
    assert capital("training on anna-PC") == "Training on anna-PC"


def test_an_age_is_told_to_the_minute() -> None:
    assert ago(NOW - timedelta(seconds=71), NOW) == "1 min ago"
    assert ago(NOW - timedelta(seconds=42), NOW) == "42 s ago"
