"""A signature says who wrote an event; nothing of the event can change under it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Event, JobStarted, write_event
from shared.ids import JobId
from shared.pairing import b64
from shared.signatures import Mark, Since, look, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
AT = datetime(2026, 11, 20, 12, 3, 4, 567800, tzinfo=UTC)
EVENT = write_event(
    JobStarted(job_id=JobId("job"), attempt=1, fence=7), device="w", epoch=2, seq=5, at=AT, hlc=99
)
CHANGES: dict[str, Callable[[Event], object]] = {
    "device": lambda e: e.device + "x",
    "epoch": lambda e: e.epoch + 1,
    "seq": lambda e: e.seq + 1,
    "at": lambda e: e.at + timedelta(microseconds=1),
    "hlc": lambda e: e.hlc + 1,
    "type": lambda e: e.type + "x",
    "version": lambda e: e.version + 1,
    "entity": lambda e: e.entity + "x",
    "sealed_with": lambda e: e.sealed_with + "x",
    "body": lambda e: {**e.body, "fence": 8},
}


def changed(event: Event, field: str) -> Event:
    return event.model_copy(update={field: CHANGES[field](event)})


def test_the_changes_tried_here_are_all_that_an_envelope_has() -> None:
    assert set(CHANGES) | {"signature"} == set(Event.model_fields)


def test_what_a_device_signed_is_known_as_its_own() -> None:
    told = signed(EVENT, KEY.sign)
    assert look(told, PUBLIC, None) is Mark.GOOD
    again = Event.model_validate_json(told.model_dump_json())
    assert look(again, PUBLIC, None) is Mark.GOOD, "also after the wire"


@pytest.mark.parametrize("field", CHANGES)
def test_an_event_changed_in_any_field_is_not_its_devices(field: str) -> None:
    forged = changed(signed(EVENT, KEY.sign), field)
    assert look(forged, PUBLIC, None) is Mark.WRONG


@pytest.mark.parametrize("field", sorted(CHANGES.keys() - {"body"}))
def test_a_sealed_body_is_bound_to_every_field_of_its_envelope(field: str) -> None:
    assert changed(EVENT, field).associated_data() != EVENT.associated_data()


def test_a_sealed_body_is_bound_to_no_body_and_no_signature() -> None:
    sealed = EVENT.model_copy(update={"body": {"sealed": "…"}, "signature": "abc"})
    assert sealed.associated_data() == EVENT.associated_data()


def test_another_key_signs_for_nobody_else() -> None:
    assert look(signed(EVENT, OTHER.sign), PUBLIC, None) is Mark.WRONG


@pytest.mark.parametrize("text", ["x", "=", "A" * 86, "A" * 128, "ü" * 86, b64(bytes(63))])
def test_what_is_no_signature_is_a_wrong_one(text: str) -> None:
    assert look(EVENT.model_copy(update={"signature": text}), PUBLIC, None) is Mark.WRONG


def test_a_signature_over_the_bare_event_is_good_for_nothing() -> None:
    told = EVENT.model_copy(update={"signature": b64(KEY.sign(EVENT.canonical()))})
    assert look(told, PUBLIC, None) is Mark.WRONG


@pytest.mark.parametrize(
    ("since", "mark"),
    [
        (None, Mark.NONE_YET),
        (Since(2, 6), Mark.NONE_YET),
        (Since(2, 5), Mark.MISSING),
        (Since(2, 4), Mark.MISSING),
        (Since(1, 9), Mark.MISSING),
        (Since(3, 1), Mark.MISSING),
    ],
)
def test_a_device_that_has_begun_to_sign_never_stops(since: Since | None, mark: Mark) -> None:
    assert look(EVENT, PUBLIC, since) is mark
    assert look(EVENT, b"", since) is Mark.NONE_YET, "a device without a key signs nothing"


def test_the_bytes_that_are_signed_are_those_the_protocol_spells() -> None:
    assert EVENT.to_sign() == (
        b"deskhand event v1\0"
        b'{"at":"2026-11-20T12:03:04.567800Z","body":{"attempt":1,"fence":7,"job":null,'
        b'"job_id":"job"},"device":"w","entity":"job","epoch":2,"hlc":99,"sealed_with":"",'
        b'"seq":5,"signature":"","type":"job_started","version":1}'
    )


@given(at=st.datetimes(timezones=st.timezones() | st.none()))
def test_all_of_an_event_is_spelled_as_the_wire_has_it(at: datetime) -> None:
    event = EVENT.model_copy(update={"at": at, "signature": "", "sealed_with": "key"})
    assert json.loads(event.canonical()) == event.model_dump(mode="json")


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, JSON))
def test_any_body_is_spelled_alike_before_and_after_the_wire(body: dict[str, object]) -> None:
    event = EVENT.model_copy(update={"body": body})
    wire = event.model_dump_json()
    assert Event.model_validate_json(wire).canonical() == event.canonical()
    shuffled = json.dumps(dict(reversed(json.loads(wire).items())), indent=1)
    assert Event.model_validate_json(shuffled).canonical() == event.canonical()
