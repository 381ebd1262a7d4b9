"""Axes: round numbers, a little room, nothing that divides by zero."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.charts.scale import LEAST, Axis, alike, log_ticks, mixed, range_of, ticks, told

numbers = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 310, [0, 100, 200, 300]),
        (-3, 12, [0, 5, 10]),
        (0.93, 0.97, [0.93, 0.94, 0.95, 0.96, 0.97]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, shown: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(shown)


@given(numbers, numbers)
def test_ticks_lie_within_and_are_few(low: float, high: float) -> None:
    assume(high - low > 1e-6 * max(1, abs(low), abs(high)))
    chosen = ticks(low, high)
    room = (high - low) * 1e-6
    assert 1 <= len(chosen) <= 7
    assert all(low - room <= value <= high + room for value in chosen)


@given(st.floats(1e-9, 1e9), st.floats(1.5, 1e6))
def test_log_ticks_lie_within_and_are_few(low: float, times: float) -> None:
    chosen = log_ticks(low, low * times)
    assert len(chosen) <= 9
    assert all(low <= value <= low * times for value in chosen)


@given(st.lists(numbers, max_size=5), st.booleans())
def test_a_range_always_has_a_width(values: list[float], is_log: bool) -> None:
    low, high = range_of(values, is_log=is_log)
    assert high > low
    assert all(low <= v <= high for v in values if v >= LEAST or not is_log)


@pytest.mark.parametrize("values", [[5e-324], [0.0, 5e-324], [1e250], [1e17, 1e17 + 16]])
@pytest.mark.parametrize("is_log", [False, True])
def test_numbers_at_the_edge_of_what_floats_can_do_have_an_axis(
    values: list[float], is_log: bool
) -> None:
    axis = Axis(*range_of(values, is_log=is_log), 0, 600, is_log)
    assert all(0 <= axis.at(value) <= 600 for value in values)
    assert all(0 <= axis.at(value) <= 600 for value in axis.ticks())


@given(numbers, numbers, numbers)
def test_an_axis_maps_its_ends_to_its_ends(low: float, high: float, value: float) -> None:
    assume(high - low > 1e-3)
    axis = Axis(low, high, 100, 700)
    assert (axis.at(low), axis.at(high)) == (100, 700)
    assert math.isfinite(axis.at(value))


def test_a_log_axis_puts_what_is_not_positive_at_its_start() -> None:
    axis = Axis(1, 1000, 0, 300, is_log=True)
    assert axis.at(10) == pytest.approx(100)
    assert axis.at(0) == axis.at(-5) == 0


def test_numbers_are_written_briefly() -> None:
    assert [told(v) for v in (0.25, 1500, 25_000, 1.2e6, 3e9, -0.0)] == [
        "0.25", "1,500", "25k", "1.2M", "3G", "0",
    ]  # fmt: skip
    assert alike([0.1, 0.05, -0.0133]) == ["0.100", "0.050", "−0.013"]


def test_colours_are_laid_over_each_other() -> None:
    assert mixed("#FFFFFF", "#000000", 0.5) == "#808080"
    assert mixed("#123456", "#FFFFFF", 1) == "#123456"
