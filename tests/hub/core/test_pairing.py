"""Codes and the throttle that makes guessing them hopeless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.pairing import (
    ALPHABET,
    CODE_RANDOM_BYTES,
    PAUSE_SECONDS,
    TRIES_PER_MINUTE_MAX,
    WRONG_TRIES_MAX,
    Throttle,
    bucket,
    code_digest,
    make_code,
    normalized,
)
from shared.errors import BadInput, LimitReached


@given(st.binary(min_size=CODE_RANDOM_BYTES, max_size=CODE_RANDOM_BYTES))
def test_a_code_is_read_back_however_it_was_typed(random: bytes) -> None:
    code = make_code(random)
    assert len(code) == 9
    assert set(code) <= set(ALPHABET) | {"-"}
    plain = code.replace("-", "")
    for typed in (code, code.lower(), f" {code[:4]} {code[5:]} ", plain, code.replace("-", "–")):
        assert normalized(typed) == plain


@pytest.mark.parametrize(
    "typed", ["", "BCDF", "BCDF-GHJA", "BCDF-GHJ1", "B" * 9, "ß" * 8, "\0" * 8]
)
def test_what_cannot_be_a_code_is_wrong(typed: str) -> None:
    with pytest.raises(BadInput) as caught:
        normalized(typed)
    assert caught.value.code == "pairing_code_wrong"


def test_the_hash_of_a_code_needs_the_pepper() -> None:
    assert code_digest("BCDFGHJK", b"one") != code_digest("BCDFGHJK", b"two")


def wrong(throttle: Throttle, address: str, now: float) -> None:
    throttle.admit(address, now)
    throttle.note_wrong(address, now)


def test_the_fifth_wrong_try_pauses_its_address_for_fifteen_minutes() -> None:
    throttle = Throttle()
    for _ in range(WRONG_TRIES_MAX - 1):
        wrong(throttle, "203.0.113.7", 0.0)
    with pytest.raises(LimitReached) as caught:
        wrong(throttle, "203.0.113.7", 0.0)
    assert caught.value.code == "pairing_paused"
    assert caught.value.retry_after_seconds == PAUSE_SECONDS
    with pytest.raises(LimitReached):
        throttle.admit("203.0.113.7", PAUSE_SECONDS - 1)
    throttle.admit("203.0.113.8", 1.0)
    throttle.admit("203.0.113.7", PAUSE_SECONDS)


def test_many_tries_at_the_same_moment_are_all_counted() -> None:
    throttle = Throttle()
    for _ in range(WRONG_TRIES_MAX):
        throttle.admit("203.0.113.7", 0.0)
    with pytest.raises(LimitReached):
        throttle.admit("203.0.113.7", 0.0)


def test_a_right_code_wipes_the_slate() -> None:
    throttle = Throttle()
    for _ in range(20):
        throttle.admit("203.0.113.7", 0.0)
        throttle.note_right("203.0.113.7")


def test_many_addresses_together_are_paused_too() -> None:
    throttle = Throttle()
    for number in range(TRIES_PER_MINUTE_MAX):
        throttle.admit(f"203.0.113.{number}", number * 0.1)
    with pytest.raises(LimitReached):
        throttle.admit("198.51.100.1", 10.0)
    with pytest.raises(LimitReached):
        throttle.admit("198.51.100.2", 10.0 + PAUSE_SECONDS - 1)
    throttle.admit("198.51.100.3", 10.0 + PAUSE_SECONDS)


def test_one_network_of_ipv6_is_one_sender() -> None:
    assert bucket("2001:db8:1:2:aaaa::1") == bucket("2001:db8:1:2::9")
    assert bucket("2001:db8:1:2::1") != bucket("2001:db8:1:3::1")
    assert bucket("::ffff:203.0.113.7") == bucket("203.0.113.7")
    assert bucket("not an address") == "not an address"


def test_the_alarm_is_raised_once_for_each_pause_and_says_from_how_many_addresses() -> None:
    throttle = Throttle()
    for number in range(TRIES_PER_MINUTE_MAX):
        throttle.admit(f"203.0.113.{number % 12}", 0.0)
    assert throttle.take_alarm() is None
    for _ in range(3):
        with pytest.raises(LimitReached):
            throttle.admit("192.0.2.1", 1.0)
    alarm = throttle.take_alarm()
    assert alarm is not None
    assert (alarm.tries, alarm.addresses) == (TRIES_PER_MINUTE_MAX, 12)
    assert throttle.take_alarm() is None


def test_right_codes_count_for_nothing() -> None:
    throttle = Throttle()
    for number in range(3 * TRIES_PER_MINUTE_MAX):
        throttle.admit(f"203.0.113.{number}", 0.0)
        throttle.note_right(f"203.0.113.{number}")
    assert throttle.take_alarm() is None


def test_a_known_account_is_not_stopped_by_the_guesses_of_others() -> None:
    throttle = Throttle()
    for number in range(TRIES_PER_MINUTE_MAX):
        throttle.admit(f"203.0.113.{number}", 0.0)
    with pytest.raises(LimitReached):
        throttle.admit("192.0.2.1", 1.0)
    throttle.admit("telegram:4711", 1.0, is_known=True)
    for _ in range(WRONG_TRIES_MAX - 1):
        throttle.admit("telegram:4711", 1.0, is_known=True)
    with pytest.raises(LimitReached):
        throttle.admit("telegram:4711", 1.0, is_known=True)


def test_a_right_code_that_is_not_spent_leaves_the_wrong_tries_counted() -> None:
    throttle = Throttle()
    for _ in range(WRONG_TRIES_MAX - 1):
        wrong(throttle, "203.0.113.7", 0.0)
        throttle.admit("203.0.113.7", 0.0)
        throttle.note_unused("203.0.113.7")
    with pytest.raises(LimitReached):
        wrong(throttle, "203.0.113.7", 0.0)
