"""When a sign-in is over, and what browsers are called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.core.sign_in import SignIn, browser_of, csrf_of, is_over, is_to_be_noted
from shared.ids import PersonId
from tests.makers import NOON

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("opened_ago", "seen_ago", "over"),
    [
        (HOUR, 12 * HOUR - SECOND, False),
        (13 * HOUR, 12 * HOUR, True),
        (30 * DAY - SECOND, SECOND, False),
        (30 * DAY, SECOND, True),
    ],
)
def test_a_sign_in_ends_when_unused_or_old(
    opened_ago: timedelta, seen_ago: timedelta, over: bool
) -> None:
    sign_in = SignIn(
        sign_in_id="s",
        person_id=PersonId("p"),
        browser="Firefox",
        opened_at=NOON - opened_ago,
        seen_at=NOON - seen_ago,
    )
    assert is_over(sign_in, NOON) is over


def test_a_use_is_noted_every_few_minutes() -> None:
    sign_in = SignIn(
        sign_in_id="s", person_id=PersonId("p"), browser="", opened_at=NOON, seen_at=NOON
    )
    assert not is_to_be_noted(sign_in, NOON + timedelta(minutes=4))
    assert is_to_be_noted(sign_in, NOON + timedelta(minutes=5))


def test_the_word_of_forms_belongs_to_one_sign_in() -> None:
    assert csrf_of("a") == csrf_of("a") != csrf_of("b")
    assert "a" * 43 not in csrf_of("a" * 43)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) Version/19.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)  # fmt: skip
def test_a_browser_is_called_by_our_words(agent: str, words: str) -> None:
    assert browser_of(agent) == words
