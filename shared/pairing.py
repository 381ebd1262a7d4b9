"""What both ends of a pairing must write alike: check words, signed requests, keys as text.

Words are the last look before a computer is let in. The person compares them on the computer and
in the chat; the same two prove that the request in the chat is this computer's, with this key.
They are 16 bits with one try: the salt is the hub's, fresh for every request and unknown until the
key is fixed, so whoever sneaks in another request hits the same words once in 65,536. They do
not prove an honest hub (it chooses the salt, and could search for one): that is TLS's to do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from enum import StrEnum

from shared.errors import BadInput
from shared.words import ADJECTIVES, NOUNS

PUBLIC_KEY_BYTES = 32
"""Ed25519 (RFC 8032, section 5.1.5)."""
SIGNATURE_BYTES = 64
SALT_BYTES = 16
PAIRING_ID_CHARS_MAX = 64
WORDS_DOMAIN = b"deskhand check words 1\0"
TOKEN_DOMAIN = b"deskhand pairing token 1\0"
"""What a key signs says what it is for, so that no signature serves in another place."""
BASE64_CHARS_MAX = 4096


class JoinKind(StrEnum):
    """Who asks to be let in."""

    WORKER = "worker"
    ACCOUNT = "account"


class JoinState(StrEnum):
    """Where a request to come in is (the drawing is in `hub.core.joining`)."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    JOINED = "joined"


class Purpose(StrEnum):
    """What a code lets in; one for a computer is worth nothing in a chat, and the reverse."""

    WORKER = "worker"
    ACCOUNT = "account"


def check_words(public_key: bytes, salt: bytes) -> str:
    """Return the two words of a pairing, as in "amber falcon".

    Args:
        public_key: the worker's, `PUBLIC_KEY_BYTES`.
        salt: the hub's answer to it, `SALT_BYTES`.
    """
    assert len(public_key) == PUBLIC_KEY_BYTES
    assert len(salt) == SALT_BYTES
    found = hashlib.sha256(WORDS_DOMAIN + public_key + salt).digest()
    return f"{ADJECTIVES[found[0]]} {NOUNS[found[1]]}"


def token_request(pairing_id: str, salt: bytes) -> bytes:
    """Return what a worker signs to show that the key it paired with is its own."""
    assert 0 < len(pairing_id) <= PAIRING_ID_CHARS_MAX
    assert len(salt) == SALT_BYTES
    # The salt has one length, so nothing can move from one part to the other.
    return TOKEN_DOMAIN + salt + pairing_id.encode()


def b64(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64(text: str, length: int) -> bytes:
    """Read base64url without padding.

    Only the one way `b64` writes these bytes is taken, so that a key has one spelling.

    Raises:
        BadInput: `base64_invalid`, also when there are not exactly `length` bytes.
    """
    try:
        data = base64.b64decode(
            text[:BASE64_CHARS_MAX].encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True
        )
    except (ValueError, binascii.Error):
        data = b""
    if len(data) != length or b64(data) != text:
        raise BadInput(
            "base64_invalid",
            f"Expected {length} bytes as base64url without padding.",
            "This is a fault of the program that sent it.",
        )
    return data
