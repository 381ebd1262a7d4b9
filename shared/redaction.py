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
_PASSWORDS = re.compile(r"://[^\s/@:]*:[^\s/]+(?=@)")  # of a broker, a proxy, a store
_WEBHOOKS = re.compile(r"/api/webhooks/\d+/[A-Za-z0-9_-]{16,}")
_HEADERS = re.compile(
    r"(?:authorization|x-api-key)[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|bot|token)\s+)?[^\s\"',}]+"
    r"|\bbearer\s+[A-Za-z0-9._~+/-]{16,}",
    re.IGNORECASE,
)
_HEADER_SIGNS = (
    "uthorization", "AUTHORIZATION", "-api-key", "-API-KEY", "-Api-Key", "-API-Key", "earer",
)  # fmt: skip
_SIGNS = (
    "dh_", "sk-", "rk-", "AIza", "AQ.", "xai-", "gh", "github_pat_", "glpat-",
    "://", "/api/webhooks/", *_HEADER_SIGNS,
)  # fmt: skip
"""One of them stands in whatever is blotted out, but for a bot's token, which has a colon and at
least so many characters:"""
_BOT_CHARS_MIN = 37
_CHARS_MIN = 6
"""Shorter than any secret with its sign."""
_CLEAN_CHARS_MAX = 64
_CLEAN_MAX = 4096
_clean: set[str] = set()
"""Short texts that hold no secret: an id stands in every line about its job."""


def redact_text(text: str) -> str:
    """Blot out everything that looks like a secret."""
    if text in _clean:
        return text
    if not _may_hold_secret(text):
        if len(text) <= _CLEAN_CHARS_MAX:
            _remember_clean(text)
        return text
    text = _SECRET_VALUES.sub(BLOT, text)
    text = _PASSWORDS.sub(f"://{BLOT}", text)
    text = _WEBHOOKS.sub(f"/api/webhooks/{BLOT}", text)
    # Looked for only where it may be: it reads every letter in both cases.
    if any(sign in text for sign in _HEADER_SIGNS):
        text = _HEADERS.sub(BLOT, text)
    return text


def _remember_clean(text: str) -> None:
    if len(_clean) >= _CLEAN_MAX:
        _clean.clear()
    _clean.add(text)


def _may_hold_secret(text: str) -> bool:
    """Say quickly of most texts that there is none: every text of a log comes by here."""
    if len(text) < _CHARS_MIN:
        return False
    if len(text) >= _BOT_CHARS_MIN and ":" in text:
        return True
    # A loop and no expression, which would cost more than the search.
    for sign in _SIGNS:  # noqa: SIM110
        if sign in text:
            return True
    return False
