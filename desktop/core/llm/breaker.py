"""Stops calling an endpoint whose key, or whose account, it refuses; people are told once.

closed ──refusal──▶ open ──a person, another key──▶ closed
                     │ ▲
     credit may have │ │ refused again
     come: a while   ▼ │
                  half open (one call goes) ──good──▶ closed
"""

from __future__ import annotations

from dataclasses import dataclass

CREDIT_SECONDS = 900.0
"""After so long one call finds out whether there is credit again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why calls stopped."""

    code: str
    """The fault's class: "AUTH_ERROR" or "QUOTA"."""
    message: str
    """In the person's words, without the key."""
    hint: str = ""
    may_pass: bool = False
    """It can be over without anybody doing anything here: credit that was paid for."""


class Breaker:
    """Of one endpoint and one key. Times are seconds of one clock that never goes back."""

    def __init__(self) -> None:
        self._refusal: Refusal | None = None
        self._refused_at = float("-inf")
        self._closed_at = float("-inf")
        self._is_trying = False

    @property
    def refusal(self) -> Refusal | None:
        """Why it is open; None when it is closed."""
        return self._refusal

    def blocks(self, now: float) -> Refusal | None:
        """Return why no call may be made now; None lets one go."""
        is_due = now - self._refused_at >= CREDIT_SECONDS
        if self._refusal is None:
            return None
        return None if self._refusal.may_pass and is_due and not self._is_trying else self._refusal

    def started(self) -> None:
        """A call goes that `blocks` let go; no other does until it has ended, if it is open."""
        self._is_trying = self._refusal is not None

    def refused(self, refusal: Refusal, started_at: float, now: float) -> bool:
        """A call was refused; return whether that is news, which a person has to hear.

        What left before a person closed it says nothing about how things are now.
        """
        if started_at < self._closed_at:
            return False
        is_news = self._refusal is None
        self._refusal, self._refused_at, self._is_trying = refusal, now, False
        return is_news

    def good(self, started_at: float, now: float) -> None:
        """A call went well; it closes the breaker unless it left before the refusal."""
        if self._refusal is not None and started_at >= self._refused_at:
            self.reset(now)

    def gave_up(self) -> None:
        """A call ended that says nothing; if it was to find out, the next one may."""
        self._is_trying = False

    def reset(self, now: float) -> None:
        """Close it: a person says so, or a call went well."""
        self._refusal, self._is_trying, self._closed_at = None, False, now
