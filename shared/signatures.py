"""Whether an event was written by the device that it names, as its signature tells.

A device that has a key signs every event from one number on, and never stops: that number is
remembered (`since`), so that nobody who only has the device's token can leave the signature out.
Before it, events have none: they were written by a program that did not sign yet.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shared.errors import BadInput
from shared.events import Event, to_sign
from shared.pairing import SIGNATURE_BYTES, b64, from_b64

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Sign = Callable[[bytes], bytes]
"""A device's key at work: 64 bytes of Ed25519; none when the key turns out to be another's."""
KEYS_KNOWN = 256
"""Public keys that are kept ready."""


class Since(NamedTuple):
    """The first event of a device that carried its signature."""

    epoch: int
    seq: int


class Mark(StrEnum):
    """What an event's signature is worth."""

    GOOD = "good"
    NONE_YET = "none_yet"
    """There is none, and there need not be: the device has no key, or did not sign then."""
    MISSING = "missing"
    WRONG = "wrong"

    @property
    def is_trusted(self) -> bool:
        return self in (Mark.GOOD, Mark.NONE_YET)


def signed(event: Event, sign: Sign | None) -> Event:
    """Return an event with its device's signature; without one when the device has no key."""
    told = event.model_copy(update={"signature": ""})
    if sign is None:
        return told
    return told.model_copy(update={"signature": b64(sign(told.to_sign()))})


def look(
    event: Event, public_key: bytes, since: Since | None, canonical: bytes | None = None
) -> Mark:
    """Say what an event's signature is worth.

    Args:
        event: as it came.
        public_key: of the device that it names, 32 bytes; empty when it has none.
        since: the first of that device's events known to carry its signature; None for none yet.
        canonical: its canonical bytes, where they are at hand.
    """
    if not public_key:
        return Mark.NONE_YET
    if event.signature:
        return Mark.GOOD if _is_by(event, public_key, canonical) else Mark.WRONG
    if since is None or (event.epoch == since.epoch and event.seq < since.seq):
        return Mark.NONE_YET
    return Mark.MISSING


def _is_by(event: Event, public_key: bytes, canonical: bytes | None) -> bool:
    # Drawn in here: a program that hears of no other device needs no cryptography.
    from cryptography.exceptions import InvalidSignature

    try:
        told = to_sign(event.canonical() if canonical is None else canonical)
        _key(public_key).verify(from_b64(event.signature, SIGNATURE_BYTES), told)
    except (InvalidSignature, BadInput, ValueError):
        return False
    return True


@lru_cache(maxsize=KEYS_KNOWN)
def _key(public_key: bytes) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public_key)
