"""Waits grow, stay under their ceiling, and are spread out."""

from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import RECONNECT, RETRY, Backoff


@given(st.integers(min_value=1, max_value=10_000), st.floats(0, 0.999))
def test_a_wait_is_within_half_to_one_and_a_half_times_its_plain_value(
    failures: int, random: float
) -> None:
    backoff = Backoff(first_seconds=2.0, max_seconds=60.0)
    wait = backoff.wait_seconds(failures, random)
    plain = min(2.0 * 2 ** min(failures - 1, 64), 60.0)
    assert 0.5 * plain <= wait < 1.5 * plain


def test_ten_thousand_workers_do_not_come_back_in_the_same_second() -> None:
    waits = [RECONNECT.wait_seconds(6, n / 10_000) for n in range(10_000)]
    busiest = max(sum(int(w) == second for w in waits) for second in range(46))
    assert busiest <= 1000


def test_a_third_retry_waits_longer_than_a_first() -> None:
    assert RETRY.wait_seconds(3, 0.0) > RETRY.wait_seconds(1, 0.999)


def test_reconnects_are_spread_over_the_whole_wait() -> None:
    waits = [[RECONNECT.wait_seconds(n, r) for r in (0.0, 0.5, 0.999)] for n in range(1, 100)]
    assert all(0.5 <= wait <= 30.0 for row in waits for wait in row)
    assert waits[0][2] < 1.0, "a line that was cut comes back soon"
    assert [row[0] for row in waits] == [0.5] * 99, "some always come early"
    assert waits[-1][2] > 29.0
