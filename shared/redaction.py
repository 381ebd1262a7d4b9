"""Blots out what looks like a secret in a text, wherever it came from."""

from __future__ import annotations

import re

BLOT = "[redacted]"

_SECRET_VALUES = re.compile(
    r"(?P<key>dh_[a-z]+_[A-Za-z0-9_-]{8,})"  # our own keys and tokens
    r"|(?P<telegram>\d{6,12}:[A-Za-z0-9_-]{30,})"  # bots: in URLs without a gap after "bot"
    r"|(?P<openai>(?:sk|rk)-[A-Za-z0-9_-]{16,})"
    r"|(?P<google>AIza[A-Za-z0-9_-]{30,}|\bAQ\.[A-Za-z0-9_-]{20,})"
    r"|(?P<xai>xai-[A-Za-z0-9_-]{16,})"
    r"|(?P<github>gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"
    r"|(?P<gitlab>glpat-[A-Za-z0-9_.-]{20,})"
    r"|(?P<bearer>Bearer\s+\S+)"
)


def redact_text(text: str) -> str:
    """Blot out everything that looks like a secret."""
    return _SECRET_VALUES.sub(BLOT, text)
