"""A browser that is signed in, and the one-time link that signed it in.

    link ──10 minutes──▶ gone           sign-in ──12 hours unused, or 30 days old──▶ over
      └── its button pressed ──▶ sign-in, under a secret of its own

Both secrets are 256 random bits and are kept as their hash alone (OWASP ASVS 5.0, 7.2 and 11.4.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.access import Person
from shared.errors import LimitReached, NotAllowed, NotFound
from shared.ids import PersonId

LINK_LIFE = timedelta(minutes=10)
IDLE_LIFE = timedelta(hours=12)
FULL_LIFE = timedelta(days=30)
NOTE_AFTER = timedelta(minutes=5)
"""How exact the last use is written down."""
SECRET_CHARS_MAX = 100
BROWSER_CHARS_MAX = 60
LINKS_MAX = 5
"""Unused ones of a person; a newer one ends the oldest."""
SIGN_INS_MAX = 50
"""Of a person; a newer one ends the one that was unused for longest."""
TRIES_PER_MINUTE_MAX = 20
"""Wrong links from one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that signs a browser in, once; the hub keeps only its secret's hash."""

    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    sign_in_id: str
    person_id: PersonId
    browser: str
    """In words: "Firefox on Linux"."""
    opened_at: datetime
    seen_at: datetime
    """When it was used last, give or take `NOTE_AFTER`."""

    @property
    def ends_at(self) -> datetime:
        """When it is over unless it is used before."""
        return min(self.seen_at + IDLE_LIFE, self.opened_at + FULL_LIFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who looks through a browser, and by which sign-in."""

    person: Person
    sign_in: SignIn


def is_over(sign_in: SignIn, now: datetime) -> bool:
    return now >= sign_in.ends_at


def is_to_be_noted(sign_in: SignIn, now: datetime) -> bool:
    """Whether its use has to be written down, so that it stays alive."""
    return now - sign_in.seen_at >= NOTE_AFTER


def csrf_of(secret: str) -> str:
    """Return what stands in the forms of a sign-in; it tells nothing about the secret."""
    digest = hmac.new(secret.encode(), b"deskhand csrf v1", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def browser_of(user_agent: str) -> str:
    """Say in words what a browser calls itself; it may claim anything, so the words are ours."""
    browser = next((name for name, mark in _BROWSERS if mark.search(user_agent)), "A browser")
    system = next((name for name, mark in _SYSTEMS if mark.search(user_agent)), "")
    return f"{browser} on {system}" if system else browser


def link_wrong() -> NotFound:
    """Say the same for wrong, used and expired: whoever guesses learns nothing."""
    return NotFound(
        "sign_in_link_wrong",
        "This link is wrong, used or expired.",
        "Each works once, for 10 minutes. Get a new one as said below.",
    )


def needed() -> NotAllowed:
    return NotAllowed(
        "sign_in_needed", "You are not signed in.", "Get a link that signs this browser in."
    )


def too_many_tries(seconds: float) -> LimitReached:
    return LimitReached(
        "sign_in_paused",
        "Too many wrong links came from your address.",
        "Wait a minute, then use a new link.",
        retry_after_seconds=seconds,
    )


# Chrome calls itself Safari, too, and the others call themselves Chrome: the order matters.
_BROWSERS = tuple(
    (name, re.compile(mark))
    for name, mark in (
        ("Firefox", r"Firefox/|FxiOS/"),
        ("Edge", r"Edg(e|A|iOS)?/"),
        ("Opera", r"OPR/"),
        ("Samsung Internet", r"SamsungBrowser/"),
        ("Chrome", r"Chrome/|CriOS/|Chromium/"),
        ("Safari", r"Safari/"),
    )
)
_SYSTEMS = tuple(
    (name, re.compile(mark))
    for name, mark in (
        ("Android", r"Android"),
        ("iPhone", r"iPhone"),
        ("iPad", r"iPad"),
        ("Windows", r"Windows"),
        ("macOS", r"Mac OS X|Macintosh"),
        ("ChromeOS", r"CrOS"),
        ("Linux", r"Linux"),
    )
)
