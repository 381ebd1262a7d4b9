"""Stamps grow, follow the clock, and no clock stops anybody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared import hlc
from shared.ids import COUNT_MAX

MOMENTS = st.integers(min_value=0, max_value=2**42)


@given(st.lists(MOMENTS, min_size=1))
def test_stamps_of_one_device_only_grow_however_its_clock_jumps(moments: list[int]) -> None:
    stamp = 0
    for now_ms in moments:
        before, stamp = stamp, hlc.tick(stamp, now_ms)
        assert stamp > before
        assert hlc.milliseconds_of(stamp) >= now_ms


def test_a_full_counter_runs_over_into_the_milliseconds() -> None:
    stamp = hlc.first_of(1_000)
    for _ in range(100):
        stamp = hlc.tick(stamp, 1_000)

    assert hlc.milliseconds_of(stamp) == 1_003


@given(MOMENTS, MOMENTS)
def test_a_stamp_from_the_future_is_clamped_and_never_refused(sent_ms: int, now_ms: int) -> None:
    clamped = hlc.clamp(hlc.first_of(sent_ms), now_ms)

    assert hlc.milliseconds_of(clamped) <= now_ms + hlc.AHEAD_MS_MAX
    assert clamped == hlc.first_of(sent_ms) or sent_ms > now_ms + hlc.AHEAD_MS_MAX


def test_stamps_fit_what_every_reader_of_json_holds_exactly() -> None:
    year_2500_ms = 16_725_225_600_000

    assert hlc.first_of(year_2500_ms) < COUNT_MAX
