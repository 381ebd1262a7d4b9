"""Words, signed bytes and keys as text: the same on both ends, today and in a year."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from shared.pairing import b64, check_words, from_b64, token_request
from shared.words import ADJECTIVES, NOUNS

KEY, SALT = bytes(range(32)), bytes(range(16))


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS])
def test_a_list_has_a_word_for_every_byte(words: tuple[str, ...]) -> None:
    assert len(words) == len(set(words)) == 256
    assert all(3 <= len(word) <= 8 and word.isascii() and word.isalpha() for word in words)
    assert all(word == word.lower() for word in words)


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS])
def test_four_letters_tell_two_words_apart(words: tuple[str, ...]) -> None:
    twins = [
        (one, other)
        for one, other in combinations(words, 2)
        if one.startswith(other[:4]) or other.startswith(one[:4])
    ]
    assert twins == []


def test_no_word_stands_in_both_lists() -> None:
    assert not set(ADJECTIVES) & set(NOUNS)
    assert ("amber" in ADJECTIVES, "falcon" in NOUNS) == (True, True)


def test_words_of_a_known_key_never_change() -> None:
    """Both ends update apart: another order of the lists would look like an attack."""
    assert check_words(KEY, SALT) == "able raven"


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
def test_words_are_one_of_each_list(key: bytes, salt: bytes) -> None:
    adjective, noun = check_words(key, salt).split()
    assert adjective in ADJECTIVES
    assert noun in NOUNS


def test_words_depend_on_the_key_and_on_the_salt() -> None:
    keys = {check_words(bytes([n]) * 32, SALT) for n in range(100)}
    salts = {check_words(KEY, bytes([n]) * 16) for n in range(100)}
    assert len(keys) > 95
    assert len(salts) > 95


def test_a_token_request_is_of_one_pairing_and_one_salt() -> None:
    signed = {token_request(name, salt) for name in ("a", "b") for salt in (SALT, bytes(16))}
    assert len(signed) == 4
    assert all(one.startswith(b"deskhand pairing token 1\0") for one in signed)


@given(st.binary(max_size=100))
def test_bytes_come_back_from_text(data: bytes) -> None:
    text = b64(data)
    assert "=" not in text
    assert from_b64(text, len(data)) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "é" * 43,
        "A" * 43 + "=",
        "A" * 42 + " ",
        "A" * 42 + "/",
        "A" * 42 + "B",
        "A" * 9**5,
    ],
    ids=["nothing", "short", "accents", "padding", "blank", "alphabet", "second-spelling", "huge"],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        from_b64(text, 32)
    assert refused.value.code == "base64_invalid"
