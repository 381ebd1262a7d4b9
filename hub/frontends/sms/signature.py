"""Whether a call comes from the provider: HMAC-SHA1 over the address and what it brings.

Source: twilio.com/docs/usage/webhooks/webhooks-security. SHA-1 is the provider's choice; as the
hash of an HMAC nobody knows how to forge it.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable


def signature_of(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Sign a call: the address as the provider knows it, then each field's name and value."""
    told = url + "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    made = hmac.digest(token.encode(), told.encode(), "sha1")
    return base64.b64encode(made).decode()


def is_signed(token: str, url: str, fields: Iterable[tuple[str, str]], signature: str) -> bool:
    """Compare in constant time."""
    made = signature_of(token, url, fields)
    return hmac.compare_digest(made.encode(), signature.encode())
