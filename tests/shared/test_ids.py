"""Ids sort by time, carry their version, and have a short form people can read aloud."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import RANDOM_BYTES, SHORT_ALPHABET, is_uuid, short, uuid7

milliseconds = st.integers(min_value=0, max_value=2**48 - 1)
random = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


@given(milliseconds, random)
def test_an_id_is_a_version_7_uuid_that_holds_its_moment(moment: int, noise: bytes) -> None:
    made = uuid.UUID(uuid7(moment, noise))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == moment


@given(milliseconds, milliseconds, random, random)
def test_ids_sort_by_the_time_they_were_made(a: int, b: int, x: bytes, y: bytes) -> None:
    if a < b:
        assert uuid7(a, x) < uuid7(b, y)


@given(milliseconds, random)
def test_the_short_form_has_four_letters_that_survive_reading_aloud(
    moment: int, noise: bytes
) -> None:
    letters = short(uuid7(moment, noise))
    assert len(letters) == 4
    assert set(letters) <= set(SHORT_ALPHABET)
    assert not set("ILOU") & set(letters)


def test_short_forms_of_neighbours_differ() -> None:
    made = {short(uuid7(1000 + n, bytes(RANDOM_BYTES))) for n in range(200)}
    assert len(made) >= 199


def test_what_is_no_id_is_told_apart() -> None:
    assert is_uuid(uuid7(1, bytes(RANDOM_BYTES)))
    assert not is_uuid("K7Q2")
    assert not is_uuid("../../etc/passwd")
