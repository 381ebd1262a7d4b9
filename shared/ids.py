"""Typed ids, and the short form people see.

Every id is a UUID version 7 (RFC 9562, section 5.7): it sorts by the time it was made, and any
device can make one offline.
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

PersonId = NewType("PersonId", str)
TaskId = NewType("TaskId", str)
PlanId = NewType("PlanId", str)
JobId = NewType("JobId", str)
WorkerId = NewType("WorkerId", str)
"""A worker is a device: the same id names it in the registry and in its events."""
QuestionId = NewType("QuestionId", str)
SessionId = NewType("SessionId", str)
WebhookId = NewType("WebhookId", str)
ScheduleId = NewType("ScheduleId", str)
ConversationId = NewType("ConversationId", str)
"""A chat of one frontend: "telegram:4711", "console:local"."""

SHORT_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so it survives being read aloud."""
SHORT_LENGTH = 4
RANDOM_BYTES = 10
COUNT_MAX = 2**53 - 1
"""The largest number that counts anything on the wire: every store and every reader of JSON
holds it exactly (RFC 8259, section 6)."""

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def uuid7(milliseconds: int, random: bytes) -> str:
    """Make a UUID version 7.

    Args:
        milliseconds: since the Unix epoch, 48 bits.
        random: `RANDOM_BYTES` bytes from a cryptographic source.
    """
    assert 0 <= milliseconds < 2**48
    assert len(random) == RANDOM_BYTES
    head = milliseconds.to_bytes(6, "big")
    version = bytes([0x70 | (random[0] & 0x0F), random[1]])
    variant = bytes([0x80 | (random[2] & 0x3F)]) + random[3:]
    digits = (head + version + variant).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def short(full_id: str) -> str:
    """Return the 4-character form people see ("K7Q2"); one in a million collides."""
    number = int.from_bytes(hashlib.sha256(full_id.encode()).digest()[:4], "big")
    return "".join(SHORT_ALPHABET[number >> shift & 31] for shift in range(0, 5 * SHORT_LENGTH, 5))


def is_uuid(text: str) -> bool:
    """Say whether a text has the shape of one of our ids."""
    return _UUID.fullmatch(text) is not None
