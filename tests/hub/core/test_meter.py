"""How a queue was in its last hour."""

from __future__ import annotations

import sys

import pytest

from hub.core.meter import (
    HOUR_SECONDS,
    POINTS,
    SAMPLE_SECONDS,
    SAMPLES_MAX,
    Load,
    Loads,
    Meter,
    percentile,
)

NOW = 10_000.0


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.5, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([1.0, 2.0], 1.0, 2.0),
    ],
    ids=["none", "one", "half", "of-a-hundred", "all"],
)
def test_a_percentile_is_a_value_that_was_there(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_an_hour_without_anything_is_unknown_and_not_zero() -> None:
    hour = Meter().hour(NOW)
    assert set(hour.depth) == {None}
    assert (hour.started, hour.wait_p50, hour.wait_p95) == (0, None, None)


def test_a_curve_ends_with_the_present_minute_and_shows_each_minutes_most() -> None:
    meter = Meter()
    meter.sample(NOW - 65, (0, 9, 0))
    meter.sample(NOW - 50, (1, 2, 3))
    meter.sample(NOW, (0, 1, 0))
    hour = meter.hour(NOW)
    assert len(hour.depth) == POINTS
    assert hour.depth[-2:] == (9, 6)
    assert set(hour.depth[:-2]) == {None}


def test_what_is_older_than_an_hour_counts_no_more() -> None:
    meter = Meter()
    meter.note_start(NOW - HOUR_SECONDS, 500.0)
    meter.note_start(NOW - 1, 2.0)
    hour = meter.hour(NOW)
    assert (hour.started, hour.wait_p50, hour.wait_p95) == (1, 2.0, 2.0)


def test_a_clock_that_went_back_gives_no_negative_wait() -> None:
    meter = Meter()
    meter.note_start(NOW, -3.0)
    assert meter.hour(NOW).wait_p50 == 0.0


def test_a_queue_that_was_empty_for_an_hour_is_forgotten() -> None:
    meter = Meter()
    meter.sample(NOW, (0, 1, 0))
    assert not meter.is_forgotten(NOW + HOUR_SECONDS - 1)
    meter.sample(NOW + HOUR_SECONDS, (0, 0, 0))
    assert meter.is_forgotten(NOW + HOUR_SECONDS)


def test_loads_of_an_hour_are_kept_in_their_order_and_in_few_bytes() -> None:
    loads = Loads()
    told = [Load(NOW + n * SAMPLE_SECONDS, n / 1024, 0.5) for n in range(SAMPLES_MAX + 2)]
    for load in told:
        loads.append(load)
    assert tuple(loads) == tuple(told[2:])
    bytes_kept = sum(sys.getsizeof(getattr(loads, name)) for name in Loads.__slots__)
    assert bytes_kept < SAMPLES_MAX * 20
