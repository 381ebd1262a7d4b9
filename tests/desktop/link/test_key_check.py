"""A provider's key, tried against a real server on loopback."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.providers import PROVIDERS, Provider, checked_key
from desktop.link.key_check import check_key
from shared.errors import BadInput
from tests.fakes.one_page import Page, a_page

KEY = "sk-canary-0123456789abcdef"


def at(provider: Provider, page: Page) -> Provider:
    return replace(provider, models_url=f"{page.base}/v1/models")


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
async def test_a_key_is_sent_as_its_provider_wants_it_and_nowhere_else(provider: Provider) -> None:
    with a_page(200, b'{"data": [1, 2, 3]}') as page:
        verdict = await check_key(at(provider, page), KEY)
    assert verdict.is_good is True
    assert "opens 3 models" in verdict.sentence
    (asked,) = page.asked
    assert KEY not in asked.path
    sent = [name for name, value in asked.headers.items() if KEY in value]
    assert sent == [provider.key_header]


@pytest.mark.parametrize(
    ("status", "body", "is_good", "words"),
    [
        (401, b"{}", False, "does not accept this key"),
        (403, b"no", False, "does not accept this key"),
        (400, b"", False, "does not accept this key"),
        (429, b"", True, "limit is used up"),
        (500, b"", None, "problem of its own (HTTP 500)"),
        (200, b"\xff not json", True, "accepts this key."),
        (302, b"", None, "HTTP 302"),
    ],
)
async def test_what_a_provider_answers_is_told_in_words(
    status: int, body: bytes, is_good: bool | None, words: str
) -> None:
    with a_page(status, body, {"location": "http://127.0.0.1:1/steal"}) as page:
        verdict = await check_key(at(PROVIDERS[0], page), KEY)
    assert verdict.is_good is is_good
    assert words in verdict.sentence
    assert KEY not in verdict.sentence
    assert len(page.asked) == 1, "a redirect is not followed: the key would go along"


async def test_a_provider_that_cannot_be_reached_says_nothing_about_the_key() -> None:
    provider = replace(PROVIDERS[0], models_url="http://127.0.0.1:1/v1/models")
    verdict = await check_key(provider, KEY)
    assert verdict.is_good is None
    assert "127.0.0.1 cannot be reached" in verdict.sentence


@pytest.mark.parametrize("text", ["", "  ", "two words", "clé", "a\nb", "x" * 513])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_key(text)
    assert caught.value.code == "key_odd"
    assert not text.strip() or text.strip() not in str(caught.value)


def test_what_came_along_when_a_key_was_copied_is_left_out() -> None:
    assert checked_key(f'  "{KEY}"\n') == KEY
