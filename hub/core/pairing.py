"""Pairing: short codes that a person carries from a chat to a computer, and how guessing fails.

Eight characters of a 20-letter alphabet are 2^34.6 codes; that is enough only together with the
short life, the single use and the throttle below (compare RFC 8628, sections 5.1 and 6.1).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import BadInput, LimitReached

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, so no words; no digits, so nothing to mistake for a letter (RFC 8628, 6.1)."""
CODE_LENGTH = 8
CODE_RANDOM_BYTES = 16
INVITATION_LIFE = timedelta(minutes=10)
WRONG_TRIES_MAX = 5
PAUSE_SECONDS = 15 * 60.0
TRIES_PER_MINUTE_MAX = 30
ADDRESSES_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A code to show to its person; the hub itself keeps only a keyed hash of it."""

    code: str
    """As people read it: "BCDF-GHJK"."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Somebody tries codes."""

    tries: int
    """Within the last minute, that were not right."""
    addresses: int


def make_code(random: bytes) -> str:
    """Write random bytes as a code; 128 bits onto 2^34.6 codes leaves no bias that matters."""
    assert len(random) == CODE_RANDOM_BYTES
    number = int.from_bytes(random, "big")
    letters = []
    for _ in range(CODE_LENGTH):
        number, remainder = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[remainder])
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def normalized(code: str) -> str:
    """Undo what people do to codes: case, blanks, dashes.

    Raises:
        BadInput: `pairing_code_wrong`, when it cannot be a code.
    """
    letters = "".join(c for c in code[:64].upper() if c not in " -–—_.")
    if len(letters) != CODE_LENGTH or not set(letters) <= set(ALPHABET):
        raise code_wrong()
    return letters


def code_digest(code: str, pepper: bytes) -> str:
    """Return what the store keeps of a normalized code. The pepper is not in the store."""
    return hmac.new(pepper, code.encode(), hashlib.sha256).hexdigest()


def code_wrong() -> BadInput:
    """Say the same for wrong, expired and used: whoever guesses learns nothing."""
    return BadInput(
        "pairing_code_wrong",
        "That code is wrong, used or expired.",
        "Ask for a new one: /connect in the chat, or `deskhand-hub invite`.",
    )


def paused(seconds: float) -> LimitReached:
    minutes = max(1, round(seconds / 60))
    return LimitReached(
        "pairing_paused",
        f"Too many tries; pairing is paused for {minutes} minutes.",
        "If this wasn't you, nothing happened.",
        retry_after_seconds=max(1.0, seconds),
    )


@dataclass(slots=True)
class Tries:
    open: int = 0
    """Tries since the last right code, wrong or not yet judged."""
    paused_until: float = 0.0


@dataclass(slots=True)
class Throttle:
    """Counts tries; lives in memory, for nobody outside can restart the hub.

    A try counts as wrong until it proves right, so that many at the same moment gain nothing.
    During a pause for all not even a right code passes: addresses cost nothing, and a guesser
    with a new one for each try would not be paused at all. Accounts this hub knows are few and
    chosen by its owner; they are paused each for itself. Times are seconds of a monotonic clock.
    """

    by_address: OrderedDict[str, Tries] = field(default_factory=OrderedDict)
    recent: deque[tuple[float, str]] = field(default_factory=deque)
    """When codes were tried in the last minute that were not right, and from where."""
    all_paused_until: float = 0.0
    alarm: Alarm | None = None
    """Set when the pause for all begins, for its owner to be told."""

    def admit(self, address: str, now: float, *, is_known: bool = False) -> None:
        """Let a try pass, or not.

        Args:
            address: who tries.
            now: seconds.
            is_known: an account of a person of this hub.

        Raises:
            LimitReached: `pairing_paused`, with `retry_after_seconds`.
        """
        tries = self._tries_of(address)
        if tries.open >= WRONG_TRIES_MAX:
            tries.open, tries.paused_until = 0, now + PAUSE_SECONDS
        until = tries.paused_until if is_known else max(self.all_paused_until, tries.paused_until)
        if now < until:
            raise paused(until - now)
        while self.recent and self.recent[0][0] <= now - 60:
            self.recent.popleft()
        if len(self.recent) >= TRIES_PER_MINUTE_MAX and not is_known:
            addresses = len({where for _, where in self.recent})
            self.alarm = Alarm(tries=len(self.recent), addresses=addresses)
            self.all_paused_until = now + PAUSE_SECONDS
            raise paused(PAUSE_SECONDS)
        self.recent.append((now, bucket(address)))
        tries.open += 1

    def take_alarm(self) -> Alarm | None:
        """The alarm, once."""
        alarm, self.alarm = self.alarm, None
        return alarm

    def note_wrong(self, address: str, now: float) -> None:
        """A try was wrong: the fifth in a row pauses its address.

        Raises:
            LimitReached: `pairing_paused`, when it was one too many.
        """
        tries = self._tries_of(address)
        if tries.open >= WRONG_TRIES_MAX:
            tries.open, tries.paused_until = 0, now + PAUSE_SECONDS
        if now < tries.paused_until:
            raise paused(tries.paused_until - now)

    def note_right(self, address: str) -> None:
        self._forgive(address)
        self.by_address.pop(bucket(address), None)

    def note_unused(self, address: str) -> None:
        """The code was right, yet is not spent: wrong tries before it stay counted."""
        self._forgive(address)
        tries = self._tries_of(address)
        tries.open = max(0, tries.open - 1)

    def _forgive(self, address: str) -> None:
        mine = bucket(address)
        for place in range(len(self.recent) - 1, -1, -1):
            if self.recent[place][1] == mine:
                del self.recent[place]
                return

    def _tries_of(self, address: str) -> Tries:
        key = bucket(address)
        tries = self.by_address.setdefault(key, Tries())
        self.by_address.move_to_end(key)
        if len(self.by_address) > ADDRESSES_MAX:
            self.by_address.popitem(last=False)
        return tries


def bucket(address: str) -> str:
    """Return what counts as one sender: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
