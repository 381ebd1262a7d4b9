"""Counting how long things took."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.histogram import Histogram

BOUNDS = (1.0, 2.0, 5.0)


def test_a_value_falls_into_the_first_bucket_that_holds_it() -> None:
    histogram = Histogram(BOUNDS)
    for value in (0.0, 1.0, 1.5, 5.0, 5.1):
        histogram.note(value)
    assert histogram.counts == [2, 1, 1, 1]
    assert (histogram.count, histogram.sum) == (5, 12.6)


@given(st.lists(st.floats(0, 100)))
def test_nothing_is_lost_between_buckets(values: list[float]) -> None:
    histogram = Histogram(BOUNDS)
    for value in values:
        histogram.note(value)
    below = [sum(histogram.counts[: place + 1]) for place in range(len(BOUNDS))]
    assert below == [sum(value <= bound for value in values) for bound in BOUNDS]
    assert histogram.count == len(values)
