"""What can go wrong between here and a language model: its classes, and the error they are told as.

Which class an answer belongs to is decided in `classify`; how long to wait in `waits`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from shared.errors import AppError
from shared.plain_text import plain_line
from shared.redaction import BLOT, redact_text

QUOTE_CHARS_MAX = 240
"""Of a provider's own words, in a message of ours."""
PART_CHARS_MIN = 4
"""Fewer characters of a secret's beginning tell nothing of it."""
_SOURCE_CHARS_MAX = 4000
"""Longer text of a provider's is cut before anything is looked for in it."""


class FaultClass(StrEnum):
    """What went wrong, as transcripts, statistics and screens count it."""

    NETWORK = "NETWORK"
    """No answer: the line, the name or the server is away."""
    TIMEOUT = "TIMEOUT"
    RATE_LIMIT = "RATE_LIMIT"
    """Too fast for this key."""
    OVERLOADED = "OVERLOADED"
    """The provider has too much to do, whoever asks."""
    SERVER = "SERVER"
    """The provider failed in a way that may pass."""
    AUTH_ERROR = "AUTH_ERROR"
    """The key, the account or the place it is used from is refused."""
    QUOTA = "QUOTA"
    """Credit, spend limit or daily allowance is used up: only a person or a new day helps."""
    BAD_REQUEST = "BAD_REQUEST"
    CONTEXT_LENGTH = "CONTEXT_LENGTH"
    """The text is longer than this model, or this account, takes at once."""
    CONTENT_FILTER = "CONTENT_FILTER"
    """The provider's rules refuse the content; a result, not a failure of the run."""
    UNSUPPORTED_PROVIDER = "UNSUPPORTED_PROVIDER"
    MISSING_API_KEY = "MISSING_API_KEY"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    """An answer came, and it is empty, cut off or not what was agreed."""
    CANCELLED = "CANCELLED"

    @property
    def code(self) -> str:
        """As `ErrorBody.code` writes it."""
        return self.value.lower()

    @property
    def is_retryable(self) -> bool:
        """Whether the same request may succeed later without anyone changing anything."""
        return self in _RETRYABLE

    @property
    def trips_breaker(self) -> bool:
        """Whether every other request with the same key would fail alike."""
        return self in {FaultClass.AUTH_ERROR, FaultClass.QUOTA}

    @property
    def is_of_the_pace(self) -> bool:
        """Whether asking more slowly helps."""
        return self in {FaultClass.RATE_LIMIT, FaultClass.OVERLOADED}


_RETRYABLE = frozenset(
    {
        FaultClass.NETWORK,
        FaultClass.TIMEOUT,
        FaultClass.RATE_LIMIT,
        FaultClass.OVERLOADED,
        FaultClass.SERVER,
        FaultClass.INVALID_RESPONSE,
    }
)


class LlmFault(AppError):
    """A call to a language model that brought no usable answer."""

    def __init__(
        self,
        fault: FaultClass,
        message: str,
        hint: str = "",
        *,
        endpoint: str = "",
        http_status: int | None = None,
        provider_code: str = "",
        wait_seconds: float | None = None,
        request_id: str = "",
    ) -> None:
        """State a fault.

        Args:
            fault: its class.
            message: with the facts, for a person.
            hint: what to do next.
            endpoint: name of the place that was asked.
            http_status: None when no answer came.
            provider_code: the most exact word of the provider's for it.
            wait_seconds: the provider's wish, already within bounds.
            request_id: as the provider's support asks for it.
        """
        wait = wait_seconds if fault.is_retryable else None
        super().__init__(
            fault.code,
            message,
            hint,
            retryable=fault.is_retryable,
            retry_after_seconds=wait,
        )
        self.fault = fault
        self.endpoint = endpoint
        self.http_status = http_status
        self.provider_code = provider_code
        self.wait_seconds = wait
        self.request_id = request_id

    def for_good(self) -> LlmFault:
        """Return this fault as one that no further try mends."""
        self.retryable = False
        self.retry_after_seconds = self.wait_seconds = None
        self.hint = hint_for_good(self.hint)
        return self

    def __repr__(self) -> str:
        status = "" if self.http_status is None else f" HTTP {self.http_status}"
        code = f" {self.provider_code}" if self.provider_code else ""
        return f"<LlmFault {self.fault} {self.endpoint}{status}{code}>"


_BY_ITSELF = re.compile(r"It is (?:tried|asked) again by itself[^.]*\.")


def hint_for_good(hint: str) -> str:
    """Return a hint for a fault that is the end: nobody waits for what does not come."""
    left = " ".join(_BY_ITSELF.sub("", hint).split())
    return hint if left == hint else f"{left} Ask again when that has passed.".strip()


_NAMED_KEY = re.compile(
    r"(?P<name>\bapi[ _-]?key\b[^:=\n]{0,24}[:=]\s*['\"]?|[?&]key=)(?P<key>[^\s'\"&,;]+)",
    re.IGNORECASE,
)
_STARS = "***"
"""In the middle of a word it is a key that its provider shows in part."""
_LONG_WORD = re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{24,}\b")
"""Letters and figures without a gap: keys that have no mark of their own, as Mistral's."""


def blotted(text: str, secret: str) -> str:
    """Blot out a secret in a text that may have been cut in the middle of it, and in any case."""
    told = re.sub(re.escape(secret), BLOT, text, flags=re.IGNORECASE)
    for size in range(min(len(secret) - 1, len(told)), PART_CHARS_MIN - 1, -1):
        if told[-size:].lower() == secret[:size].lower():
            return told[:-size] + BLOT
    return told


def quoted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return a provider's words as short plain text in which no key stands.

    Args:
        text: of whatever length and content.
        secrets: the keys that were sent; they are blotted out wherever they come back.
    """
    told = text[:_SOURCE_CHARS_MAX]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        told = blotted(told, secret)
    told = redact_text(" ".join(plain_line(told).split()))
    told = _NAMED_KEY.sub(rf"\g<name>{BLOT}", told)
    # By words: a pattern that finds where such a word begins takes the square of its length.
    told = " ".join(BLOT if _STARS in word else word for word in told.split(" "))
    told = _LONG_WORD.sub(BLOT, told)
    return told if len(told) <= QUOTE_CHARS_MAX else f"{told[: QUOTE_CHARS_MAX - 1].rstrip()}…"
