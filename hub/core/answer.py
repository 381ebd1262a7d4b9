"""An answer that is kept, so that the same request under the same key makes nothing twice."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import BadInput, Conflict

KEPT = timedelta(hours=24)
KEY_CHARS_MAX = 200
KEY_PATTERN = rf"^[\x21-\x7e]([\x20-\x7e]{{0,{KEY_CHARS_MAX - 2}}}[\x21-\x7e])?$"
"""Printable ASCII, as headers carry it; no blank at an end, for those are cut off on the way."""
KEY = re.compile(KEY_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def write(self) -> bytes:
        told = [self.status, self.headers, base64.b64encode(self.body).decode()]
        return json.dumps(told).encode()

    @classmethod
    def read(cls, written: bytes) -> Answer:
        status, headers, body = json.loads(written)
        pairs = tuple((str(name), str(value)) for name, value in headers)
        return cls(status=int(status), headers=pairs, body=base64.b64decode(body))


def digest_of(method: str, target: str, body: bytes) -> str:
    """Tell whether two requests ask for the same thing."""
    head = hashlib.sha256(f"{method} {target}".encode()).digest()
    return hashlib.sha256(head + body).hexdigest()


def check_key(key: str) -> str:
    """Pass on a key that can be one.

    Raises:
        BadInput: `dedupe_invalid`.
    """
    if not KEY.fullmatch(key):
        raise BadInput(
            "dedupe_invalid",
            f"An idempotency key has 1 to {KEY_CHARS_MAX} printable ASCII characters.",
            "Make one at random for each new request, a UUID for example.",
        )
    return key


def reused() -> Conflict:
    return Conflict(
        "dedupe_reused",
        "This idempotency key came with another request before.",
        "Use a new key for a new request.",
    )


def still_running() -> Conflict:
    return Conflict(
        "dedupe_running",
        "The first request under this idempotency key is still being worked on.",
        "Wait a moment, then ask again.",
        retryable=True,
        retry_after_seconds=1.0,
    )


def unfinished() -> Conflict:
    return Conflict(
        "dedupe_unfinished",
        "The hub stopped while it worked on the first request under this idempotency key.",
        "Look whether it was done; then use a new key.",
    )
