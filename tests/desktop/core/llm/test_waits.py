"""Waits are as long as the provider asks, never endless, and never the same for everybody."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.llm.waits import (
    BACKOFF_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    backoff_seconds,
    duration_seconds,
    header_wait_seconds,
    reset_wait_seconds,
    should_retry,
    text_wait_seconds,
)

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 12:01:30 GMT"}, 90.0),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "750", "retry-after": "1"}, 0.75),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
        ({"retry-after": "999999999"}, WAIT_SECONDS_MAX),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1_000"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "x" * 100_000}, None),
        ({"retry-after": "Sat, 99 Nov 2026 12:01:30 GMT"}, None),
        ({}, None),
    ],
    ids=range(17),
)
def test_retry_after_is_seconds_milliseconds_or_a_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert header_wait_seconds(headers, NOON) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14s", 14.0),
        ("1.5s", 1.5),
        ("0.847655010s", 0.84765501),
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("20ms", 0.02),
        ("3", 3.0),
        ("9999999h", WAIT_SECONDS_MAX),
        ("14 s", None),
        ("s", None),
        ("-3s", None),
        ("", None),
        ("1s" * 5000, 5000.0),
    ],
    ids=range(13),
)
def test_durations_of_google_and_openai_are_read(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 7m12s. Visit our page.", 432.0),
        ("Please try again in 9.816s.", 9.816),
        ("Please try again in 20ms", 0.02),
        ("Please retry in 14.2s.", 14.2),
        ("Please retry after 86400 seconds.", 86400.0),
        ("Try again in 5 minutes", 300.0),
        ("Please try again in a while.", None),
        ("Please try again later.", None),
    ],
    ids=range(8),
)
def test_a_wait_told_in_words_is_found(text: str, seconds: float | None) -> None:
    assert text_wait_seconds(text) == (None if seconds is None else pytest.approx(seconds))


def test_only_an_allowance_that_is_used_up_makes_wait_for_its_reset() -> None:
    headers = {
        "x-ratelimit-remaining-requests": "12",
        "x-ratelimit-reset-requests": "10m",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1.5s",
    }

    assert reset_wait_seconds(headers, NOON) == 1.5
    assert reset_wait_seconds({**headers, "x-ratelimit-remaining-requests": "0"}, NOON) == 600.0
    assert reset_wait_seconds({"x-ratelimit-reset-tokens": "1.5s"}, NOON) is None


def test_a_reset_told_as_a_moment_is_seconds_from_now() -> None:
    headers = {
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "anthropic-ratelimit-output-tokens-reset": "2026-11-21T12:00:07Z",
    }

    assert reset_wait_seconds(headers, NOON) == 7.0


def test_what_the_provider_says_of_another_try_is_heard() -> None:
    assert should_retry({"x-should-retry": "True"}) is True
    assert should_retry({"x-should-retry": "false"}) is False
    assert should_retry({"x-should-retry": "maybe"}) is None
    assert should_retry({}) is None


UNIT = st.floats(0, 1, exclude_max=True)


@given(tries=st.integers(1, 10**6), random=UNIT)
def test_our_own_wait_has_a_ceiling(tries: int, random: float) -> None:
    assert 0 < backoff_seconds(tries, random) <= 1.5 * BACKOFF_SECONDS_MAX


@given(tries=st.integers(1, 50), random=UNIT, wish=st.floats(0, WAIT_SECONDS_MAX))
def test_the_providers_wish_is_never_undercut(tries: int, random: float, wish: float) -> None:
    assert backoff_seconds(tries, random, wish) >= wish


def test_many_that_wait_alike_come_back_apart() -> None:
    waits = {backoff_seconds(1, step / 100, 60.0) for step in range(100)}

    assert len(waits) == 100
    assert max(waits) - min(waits) > 5.0


@given(text=st.text(max_size=200))
def test_no_text_breaks_the_reading_of_waits(text: str) -> None:
    headers = dict.fromkeys(
        ("retry-after", "retry-after-ms", "anthropic-ratelimit-x-reset", "x-ratelimit-reset-x"),
        text,
    ) | {"anthropic-ratelimit-x-remaining": "0", "x-ratelimit-remaining-x": "0"}

    for wait in (
        header_wait_seconds(headers, NOON),
        reset_wait_seconds(headers, NOON),
        text_wait_seconds(f"try again in {text}"),
        duration_seconds(text),
    ):
        assert wait is None or 0 <= wait <= WAIT_SECONDS_MAX
