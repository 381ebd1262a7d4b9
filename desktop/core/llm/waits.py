"""How long to wait before a model is asked again: what the provider said, and what we add.

Sources: RFC 9110 section 10.2.3 (Retry-After); the providers' pages on rate limits (OpenAI and
Anthropic headers); google.rpc.RetryInfo (protobuf Duration as JSON).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

WAIT_SECONDS_MAX = 24 * 3600.0
"""No provider is believed further than a day."""
BACKOFF_FIRST_SECONDS = 2.0
BACKOFF_SECONDS_MAX = 120.0
SPREAD = 0.1
"""Of a wait that the provider named: so many that wait alike must not come back in one moment."""
SPREAD_SECONDS_MIN = 0.5

_GO_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s|d)")
_GO_SECONDS = {
    "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9,
}  # fmt: skip
_TEXT_WAIT = re.compile(
    r"(?:try again|retry) (?:in|after) (?P<wait>[0-9][0-9.a-zµ]{0,24})"
    r"(?P<word> ?seconds?| ?minutes?)?",
    re.IGNORECASE,
)


def header_wait_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return what retry-after-ms or Retry-After asks for, or None.

    Args:
        headers: by names in lower case.
        now: aware; Retry-After may be a date.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return bounded(milliseconds / 1000)
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return bounded(seconds)
    return bounded(_until(_http_date(text), now))


def reset_wait_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return when the last of the used-up allowances is filled again, or None.

    Only those with nothing remaining count: a reset time stands on every answer.
    """
    waits = [wait for wait in _resets(headers, now) if wait is not None]
    return max(waits, default=None)


def _resets(headers: Mapping[str, str], now: datetime) -> Iterator[float | None]:
    for name, value in headers.items():
        if name.startswith("anthropic-ratelimit-") and name.endswith("-reset"):
            if headers.get(f"{name.removesuffix('-reset')}-remaining", "").strip() == "0":
                yield bounded(_until(_iso_date(value), now))
        elif name.startswith("x-ratelimit-reset-"):
            left = headers.get(name.replace("-reset-", "-remaining-"), "").strip()
            if left == "0":
                yield duration_seconds(value)


def text_wait_seconds(text: str) -> float | None:
    """Return what a sentence such as "Please try again in 7m12s." asks for, or None."""
    found = _TEXT_WAIT.search(text)
    if found is None:
        return None
    wait, word = found["wait"].rstrip("."), (found["word"] or "").strip().lower()
    if word:
        number = _number(wait)
        return None if number is None else bounded(number * (60 if word[0] == "m" else 1))
    return duration_seconds(wait)


def duration_seconds(text: str) -> float | None:
    """Read "14s", "1.5s", "6m0s", "20ms" or a bare number of seconds; None for anything else."""
    text = text.strip()
    if (plain := _number(text)) is not None:
        return bounded(plain)
    parts = list(_GO_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        return None
    return bounded(sum(float(part[1]) * _GO_SECONDS[part[2]] for part in parts))


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Return what x-should-retry says (OpenAI and Anthropic send it), or None."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def bounded(seconds: float | None) -> float | None:
    """Return a wait within [0, a day]; None for what is no wait."""
    if seconds is None or math.isnan(seconds) or seconds < 0:
        return None
    return min(seconds, WAIT_SECONDS_MAX)


def backoff_seconds(tries: int, random: float, wait_seconds: float | None = None) -> float:
    """Return how long to wait before the next try.

    Args:
        tries: made so far, at least 1.
        random: in [0, 1).
        wait_seconds: the provider's wish; never undercut.
    """
    assert tries >= 1
    # 64 doublings exceed any ceiling; more would overflow a float.
    plain = min(BACKOFF_FIRST_SECONDS * 2.0 ** min(tries - 1, 64), BACKOFF_SECONDS_MAX)
    own = plain * (0.5 + random)
    if wait_seconds is None:
        return own
    wish = bounded(wait_seconds) or 0.0
    return max(own, wish + random * max(wish * SPREAD, SPREAD_SECONDS_MIN))


def _number(text: str) -> float | None:
    text = text.strip()
    # float() reads more than a header may hold: "1_0", "nan", "infinity", other scripts' figures.
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", text):
        return None
    return float(text)


def _http_date(text: str) -> datetime | None:
    if not text or len(text) > 64:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso_date(text: str) -> datetime | None:
    if len(text) > 64:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _until(moment: datetime | None, now: datetime) -> float | None:
    """Return the seconds until then; 0 for what is past."""
    return None if moment is None else max(0.0, (moment - now).total_seconds())
